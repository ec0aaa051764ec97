// The schedules of a sink as settings: what is refused and with which words, and the same in the API, in edits and in files.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { adminOf, sluice } from '../support/run-cli.ts';
import { shareApp } from '../support/shared-app.ts';
import { tempDir } from '../support/temp-dir.ts';

const app = shareApp();
const HOURLY = { name: 'a', cron: '0 * * * *' };

async function create(fields: object): Promise<{ status: number; body: any }> {
  return await app().admin('POST', '/apps/shop/sinks', { path: '/refused', method: 'POST', ...fields });
}

describe('schedules that are refused', () => {
  const many = Array.from({ length: 9 }, (_, index) => ({ ...HOURLY, name: `n${index}` }));
  test.each<[string, unknown, RegExp]>([
    ['no list', HOURLY, /schedules: must be array/],
    ['a text', '0 * * * *', /schedules: must be array/],
    ['an item that is no object', ['0 * * * *'], /schedules\[0\]: must be object/],
    ['more than eight', many, /schedules: must NOT have more than 8 items/],
    ['no name', [{ cron: '0 * * * *' }], /schedules\[0\]: field "name" is missing/],
    ['no cron', [{ name: 'a' }], /schedules\[0\]: field "cron" is missing/],
    ['a name with a space', [{ ...HOURLY, name: 'a b' }], /schedules\[0\]\.name: must be 1 to 64 letters/],
    ['a name that is too long', [{ ...HOURLY, name: 'a'.repeat(65) }], /schedules\[0\]\.name: must be 1 to 64 letters/],
    ['a name with a line break', [{ ...HOURLY, name: 'a\n' }], /schedules\[0\]\.name: must be 1 to 64 letters/],
    ['a name twice', [HOURLY, HOURLY], /schedules\[1\]\.name: "a" is already the name of schedules\[0\]/],
    ['an unknown field', [{ ...HOURLY, timezone: 'UTC' }], /schedules\[0\]: unknown field "timezone"; did you mean "time_zone"/],
    [
      'a cron with seconds',
      [{ name: 'a', cron: '0 0 * * * *' }],
      /schedules\[0\]\.cron: has 6 fields: seconds and years are not supported; write five/,
    ],
    ['a cron that is a number', [{ name: 'a', cron: 5 }], /schedules\[0\]\.cron: must be string/],
    ['a cron that never comes', [{ name: 'a', cron: '0 0 30 2 *' }], /schedules\[0\]\.cron: "0 0 30 2 \*" never comes/],
    ['a cron with an hour too many', [{ name: 'a', cron: '0 24 * * *' }], /schedules\[0\]\.cron: "24" is not valid as hour: write 0 to 23/],
    ['an unknown zone', [{ ...HOURLY, time_zone: 'Europe/Berln' }], /schedules\[0\]\.time_zone: .*did you mean "Europe\/Berlin"/],
    [
      'an offset for a zone',
      [{ ...HOURLY, time_zone: '+02:00' }],
      /schedules\[0\]\.time_zone: "\+02:00" is not a time zone; write an IANA name/,
    ],
    [
      'an unknown rule',
      [{ ...HOURLY, catch_up: 'lst' }],
      /schedules\[0\]\.catch_up: must be one of "skip", "last", "all"; did you mean "last"/,
    ],
    ['a large body', [{ ...HOURLY, body: 'x'.repeat(70_000) }], /schedules\[0\]\.body: has 70002 bytes as JSON; at most 65536/],
  ])('%s', async (_what, schedules, message) => {
    const { status, body } = await create({ schedules });
    expect([status, body.error.code]).toEqual([400, 'invalid']);
    expect(body.error.message).toMatch(message);
  });

  test.each([
    ['path parameters', { path: '/:id' }, /schedules: cannot stand beside a path with parameters/],
    ['a wildcard', { path: '/files/*' }, /schedules: cannot stand beside a path with parameters or "\*"/],
    ['payload', { payload: 'v7' }, /schedules: cannot stand beside payload/],
    ['split', { split: '$request.body.events', response: 'accept' }, /schedules: cannot stand beside split/],
  ])('beside %s', async (_what, fields, message) => {
    const { status, body } = await create({ ...fields, schedules: [HOURLY] });
    expect(status).toBe(400);
    expect(body.error.message).toMatch(message);
  });

  test('in a file, by its line, and by the server that gets it', async () => {
    const path = join(tempDir(), 'bad.yaml');
    writeFileSync(
      path,
      'sinks:\n  - app_id: shop\n    path: /a\n    method: POST\n    schedules:\n      - { name: a, cron: "0 0 * * * *" }\n',
    );
    for (const verb of ['validate', 'diff', 'apply']) {
      const { code, stderr } = await sluice([verb, path], { environment: adminOf(app()) });
      expect([code, stderr]).toEqual([1, expect.stringContaining('sinks[0].schedules[0].cron: has 6 fields: seconds and years are not')]);
    }
  });

  test('by a selector that no schedule has', async () => {
    const { body } = await create({ inputs: { x: '$request.schedule.nam' } });
    expect(body.error.message).toContain('$request.schedule has no "nam"; known are name, at');
  });
});

test('schedules are written once: by the API, in an export, in a diff, and in an answer that is sent back', async () => {
  const schedules = [
    { name: 'nightly', cron: '30 2 * * *', time_zone: 'Europe/Berlin', catch_up: 'all', body: { kinds: ['a'], deep: { n: 1.5 } } },
    { name: 'hourly', cron: '@hourly' },
  ];
  const made = await app().sink({
    path: '/kept',
    schedules: schedules.map((schedule) => ({ catch_up: 'last', time_zone: 'UTC', ...schedule })),
  });
  const withoutTimes = (sink: any) => sink.schedules.map(({ next_at: _next, last_at: _last, ...rest }: any) => rest);
  expect(withoutTimes(made)).toEqual(schedules);
  for (const { next_at: next, last_at: last } of made.schedules) expect([Date.parse(next) > Date.now(), last]).toEqual([true, null]);
  const { body: document } = await app().admin('GET', '/definitions');
  expect(document.sinks.find(({ path }: any) => path === '/kept').schedules).toEqual(schedules);
  const place = `/apps/shop/sinks/${made.id}`;
  expect(withoutTimes((await app().admin('PUT', place, made)).body)).toEqual(schedules);
  expect(withoutTimes((await app().admin('PATCH', place, { schedules: made.schedules })).body)).toEqual(schedules);
  expect((await app().admin('POST', '/definitions/apply', document)).status).toBe(200);
  expect((await app().admin('POST', '/definitions/diff', document)).body.changes).toEqual([]);
  const changed = { ...document, sinks: document.sinks.map((sink: any) => ({ ...sink, schedules: [HOURLY] })) };
  expect((await app().admin('POST', '/definitions/diff', changed)).body.changes).toEqual([
    { action: 'update', kind: 'sink', name: 'shop POST /kept' },
  ]);
});

test('schedules are listed by the CLI and by the API, those that come next first', async () => {
  await app().sink(
    {
      path: '/a',
      schedules: [
        { name: 'yearly', cron: '@yearly' },
        { name: 'minutely', cron: '* * * * *', time_zone: 'Asia/Kolkata' },
      ],
    },
    'listed',
  );
  const { stdout } = await sluice(['sink', 'schedules', '--app', 'listed'], { environment: adminOf(app()) });
  expect(stdout.replaceAll(/\d{4}-\S+Z/g, 'T').replaceAll(/ +/g, ' ')).toBe(
    'SCHEDULE APP PATH CRON TIME ZONE NEXT LAST\nminutely listed /a * * * * * Asia/Kolkata T -\nyearly listed /a @yearly UTC T -\n',
  );
  const { body } = await app().admin('GET', '/schedules?app_id=listed&limit=1');
  expect(body).toMatchObject({ total: 2, schedules: [{ app_id: 'listed', path: '/a', name: 'minutely' }] });
  for (const limit of ['0', '501', 'x']) expect((await app().admin('GET', `/schedules?limit=${limit}`)).status).toBe(400);
  expect((await sluice(['sink', 'schedules', '--app', 'nobody'], { environment: adminOf(app()) })).stderr).toBe('no schedules\n');
});
