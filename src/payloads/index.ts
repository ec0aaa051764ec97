// The one list of payload formats. A new one is a file here, a line below, and a sample beside the others.

import type { PayloadSource } from '../core/sink/sink.ts';
import type { PayloadFormat } from './format.ts';
import { roboflow } from './roboflow/roboflow.ts';
import { robovision } from './robovision/robovision.ts';
import { v7 } from './v7/v7.ts';

export const payloadFormats: readonly PayloadFormat[] = [robovision, v7, roboflow];

export function findPayloadFormat(source: PayloadSource): PayloadFormat {
  return payloadFormats.find((format) => format.source === source) as PayloadFormat;
}
