// A stream that a restart cuts goes on where it was: Last-Event-ID gives exactly the rest.

import { expect, test } from 'vitest';
import { allFrames, type Frame, readFrames } from '../support/event-stream.ts';
import { startServerProcess } from '../support/server-process.ts';
import { tempDir } from '../support/temp-dir.ts';
import { defineWorkload } from './workload.ts';

/** None where the answer is 204: nothing follows the end of a run. */
async function events(url: string, runId: string, after: number): Promise<Frame[]> {
  const response = await fetch(`${url}/runs/${runId}/events`, { headers: { 'last-event-id': String(after) } });
  return response.status === 204 ? [] : await allFrames(response);
}

const textsOf = (frames: Frame[]): string[] => frames.map(({ id, text }) => `${id} ${text}`);

test.each(['SIGKILL', 'SIGTERM'] as const)(
  'a stream that %s cuts yields exactly the rest after the restart',
  { timeout: 60_000 },
  async (signal) => {
    const dataDir = tempDir();
    const first = await startServerProcess({ dataDir });
    await defineWorkload(first);
    const cut = await fetch(`${first.url}/crash/delay`, {
      method: 'POST',
      body: '{"id":7}',
      headers: { 'content-type': 'application/json' },
    });
    const runId = cut.headers.get('x-run-id') as string;
    const seen: Frame[] = [];
    try {
      for await (const frame of readFrames(cut)) if (seen.push(frame) === 3) first.kill(signal);
    } catch {
      // A killed server ends the stream in the middle.
    }
    await first.exited;
    expect(seen.length).toBeGreaterThanOrEqual(3);
    expect(seen.some(({ data }) => data.type === 'complete')).toBe(false);

    const second = await startServerProcess({ dataDir });
    const rest = await events(second.url, runId, seen.at(-1)?.id ?? 0);
    const whole = await events(second.url, runId, 0);
    expect(textsOf([...seen, ...rest])).toEqual(textsOf(whole));
    expect(whole.map(({ id }) => id)).toEqual(whole.map((_, index) => index + 1));
    expect(whole.at(-1)?.data.type).toBe('complete');
    for (const { id } of whole) expect(textsOf(await events(second.url, runId, id))).toEqual(textsOf(whole.slice(id)));
  },
);
