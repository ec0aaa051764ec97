// Storage contract: schedules follow the settings of their sink, and each of their times is handled once.

import { describe, expect, test } from 'vitest';
import type { ScheduleSetting } from '../../../../src/core/sink/schedule-setting.ts';
import type { Sink } from '../../../../src/core/sink/sink.ts';
import type { ScheduleState } from '../../../../src/storage/schedule-store.ts';
import { NOW, type Workbench } from '../workbench.ts';

const HOUR = 3_600_000;

export function schedulesContract(workbench: () => Workbench): void {
  const schedule = (name: string, fields: Partial<ScheduleSetting> = {}): ScheduleSetting => ({
    name,
    cron: '0 * * * *',
    timeZone: 'UTC',
    catchUp: 'last',
    body: null,
    ...fields,
  });
  const statesOf = async ({ id }: Sink): Promise<ScheduleState[]> =>
    (await workbench().storage.listSchedules()).filter(({ sinkId }) => sinkId === id);
  const move = ({ id: sinkId }: Sink, name: string, from: number, to: number, lastAt: number | null) =>
    workbench().storage.moveSchedule({ sinkId, name, from, to, lastAt });
  const save = (sink: Sink, ...schedules: ScheduleSetting[]) => workbench().edit({ kind: 'put_sink', sink: { ...sink, schedules } });

  describe('a schedule', () => {
    test('is handled up to the edit that stores it', async () => {
      const sink = await workbench().addSink({ schedules: [schedule('a'), schedule('b', { timeZone: 'Asia/Kolkata' })] });
      expect(await statesOf(sink)).toEqual([
        { sinkId: sink.id, name: 'a', cron: '0 * * * *', timeZone: 'UTC', handledTo: NOW, lastAt: null },
        { sinkId: sink.id, name: 'b', cron: '0 * * * *', timeZone: 'Asia/Kolkata', handledTo: NOW, lastAt: null },
      ]);
      expect((await workbench().storage.loadDefinitions()).sinks.find(({ id }) => id === sink.id)?.schedules).toEqual(sink.schedules);
    });

    test('moves on once, however often it is moved', async () => {
      const sink = await workbench().addSink({ schedules: [schedule('a')] });
      const moved = { handledTo: NOW + HOUR, lastAt: NOW + HOUR };
      for (const _ of [1, 2]) expect(await move(sink, 'a', NOW, NOW + HOUR, NOW + HOUR)).toMatchObject(moved);
      expect(await move(sink, 'a', NOW, NOW + 2 * HOUR, NOW + 2 * HOUR), 'planned on an older state').toMatchObject(moved);
      expect(await move(sink, 'a', NOW + HOUR, NOW + 3 * HOUR, null)).toMatchObject({ handledTo: NOW + 3 * HOUR, lastAt: NOW + HOUR });
      expect(await move(sink, 'a', NOW + 3 * HOUR, NOW, null), 'back, with the clock').toMatchObject({ handledTo: NOW });
      expect(await move(sink, 'other', NOW, NOW + HOUR, null)).toBeNull();
    });

    test('stays as it is when the sink is saved again, and begins again when its cron or zone changes', async () => {
      const sink = await workbench().addSink({ schedules: [schedule('a'), schedule('b'), schedule('c')] });
      for (const name of ['a', 'b', 'c']) await move(sink, name, NOW, NOW + HOUR, NOW + HOUR);
      await save(sink, schedule('a', { catchUp: 'all', body: '1' }), schedule('b', { cron: '5 * * * *' }), schedule('d'));
      expect(await statesOf(sink)).toMatchObject([
        { name: 'a', handledTo: NOW + HOUR, lastAt: NOW + HOUR },
        { name: 'b', cron: '5 * * * *', handledTo: NOW, lastAt: NOW + HOUR },
        { name: 'd', handledTo: NOW, lastAt: null },
      ]);
    });

    test('goes with its sink', async () => {
      const sink = await workbench().addSink({ schedules: [schedule('a')] });
      await workbench().edit({ kind: 'delete_sink', sinkId: sink.id });
      expect(await statesOf(sink)).toEqual([]);
      expect(await move(sink, 'a', NOW, NOW + HOUR, null)).toBeNull();
    });
  });
}
