// ExtractFrameMetadata: an image's frame number and time in its video, from `video_metadata`. An image without metadata
// counts as a photo taken now: frame 0 at 30 frames per second.

import { divideNumbers } from '../../../python/arithmetic.ts';
import { PythonError } from '../../../python/error.ts';
import { isDict, typeName } from '../../../python/kind.ts';
import { readNumber, toValue } from '../../../python/number.ts';
import { parseTimestamp, Timestamp } from '../../../values/timestamp.ts';
import { defineOperation, type OperationContext } from '../operation.ts';
import { OperationFault } from '../operation-fault.ts';
import { choiceParameter } from '../parameter.ts';
import { imageOf } from './image-input.ts';

type Metadata = Record<string, unknown>;

const CALL = 'extract_frame_metadata(...)';

const properties = {
  frame_number: (metadata: Metadata) => metadata['frame_number'] ?? null,
  frame_timestamp: frameTimestamp,
  seconds_since_start: secondsSinceStart,
};

export const extractFrameMetadata = defineOperation({
  type: 'ExtractFrameMetadata',
  summary: 'Returns the frame number of an image in its video, or when it was taken.',
  parameters: {
    property_name: choiceParameter(Object.keys(properties) as (keyof typeof properties)[], { description: 'The value to return' }),
  },
  apply: (value, { property_name: name }, context, place) => {
    imageOf(value, CALL, place);
    const given = isDict(value) ? value['video_metadata'] : undefined;
    const metadata = isDict(given) ? given : photoOfNow(context);
    try {
      return properties[name](metadata);
    } catch (error) {
      if (!(error instanceof PythonError)) throw error;
      throw new OperationFault('OperationError', `While Using operation ${CALL} in context ${place} encountered error: ${error.message}`);
    }
  },
});

function photoOfNow({ now }: OperationContext): Metadata {
  return { frame_number: 0, frame_timestamp: now === undefined ? null : Timestamp.ofEpoch(now), fps: 30 };
}

function frameTimestamp({ frame_timestamp: timestamp }: Metadata): unknown {
  if (timestamp instanceof Timestamp) return timestamp;
  const parsed = typeof timestamp === 'string' ? parseTimestamp(timestamp) : null;
  if (parsed === null) throw new PythonError('ValueError', 'the frame has no valid frame_timestamp; it must be ISO 8601 text');
  return parsed;
}

function secondsSinceStart({ frame_number: number, fps = null }: Metadata): unknown {
  const framesBefore = readNumber(number);
  if (framesBefore === null)
    throw new PythonError('TypeError', `unsupported operand type(s) for -: '${typeName(number ?? null)}' and 'int'`);
  const rate = readNumber(fps);
  if (rate === null) throw new PythonError('TypeError', `unsupported operand type(s) for /: 'int' and '${typeName(fps)}'`);
  return toValue(divideNumbers(Number(framesBefore) - 1, Number(rate)));
}
