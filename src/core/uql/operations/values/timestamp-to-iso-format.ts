// TimestampToISOFormat: a timestamp as text. Text is refused, even if it looks like a timestamp.

import { classText } from '../../../python/kind.ts';
import { Timestamp } from '../../../values/timestamp.ts';
import { defineOperation } from '../operation.ts';
import { wrongInput } from '../operation-fault.ts';

export const timestampToIsoFormat = defineOperation({
  type: 'TimestampToISOFormat',
  summary: 'Writes a timestamp as ISO 8601 text.',
  parameters: {},
  apply: (value, _settings, _context, place) => {
    if (value instanceof Timestamp) return value.isoFormat();
    throw wrongInput(
      `Operation timestamp_to_iso_format(...) in context ${place} expects input value to be timestamp (Python datetime object), got: ${classText(value)}`,
    );
  },
});
