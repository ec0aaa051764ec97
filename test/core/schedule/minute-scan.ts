// The scheduled times of a cron expression, found by a look at every minute: slow, and plain enough to be right.

const MINUTE = 60_000;

/** Values of the five fields; null for `*`. `isWild`: minute or hour has a wildcard or a step. */
export interface PlainCron {
  minute: readonly number[] | null;
  hour: readonly number[] | null;
  day: readonly number[] | null;
  weekday: readonly number[] | null;
  isWild: boolean;
}

/** A local time, and its fields. */
interface LocalTime {
  /** As if it were UTC. */
  local: number;
  minute: number;
  hour: number;
  day: number;
  weekday: number;
}

interface LocalMinute extends LocalTime {
  at: number;
}

/** Every minute from `from` to `to` with its local time in the zone. */
export function minutesOf(timeZone: string, from: number, to: number): LocalMinute[] {
  const format = new Intl.DateTimeFormat('en-US', { timeZone, hourCycle: 'h23', dateStyle: 'short', timeStyle: 'medium' });
  const minutes: LocalMinute[] = [];
  for (let at = from; at <= to; at += MINUTE) minutes.push({ at, ...fieldsOf(localOf(format, at)) });
  return minutes;
}

function fieldsOf(local: number): LocalTime {
  const time = new Date(local);
  return { local, minute: time.getUTCMinutes(), hour: time.getUTCHours(), day: time.getUTCDate(), weekday: time.getUTCDay() };
}

function localOf(format: Intl.DateTimeFormat, at: number): number {
  const [month = 0, day = 0, year = 0, hour = 0, minute = 0] = (format.format(at).match(/\d+/g) ?? []).map(Number);
  return Date.UTC(2000 + year, month - 1, day, hour, minute);
}

/** A time that names minute and hour comes at its first pass, or after the gap that holds it. Any other comes at every pass. */
export function scan(cron: PlainCron, minutes: readonly LocalMinute[]): number[] {
  const found = new Set<number>();
  let latest = Number.NEGATIVE_INFINITY;
  let previous = minutes[0]?.local ?? 0;
  for (const time of minutes) {
    const { at, local } = time;
    const isRepeated = local <= latest;
    const isAfterGap = !cron.isWild && !isRepeated && gapBetween(previous, local).some((skipped) => matches(cron, fieldsOf(skipped)));
    if (isAfterGap || (matches(cron, time) && (cron.isWild || !isRepeated))) found.add(at);
    latest = Math.max(latest, local);
    previous = local;
  }
  return [...found];
}

function gapBetween(before: number, after: number): number[] {
  const skipped = Math.max(0, (after - before) / MINUTE - 1);
  return Array.from({ length: skipped }, (_, index) => before + (index + 1) * MINUTE);
}

function matches({ minute, hour, day, weekday }: PlainCron, time: LocalTime): boolean {
  const isIn = (values: readonly number[] | null, value: number): boolean => values === null || values.includes(value);
  const isOfDay = isIn(day, time.day);
  const isOfWeekday = isIn(weekday, time.weekday);
  const isDay = day !== null && weekday !== null ? isOfDay || isOfWeekday : isOfDay && isOfWeekday;
  return isDay && isIn(hour, time.hour) && isIn(minute, time.minute);
}
