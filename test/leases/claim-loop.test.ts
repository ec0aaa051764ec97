// The loop that claims due work: when it claims, what it does after a failure, and that leases in hand are renewed.

import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { ClaimLoop } from '../../src/leases/claim-loop.ts';
import { waitAtMost } from '../../src/leases/wait-at-most.ts';

const NEVER = Number.POSITIVE_INFINITY;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A loop whose work notes what it was asked for; each claim answers with the next of `answers`. */
function startLoop(...answers: (number | Error | Promise<number>)[]) {
  const asked: string[] = [];
  const lines: string[] = [];
  const state = { skippedMs: 0 };
  const work = {
    name: 'runs',
    async claim() {
      asked.push('claim');
      const answer = answers.shift() ?? NEVER;
      if (answer instanceof Error) throw answer;
      return await answer;
    },
    async renew() {
      asked.push('renew');
    },
  };
  const logger = pino({ level: 'warn' }, { write: (line: string) => void lines.push(line) });
  const loop = new ClaimLoop(work, { clock: () => Date.now() + state.skippedMs, isAlone: true, logger });
  return { loop, work, asked, lines, state };
}

describe('a loop', () => {
  test('claims when work is due, and again when the claim says so', async () => {
    const { loop, asked } = startLoop(Date.now() + 800, NEVER);
    loop.scheduleAt(Date.now() + 300);
    await vi.advanceTimersByTimeAsync(299);
    expect(asked).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(asked).toEqual(['claim']);
    await vi.advanceTimersByTimeAsync(500);
    expect(asked).toEqual(['claim', 'claim']);
    loop.stop();
  });

  test('claims once more where work became due during a claim, and never twice at a time', async () => {
    let endClaim: (at: number) => void = () => undefined;
    const claim = new Promise<number>((resolve) => {
      endClaim = resolve;
    });
    const { loop, asked } = startLoop(claim);
    const first = loop.claimNow();
    await loop.claimNow();
    await loop.claimNow();
    expect(asked).toEqual(['claim']);
    endClaim(NEVER);
    await first;
    expect(asked).toEqual(['claim', 'claim']);
    loop.stop();
  });

  test('that could not claim says so, and tries again', async () => {
    const { loop, asked, lines } = startLoop(new Error('the database is locked'));
    await loop.claimNow();
    expect(lines.join()).toContain('due runs could not be claimed; trying again');
    await vi.advanceTimersByTimeAsync(500);
    expect(asked).toEqual(['claim', 'claim']);
    loop.stop();
  });

  test('renews what is in hand, by itself and before a claim after the machine slept', async () => {
    const { loop, asked, state } = startLoop();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(asked).toEqual(['renew', 'renew']);
    state.skippedMs = 60_000;
    await loop.claimNow();
    expect(asked.slice(2)).toEqual(['renew', 'claim']);
    loop.stop();
  });

  test('that could not renew says so, and renews before its next claim', async () => {
    const { loop, work, asked, lines, state } = startLoop();
    vi.spyOn(work, 'renew').mockRejectedValueOnce(new Error('the disk is full'));
    await vi.advanceTimersByTimeAsync(5000);
    expect(lines.join()).toContain('the leases of runs could not be renewed; trying again');
    state.skippedMs = 6000;
    await loop.claimNow();
    expect(asked).toEqual(['renew', 'claim']);
    loop.stop();
  });

  test('that is stopped claims and renews no more', async () => {
    const { loop, asked } = startLoop();
    loop.scheduleAt(Date.now() + 10);
    loop.stop();
    loop.scheduleAt(Date.now() + 20);
    await loop.claimNow();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(asked).toEqual([]);
  });
});

describe('waiting at most so long', () => {
  test('ends with the work, or when the time is up', async () => {
    await waitAtMost(1000, Promise.resolve());
    expect(vi.getTimerCount()).toBe(0);
    const late = waitAtMost(1000, new Promise(() => undefined));
    await vi.advanceTimersByTimeAsync(1000);
    await late;
  });

  test('rejects as the work does', async () => {
    await expect(waitAtMost(1000, Promise.reject(new Error('broken')))).rejects.toThrow('broken');
    expect(vi.getTimerCount()).toBe(0);
  });
});
