// The body of a stored request, byte for byte.

import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { shareApp } from '../support/shared-app.ts';
import { ADMIN_TOKEN } from '../support/start-app.ts';

const admin = { authorization: `Bearer ${ADMIN_TOKEN}` };
const app = shareApp({}, async (shared) => {
  await shared.sink({ path: '/in', method: 'POST', response: 'accept' });
});

async function post(request: RequestInit): Promise<string> {
  const response = await fetch(`${app().url}/shop/in`, { method: 'POST', ...request });
  expect(response.status).toBe(202);
  return response.headers.get('x-run-id') as string;
}

const bodyOf = (runId: string, headers: Record<string, string> = admin): Promise<Response> =>
  fetch(`${app().url}/api/v1/runs/${runId}/body`, { headers });

describe('the body of a request', () => {
  test.each<[string, string, Uint8Array]>([
    ['JSON', 'application/json', Buffer.from('{ "n" : 1.0 }')],
    ['HTML', 'text/html', Buffer.from('<script>alert(1)</script>')],
    ['a file', 'image/png', randomBytes(300_000)],
    ['large JSON', 'application/json', Buffer.from(`["${'ü'.repeat(1_000_000)}"]`)],
    ['nothing', 'application/json', Buffer.alloc(0)],
  ])('that is %s comes as it was sent, and as nothing that a browser shows', async (_what, type, bytes) => {
    const response = await bodyOf(await post({ body: new Uint8Array(bytes), headers: { 'content-type': type } }));
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('application/octet-stream');
    expect(response.headers.get('x-content-type-options')).toBe('nosniff');
    expect(Buffer.from(await response.arrayBuffer()).equals(Buffer.from(bytes))).toBe(true);
  });

  test('that is a multipart form is written again', async () => {
    const form = new FormData();
    form.append('a', '1');
    form.append('a', 'zwei ü');
    form.append('f', new Blob([Uint8Array.of(0, 255)]), 'f.bin');
    const response = await bodyOf(await post({ body: form }));
    const again = await response.formData();
    expect(again.getAll('a')).toEqual(['1', 'zwei ü']);
    expect(again.get('f')).toMatchObject({ name: 'f.bin', size: 2 });
  });

  test('needs the admin token and a stored run', async () => {
    const runId = await post({ body: 'x', headers: { 'content-type': 'text/plain' } });
    expect((await bodyOf(runId, {})).status).toBe(401);
    expect((await bodyOf('run_00000000000rehearsal00000000000')).status).toBe(404);
    expect((await bodyOf('nothing')).status).toBe(404);
  });
});
