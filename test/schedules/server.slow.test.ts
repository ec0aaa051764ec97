// A server runs sinks by their schedules: what a run sees, and each time once, whatever the clock or the process does.

import { describe, expect, test } from 'vitest';
import { until } from '../support/until.ts';
import { clockedServer, DAY, HOUR, MINUTE, scheduledTimes, startedTimes } from './schedule-support.ts';

const set = (values: object): object => ({ type: 'sluice/set@v1', name: 'seen', values });

test('a scheduled time starts a run of the workflow, which sees what a trigger would bring', async () => {
  const { start, setTo } = clockedServer('2026-06-01T10:00:30Z');
  const app = await start();
  await app.workflow('report', {
    inputs: [{ type: 'WorkflowParameter', name: 'kind' }],
    steps: [set({ kind: '$inputs.kind', name: '$request.schedule.name', at: '$request.schedule.at', method: '$request.method' })],
    outputs: [{ type: 'JsonField', name: 'seen', selector: '$steps.seen.*' }],
  });
  const sink = await app.sink({
    path: '/report',
    auth_token: 'secret',
    workflow_id: 'report',
    schedules: [{ name: 'hourly', cron: '0 * * * *', body: { kind: 'summary' } }],
  });
  expect(sink.schedules).toEqual([
    { name: 'hourly', cron: '0 * * * *', body: { kind: 'summary' }, next_at: '2026-06-01T11:00:00.000Z', last_at: null },
  ]);
  setTo('2026-06-01T10:59:59.900Z');
  const [at] = await startedTimes(app, 1);
  expect(at).toBe('2026-06-01T11:00');
  const [{ run_id: id }] = (await app.admin('GET', '/runs')).body.runs;
  const run = await until('the end', async () => {
    const { body } = await app.admin('GET', `/runs/${id}`);
    return body.status === 'completed' ? body : null;
  });
  expect(run).toMatchObject({
    workflow_id: 'report',
    output: { seen: { kind: 'summary', name: 'hourly', at: '2026-06-01T11:00:00.000Z', method: 'POST' } },
    request: { path: '/report', client_ip: '', headers: { 'content-type': 'application/json' }, body: '{"kind":"summary"}' },
  });
  // The run is on disk first, and the schedule moves on after it.
  const { schedules, total } = await until('the next time', async () => {
    const { body } = await app.admin('GET', '/schedules');
    return body.schedules[0].last_at === null ? null : body;
  });
  expect(total).toBe(1);
  expect(schedules[0]).toMatchObject({ sink_id: sink.id, next_at: '2026-06-01T12:00:00.000Z', last_at: '2026-06-01T11:00:00.000Z' });
});

describe('a stop of two days', () => {
  test.each([
    ['skip', []],
    ['last', ['2026-06-03T09:00']],
    [
      'all',
      [
        '2026-06-01T15:00',
        '2026-06-01T21:00',
        '2026-06-02T03:00',
        '2026-06-02T09:00',
        '2026-06-02T15:00',
        '2026-06-02T21:00',
        '2026-06-03T03:00',
        '2026-06-03T09:00',
      ],
    ],
  ])('with catch_up: %s', async (policy, expected) => {
    const { start, setTo } = clockedServer('2026-06-01T10:00:30Z');
    const first = await start();
    await first.sink({ path: '/s', schedules: [{ name: 's', cron: '0 3,9,15,21 * * *', catch_up: policy }] });
    await first.close();
    setTo('2026-06-03T10:00:30Z');
    const second = await start();
    const line = await until('the log', () => second.logs.find((text) => text.includes('scheduled times were missed')));
    expect(JSON.parse(line)).toMatchObject({ schedule: 's', catch_up: policy, caught_up: expected.length, left_out: 8 - expected.length });
    if (expected.length > 0) await startedTimes(second, expected.length);
    await second.close();
    const third = await start();
    expect(await scheduledTimes(third)).toEqual(expected);
  });

  test('catches up at most 1000 times, and a rejection says how many were left out', async () => {
    const { start, setTo } = clockedServer('2026-06-01T10:00:30Z');
    const first = await start();
    const { id } = await first.sink({ path: '/s', schedules: [{ name: 's', cron: '* * * * *', catch_up: 'all' }] });
    await first.close();
    setTo('2026-06-02T10:00:30Z');
    const second = await start();
    const [rejection] = await until('the rejection', async () => {
      const { rejections } = (await second.admin('GET', '/rejections')).body;
      return rejections.length > 0 ? rejections : null;
    });
    expect(rejection).toMatchObject({
      sink_id: id,
      code: 'missed',
      message: 'schedule "s": 440 missed times were left out: at most 1000 are caught up',
    });
    await until('all to be caught up', async () => {
      const [schedule] = (await second.admin('GET', '/schedules')).body.schedules;
      return schedule.last_at === '2026-06-02T10:00:00.000Z';
    });
  });

  test('a time that is less than a minute late is not missed', async () => {
    const { start, setTo } = clockedServer('2026-06-01T09:59:30Z');
    const first = await start();
    await first.sink({ path: '/s', schedules: [{ name: 's', cron: '0 10 * * *', catch_up: 'skip' }] });
    await first.close();
    setTo('2026-06-01T10:00:40Z');
    expect(await startedTimes(await start(), 1)).toEqual(['2026-06-01T10:00']);
  });
});

describe('a clock that is set while the server runs', () => {
  test('forward, counts as a stop', async () => {
    const { start, setBy } = clockedServer('2026-06-01T10:00:30Z');
    const app = await start();
    await app.sink({
      path: '/s',
      schedules: [
        { name: 'last', cron: '0 * * * *' },
        { name: 'all', cron: '0 * * * *', catch_up: 'all' },
      ],
    });
    setBy(3 * HOUR);
    expect(await startedTimes(app, 3, 'all')).toEqual(['2026-06-01T11:00', '2026-06-01T12:00', '2026-06-01T13:00']);
    expect(await startedTimes(app, 1, 'last')).toEqual(['2026-06-01T13:00']);
  });

  test('back, starts no time twice, and does not stop the schedule', async () => {
    const { start, setTo } = clockedServer('2026-06-01T10:58:30Z');
    const app = await start();
    await app.sink({ path: '/s', schedules: [{ name: 's', cron: '0,30 * * * *', catch_up: 'all' }] });
    setTo('2026-06-01T10:59:59.900Z');
    await startedTimes(app, 1);
    setTo('2026-06-01T11:29:59.800Z');
    await startedTimes(app, 2);
    setTo('2026-06-01T09:29:59.900Z');
    expect(await startedTimes(app, 3)).toEqual(['2026-06-01T09:30', '2026-06-01T11:00', '2026-06-01T11:30']);
    expect(app.logs.filter((line) => line.includes('the schedule goes on from the new time'))).toHaveLength(1);
    setTo('2026-06-01T10:59:59.900Z');
    await startedTimes(app, 5);
    setTo('2026-06-01T11:59:59.900Z');
    const passed = ['09:30', '10:00', '10:30', '11:00', '11:30', '12:00'];
    expect(await startedTimes(app, 6)).toEqual(passed.map((time) => `2026-06-01T${time}`));
  });

  test('forward by a year by mistake, and back again, goes on as if nothing had been', async () => {
    const { start, setBy } = clockedServer('2026-06-01T10:00:30Z');
    const first = await start();
    await first.sink({ path: '/s', schedules: [{ name: 's', cron: '0 11 * * *' }] });
    setBy(365 * DAY);
    expect(await startedTimes(first, 1)).toEqual(['2027-05-31T11:00']);
    await first.close();
    setBy(-365 * DAY);
    const second = await start();
    setBy(HOUR - 31_000);
    expect(await startedTimes(second, 2)).toEqual(['2026-06-01T11:00', '2027-05-31T11:00']);
  });
});

describe('DST', () => {
  test.each([
    ['the gap of spring', '2026-03-28T23:30:30Z', ['2026-03-29T01:00', '2026-03-30T00:30']],
    ['the repeated hour of autumn', '2026-10-24T23:30:30Z', ['2026-10-25T00:30', '2026-10-26T01:30']],
  ])('%s starts a time in it once', async (_when, from, expected) => {
    const { start, setBy } = clockedServer(from);
    const app = await start();
    await app.sink({ path: '/s', schedules: [{ name: 'nightly', cron: '30 2 * * *', time_zone: 'Europe/Berlin', catch_up: 'all' }] });
    setBy(3 * HOUR);
    expect(await startedTimes(app, 1)).toEqual(expected.slice(0, 1));
    setBy(DAY);
    expect(await startedTimes(app, 2)).toEqual(expected);
  });
});

describe('an edit', () => {
  test('of the cron begins from its time, another one changes nothing, and a deleted schedule ends', async () => {
    const { start, setTo } = clockedServer('2026-06-01T10:00:30Z');
    const app = await start();
    const { id } = await app.sink({
      path: '/s',
      schedules: [
        { name: 'a', cron: '30 10 * * *' },
        { name: 'b', cron: '0 11 * * *' },
      ],
    });
    const edit = (fields: object) => app.admin('PATCH', `/apps/shop/sinks/${id}`, fields);
    setTo('2026-06-01T10:45:00Z');
    expect(await startedTimes(app, 1)).toEqual(['2026-06-01T10:30']);
    const changed = {
      schedules: [
        { name: 'a', cron: '40 10 * * *' },
        { name: 'b', cron: '0 11 * * *', body: 1 },
      ],
    };
    expect((await edit(changed)).body.schedules[0]).toMatchObject({
      next_at: '2026-06-02T10:40:00.000Z',
      last_at: '2026-06-01T10:30:00.000Z',
    });
    setTo('2026-06-01T11:05:00Z');
    expect(await startedTimes(app, 2)).toEqual(['2026-06-01T10:30', '2026-06-01T11:00']);
    expect((await edit({ schedules: null })).body.schedules).toBeUndefined();
    setTo('2026-06-03T11:05:00Z');
    await app.close();
    expect(await scheduledTimes(await start())).toHaveLength(2);
  });
});

test('a time that the server cannot start waits until it can', async () => {
  const { start, setTo } = clockedServer('2026-06-01T10:58:30Z');
  const first = await start({ settings: { min_free_disk: '1000000GB', drain_seconds: '0' } });
  await first.sink({ path: '/s', schedules: [{ name: 's', cron: '0 11 * * *', catch_up: 'all' }] });
  setTo('2026-06-01T10:59:59.900Z');
  await until('the refusal', () => first.logs.find((line) => line.includes('a scheduled time could not be handled; trying again')));
  expect(await scheduledTimes(first)).toEqual([]);
  await first.close();
  setTo('2026-06-01T11:30:00Z');
  expect(await startedTimes(await start(), 1)).toEqual(['2026-06-01T11:00']);
});

test('a sink that refuses what its schedule sends records a rejection for each time, and goes on', async () => {
  const { start, setBy } = clockedServer('2026-06-01T10:58:30Z');
  const app = await start();
  await app.workflow('strict', { inputs: [{ type: 'WorkflowParameter', name: 'kind' }], steps: [] });
  await app.sink({ path: '/s', workflow_id: 'strict', schedules: [{ name: 's', cron: '* * * * *' }] });
  setBy(MINUTE);
  const rejected = (count: number) =>
    until(`${count} refusals`, async () => {
      const [entry] = (await app.admin('GET', '/rejections')).body.rejections;
      return entry?.count === count ? entry : null;
    });
  expect(await rejected(1)).toMatchObject({ status: 422, message: expect.stringMatching(/^schedule "s": .*kind/) });
  setBy(MINUTE);
  expect(await rejected(2)).toMatchObject({ method: 'POST', path: '/shop/s' });
  expect((await app.admin('GET', '/rejections')).body.rejections).toHaveLength(1);
});
