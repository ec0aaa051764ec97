// A timestamp like Python's `datetime`: wall clock in microseconds, with an optional UTC offset.

export class Timestamp {
  /** Microseconds of the wall clock since 1970-01-01T00:00:00. */
  readonly wallMicroseconds: bigint;
  /** Null when the time zone is unknown. */
  readonly offsetSeconds: number | null;

  constructor(wallMicroseconds: bigint, offsetSeconds: number | null) {
    this.wallMicroseconds = wallMicroseconds;
    this.offsetSeconds = offsetSeconds;
  }

  /** In UTC. */
  static ofEpoch(milliseconds: number): Timestamp {
    return new Timestamp(BigInt(Math.trunc(milliseconds)) * 1000n, 0);
  }

  /** Of the instant in UTC; a timestamp without a zone counts as UTC. */
  get epochMicroseconds(): bigint {
    return this.wallMicroseconds - BigInt(this.offsetSeconds ?? 0) * MICRO;
  }

  get microsecond(): number {
    return Number(((this.wallMicroseconds % MICRO) + MICRO) % MICRO);
  }

  /** Omits microseconds of zero; UTC is `+00:00`. */
  isoFormat(separator = 'T'): string {
    const { microsecond } = this;
    const wholeSeconds = new Date(Number((this.wallMicroseconds - BigInt(microsecond)) / 1000n)).toISOString();
    const [date, time] = wholeSeconds.slice(0, 19).split('T');
    const fraction = microsecond === 0 ? '' : `.${String(microsecond).padStart(6, '0')}`;
    return `${date}${separator}${time}${fraction}${this.offsetSeconds === null ? '' : offsetText(this.offsetSeconds)}`;
  }

  /** A timestamp has no JSON form: code that stores or sends it must encode it. */
  toJSON(): never {
    throw new TypeError('a timestamp has no JSON form: encode it first');
  }
}

const MICRO = 1_000_000n;
const ISO = /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d+))?)?(Z|[+-]\d\d:?\d\d(?::?\d\d)?)?)?$/;

/** Parses ISO 8601 like Python's `fromisoformat`; null for other text or a date that does not exist. */
export function parseTimestamp(text: string): Timestamp | null {
  const match = ISO.exec(text);
  if (match === null) return null;
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map((part) => Number(part ?? 0)) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  if (year === 0 || date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day || hour > 23 || minute > 59 || second > 59) return null;
  const microsecond = Number((match[7] ?? '').padEnd(6, '0').slice(0, 6));
  const wallSeconds = date.getTime() / 1000 + hour * 3600 + minute * 60 + second;
  return new Timestamp(BigInt(wallSeconds) * MICRO + BigInt(microsecond), match[8] === undefined ? null : readOffset(match[8]));
}

function readOffset(text: string): number {
  if (text === 'Z') return 0;
  const digits = text.slice(1).replaceAll(':', '').padEnd(6, '0');
  const seconds = Number(digits.slice(0, 2)) * 3600 + Number(digits.slice(2, 4)) * 60 + Number(digits.slice(4));
  return text.startsWith('-') ? -seconds : seconds;
}

function offsetText(offset: number): string {
  const size = Math.abs(offset);
  const parts = [Math.floor(size / 3600), Math.floor(size / 60) % 60, ...(size % 60 === 0 ? [] : [size % 60])];
  return (offset < 0 ? '-' : '+') + parts.map((part) => String(part).padStart(2, '0')).join(':');
}
