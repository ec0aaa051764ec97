// roboflow_core/current_time@v1: outputs the date and time in a time zone.

import { failedStep } from '../shared/operations-outcome.ts';
import { choiceOrSelector } from '../shared/property-schemas.ts';
import type { StepType } from '../step-type.ts';
import { isTimeZone, TIME_ZONES, timeIn } from './parts/time-zones.ts';

interface CurrentTimeManifest {
  timezone?: unknown;
}

export const currentTime: StepType<CurrentTimeManifest> = {
  type: 'roboflow_core/current_time@v1',
  summary: 'Outputs the current date and time in a time zone.',
  properties: {
    timezone: choiceOrSelector('the time zone', TIME_ZONES, 'UTC'),
  },
  required: [],
  ignoresUnknown: true,
  outputs: () => ['timestamp', 'iso_string', 'date', 'time'],
  plan({ timezone = 'UTC' }, { wallNow }) {
    if (!isTimeZone(timezone)) {
      const given = `received unsupported timezone '${String(timezone).slice(0, 100)}'`;
      return failedStep('invalid_setting', `\`roboflow_core/current_time@v1\` ${given}. Provide one of ${TIME_ZONES.join(', ')}.`);
    }
    const timestamp = timeIn(timezone, wallNow);
    const iso = timestamp.isoFormat();
    const [date, rest] = iso.split('T') as [string, string];
    return { kind: 'completed', outputs: { timestamp, iso_string: iso, date, time: rest.slice(0, 'HH:MM:SS'.length) } };
  },
};
