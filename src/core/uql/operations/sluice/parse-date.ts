// sluice/parse_date: a timestamp from a date as another system writes it.

import { parseEpoch, parseRfc2822, parseRfc3339 } from '../../../values/date-text.ts';
import type { Timestamp } from '../../../values/timestamp.ts';
import { choiceParameter } from '../parameter.ts';
import { defineOwnOperation, kindInWords } from './own-operation.ts';

const FORMATS = ['rfc3339', 'rfc2822', 'epoch_seconds', 'epoch_milliseconds'] as const;
type Format = (typeof FORMATS)[number];

const EXAMPLES: Readonly<Record<Format, string>> = {
  rfc3339: 'a date as 2021-02-26T19:13:55.749Z',
  rfc2822: 'a date as Fri, 26 Feb 2021 19:13:55 +0000',
  epoch_seconds: 'seconds since 1970 as 1614366835',
  epoch_milliseconds: 'milliseconds since 1970 as 1614366835749',
};
const SHOWN_CHARACTERS = 60;

export const parseDate = defineOwnOperation({
  name: 'parse_date',
  summary: 'Parses a date, written as text or as a number, to a timestamp in whole microseconds.',
  parameters: {
    format: choiceParameter(FORMATS, { description: 'How the date is written; `rfc2822` is the form of mail and of HTTP headers' }),
  },
  apply: (value, { format }, refuse) => {
    const timestamp = parse(value, format);
    if (timestamp === null) throw refuse(`the value must be ${EXAMPLES[format]}, but is ${shown(value)}`);
    return timestamp;
  },
});

function parse(value: unknown, format: Format): Timestamp | null {
  switch (format) {
    case 'rfc3339':
      return typeof value === 'string' ? parseRfc3339(value) : null;
    case 'rfc2822':
      return typeof value === 'string' ? parseRfc2822(value) : null;
    case 'epoch_seconds':
      return parseEpoch(value, 'seconds');
    case 'epoch_milliseconds':
      return parseEpoch(value, 'milliseconds');
  }
}

function shown(value: unknown): string {
  if (typeof value !== 'string') return typeof value === 'number' ? String(value) : kindInWords(value);
  return JSON.stringify(value.length <= SHOWN_CHARACTERS ? value : `${value.slice(0, SHOWN_CHARACTERS)}…`);
}
