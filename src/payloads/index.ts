// The list of payload formats. A new format needs its file, a line below, and a sample in `samples/`.

import type { PayloadSource } from '../core/sink/sink.ts';
import type { PayloadFormat } from './format.ts';
import { roboflow } from './roboflow/roboflow.ts';
import { robovision } from './robovision/robovision.ts';
import { v7 } from './v7/v7.ts';

export const payloadFormats: readonly PayloadFormat[] = [robovision, v7, roboflow];

export function findPayloadFormat(source: PayloadSource): PayloadFormat {
  return payloadFormats.find((format) => format.source === source) as PayloadFormat;
}
