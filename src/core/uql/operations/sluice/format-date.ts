// sluice/format_date: a timestamp as another system expects it.

import { epochOf, formatDate as format, isInYears } from '../../../values/date-text.ts';
import { Timestamp } from '../../../values/timestamp.ts';
import { choiceParameter } from '../parameter.ts';
import { defineOwnOperation, kindInWords } from './own-operation.ts';

export const formatDate = defineOwnOperation({
  name: 'format_date',
  summary: 'Writes a timestamp in UTC as text, or as a number of seconds or milliseconds since 1970.',
  parameters: {
    format: choiceParameter(['rfc3339', 'rfc2822', 'http', 'epoch_seconds', 'epoch_milliseconds'], {
      description: 'How to write it; whole milliseconds are rounded down',
    }),
  },
  apply: (value, { format: form }, refuse) => {
    if (!(value instanceof Timestamp))
      throw refuse(`the value must be a timestamp, but is ${kindInWords(value)}; sluice/parse_date makes timestamps`);
    if (!isInYears(value)) throw refuse('the timestamp is outside of the years 1 to 9999');
    switch (form) {
      case 'epoch_seconds':
        return epochOf(value, 'seconds');
      case 'epoch_milliseconds':
        return epochOf(value, 'milliseconds');
      default:
        return format(value, form);
    }
  },
});
