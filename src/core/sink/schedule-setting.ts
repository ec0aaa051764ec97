// The times at which a sink also runs its workflow: the field `schedules`.

import type { Fault } from '../fault.ts';
import { cronFault, timeZoneFault } from '../schedule/cron-faults.ts';
import { CATCH_UPS, type CatchUp } from '../schedule/due-times.ts';
import type { JsonSchema } from '../schema.ts';

export interface ScheduleSetting {
  /** Identifies the schedule within its sink. */
  name: string;
  cron: string;
  timeZone: string;
  catchUp: CatchUp;
  /** JSON text of `$request.body`; null for none. */
  body: string | null;
}

export interface ScheduleDocument {
  name: string;
  cron: string;
  time_zone?: string;
  catch_up?: CatchUp;
  body?: unknown;
}

const DEFAULT_TIME_ZONE = 'UTC';
const DEFAULT_CATCH_UP: CatchUp = 'last';
const MAX_SCHEDULES = 8;
const MAX_BODY_BYTES = 64 * 2 ** 10;

const scheduleProperties = {
  name: {
    type: 'string',
    pattern: '^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$',
    description: 'must be 1 to 64 letters, digits, "_", "." or "-", and start with a letter or a digit',
  },
  cron: { type: 'string' },
  time_zone: { type: 'string' },
  catch_up: { type: 'string', enum: [...CATCH_UPS] },
  body: {},
};

/** `more`: fields of answers, which a request may send back. */
export function schedulesSchemaWith(more: Record<string, object>): JsonSchema {
  return {
    type: 'array',
    maxItems: MAX_SCHEDULES,
    items: {
      type: 'object',
      required: ['name', 'cron'],
      additionalProperties: false,
      properties: { ...scheduleProperties, ...more },
    },
  };
}

export const schedulesSchema = schedulesSchemaWith({});

interface Given {
  path: string;
  schedules?: ScheduleDocument[];
  payload?: unknown;
  split?: unknown;
}

export function scheduleFaults({ path, schedules = [], payload, split }: Given): Fault[] {
  const faults: Fault[] = [];
  const fault = (at: string, message: string | null): void => {
    if (message !== null) faults.push({ path: at, message });
  };
  for (const [index, { name, cron, time_zone: timeZone, body }] of schedules.entries()) {
    const at = `schedules[${index}]`;
    const first = schedules.findIndex((other) => other.name === name);
    if (first < index) fault(`${at}.name`, `"${name}" is already the name of schedules[${first}]; each needs its own`);
    fault(`${at}.cron`, cronFault(cron));
    if (timeZone !== undefined) fault(`${at}.time_zone`, timeZoneFault(timeZone));
    const size = body === undefined ? 0 : Buffer.byteLength(JSON.stringify(body));
    if (size > MAX_BODY_BYTES) fault(`${at}.body`, `has ${size} bytes as JSON; at most ${MAX_BODY_BYTES} are allowed`);
  }
  if (schedules.length === 0) return faults;
  if (/[:*]/.test(path)) fault('schedules', 'cannot stand beside a path with parameters or "*": a scheduled run has no values for them');
  if (typeof payload === 'string') fault('schedules', 'cannot stand beside payload: nothing sends one at a scheduled time');
  if (split !== undefined) fault('schedules', 'cannot stand beside split: a scheduled time starts one run');
  return faults;
}

/** Reads a field without faults. Undefined for a sink without schedules. */
export function readSchedules(schedules: readonly ScheduleDocument[] | undefined): readonly ScheduleSetting[] | undefined {
  if (schedules === undefined || schedules.length === 0) return undefined;
  return schedules.map(({ name, cron, time_zone: timeZone, catch_up: catchUp, body = null }) => ({
    name,
    cron: cron.trim(),
    timeZone: timeZone ?? DEFAULT_TIME_ZONE,
    catchUp: catchUp ?? DEFAULT_CATCH_UP,
    body: body === null ? null : JSON.stringify(body),
  }));
}

/** The field as definitions write it. */
export function writeSchedules(schedules: readonly ScheduleSetting[]): ScheduleDocument[] {
  return schedules.map(({ name, cron, timeZone, catchUp, body }) => ({
    name,
    cron,
    ...(timeZone === DEFAULT_TIME_ZONE ? {} : { time_zone: timeZone }),
    ...(catchUp === DEFAULT_CATCH_UP ? {} : { catch_up: catchUp }),
    ...(body === null ? {} : { body: JSON.parse(body) as unknown }),
  }));
}
