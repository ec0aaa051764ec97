// The memory budget: room that is taken and given back, a line for those who can wait, and who is cut off for others.

import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { createMemoryBudget, describeMemory, type Holder, MemoryAccount } from '../src/memory-budget.ts';

const openAccount = (limit = 100): MemoryAccount => new MemoryAccount('answers', limit);

/** A holder whose caller has stood still for so long. */
function holderIn(account: MemoryAccount, bytes: number, ms: number): Holder & { isAborted: boolean } {
  expect(account.tryReserve(bytes)).toBe(true);
  const holder = {
    isAborted: false,
    stalledMs: () => ms,
    abort() {
      holder.isAborted = true;
      account.release(bytes);
    },
  };
  account.addHolder(holder);
  return holder;
}

describe('an account', () => {
  test('is taken from until it is full, and again once something is given back', () => {
    const account = openAccount();
    expect([account.tryReserve(60), account.tryReserve(40), account.tryReserve(1)]).toEqual([true, true, false]);
    expect(() => account.reserve(1)).toThrow(expect.objectContaining({ code: 'unavailable', retryAfterSeconds: 1 }));
    account.release(60);
    expect(account.available).toBe(60);
    account.reserve(60);
    expect(describeMemory({ ...createMemoryBudget(800), answers: account })['answers']).toEqual({ used: 100, peak: 100, limit: 100 });
  });

  test('gives more than all that it has to one who is alone, and to nobody beside', () => {
    const account = openAccount();
    expect(account.tryReserve(500)).toBe(true);
    expect(account.tryReserve(1)).toBe(false);
    account.release(500);
    expect(account.tryReserve(1)).toBe(true);
    expect(account.tryReserve(500)).toBe(false);
  });

  test('serves its line in order, as soon as there is room', async () => {
    const account = openAccount();
    account.reserve(100);
    const served: string[] = [];
    const first = account.reserveSerially(80, 5000).then(() => served.push('first'));
    const second = account.reserveSerially(10, 5000).then(() => served.push('second'));
    account.release(50);
    await sleep(1);
    expect(served).toEqual([]);
    account.release(50);
    await Promise.all([first, second]);
    expect(served).toEqual(['first', 'second']);
    expect(account.used).toBe(90);
  });

  test('refuses whoever has waited too long, and keeps nothing for him', async () => {
    const account = openAccount();
    account.reserve(100);
    await expect(account.reserveSerially(10, 5)).rejects.toMatchObject({ code: 'unavailable' });
    account.release(100);
    expect(account.used).toBe(0);
  });
});

describe('where there is no room', () => {
  test('whoever has stood still the longest is cut off, and no more than needed', () => {
    const account = openAccount();
    const [slow, stuck, longStuck] = [holderIn(account, 30, 900), holderIn(account, 30, 2000), holderIn(account, 40, 3000)];
    expect(account.tryReserve(35)).toBe(true);
    expect([slow.isAborted, stuck.isAborted, longStuck.isAborted]).toEqual([false, false, true]);
    expect(account.tryReserve(30)).toBe(true);
    expect([slow.isAborted, stuck.isAborted]).toEqual([false, true]);
    expect(account.tryReserve(30)).toBe(false);
    expect(slow.isAborted).toBe(false);
  });

  test('a holder that has gone is not cut off', () => {
    const account = openAccount();
    const stuck = holderIn(account, 100, 5000);
    account.removeHolder(stuck);
    expect(account.tryReserve(1)).toBe(false);
    expect(stuck.isAborted).toBe(false);
  });

  test('who waits in line is served by one that becomes stuck meanwhile', async () => {
    const account = openAccount();
    let ms = 0;
    const holder = { stalledMs: () => ms, abort: () => account.release(100) };
    account.reserve(100);
    account.addHolder(holder);
    const waiting = account.reserveSerially(50, 5000);
    ms = 2000;
    await waiting;
    expect(account.used).toBe(50);
  });
});

test('the accounts share the whole', () => {
  const limits = Object.values(createMemoryBudget(1000)).map(({ limit }) => limit);
  expect(limits.reduce((sum, limit) => sum + limit, 0)).toBeLessThanOrEqual(1000);
  expect(Math.min(...limits)).toBeGreaterThan(0);
});
