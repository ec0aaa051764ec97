// The memory budget: room that is taken and given back, a line for those who can wait, and who is cut off for others.

import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { createMemoryBudget, describeMemory, type Holder, MemoryAccount } from '../src/memory-budget.ts';

const openAccount = (limit = 100): MemoryAccount => new MemoryAccount('answers', limit);

/** A holder whose caller has stood still for so long. */
function holderIn(account: MemoryAccount, bytes: number, ms: number): Holder & { isCut: boolean } {
  expect(account.take(bytes)).toBe(true);
  const holder = {
    isCut: false,
    stalledMs: () => ms,
    cut() {
      holder.isCut = true;
      account.give(bytes);
    },
  };
  account.addHolder(holder);
  return holder;
}

describe('an account', () => {
  test('is taken from until it is full, and again once something is given back', () => {
    const account = openAccount();
    expect([account.take(60), account.take(40), account.take(1)]).toEqual([true, true, false]);
    expect(() => account.takeOrRefuse(1)).toThrow(expect.objectContaining({ code: 'unavailable', retryAfterSeconds: 1 }));
    account.give(60);
    expect(account.room).toBe(60);
    account.takeOrRefuse(60);
    expect(describeMemory({ ...createMemoryBudget(800), answers: account })['answers']).toEqual({ used: 100, peak: 100, limit: 100 });
  });

  test('gives more than all that it has to one who is alone, and to nobody beside', () => {
    const account = openAccount();
    expect(account.take(500)).toBe(true);
    expect(account.take(1)).toBe(false);
    account.give(500);
    expect(account.take(1)).toBe(true);
    expect(account.take(500)).toBe(false);
  });

  test('serves its line in order, as soon as there is room', async () => {
    const account = openAccount();
    account.takeOrRefuse(100);
    const served: string[] = [];
    const first = account.takeInTurn(80, 5000).then(() => served.push('first'));
    const second = account.takeInTurn(10, 5000).then(() => served.push('second'));
    account.give(50);
    await sleep(1);
    expect(served).toEqual([]);
    account.give(50);
    await Promise.all([first, second]);
    expect(served).toEqual(['first', 'second']);
    expect(account.used).toBe(90);
  });

  test('refuses whoever has waited too long, and keeps nothing for him', async () => {
    const account = openAccount();
    account.takeOrRefuse(100);
    await expect(account.takeInTurn(10, 5)).rejects.toMatchObject({ code: 'unavailable' });
    account.give(100);
    expect(account.used).toBe(0);
  });
});

describe('where there is no room', () => {
  test('whoever has stood still the longest is cut off, and no more than needed', () => {
    const account = openAccount();
    const [slow, stuck, longStuck] = [holderIn(account, 30, 900), holderIn(account, 30, 2000), holderIn(account, 40, 3000)];
    expect(account.take(35)).toBe(true);
    expect([slow.isCut, stuck.isCut, longStuck.isCut]).toEqual([false, false, true]);
    expect(account.take(30)).toBe(true);
    expect([slow.isCut, stuck.isCut]).toEqual([false, true]);
    expect(account.take(30)).toBe(false);
    expect(slow.isCut).toBe(false);
  });

  test('a holder that has gone is not cut off', () => {
    const account = openAccount();
    const stuck = holderIn(account, 100, 5000);
    account.removeHolder(stuck);
    expect(account.take(1)).toBe(false);
    expect(stuck.isCut).toBe(false);
  });

  test('who waits in line is served by one that becomes stuck meanwhile', async () => {
    const account = openAccount();
    let ms = 0;
    const holder = { stalledMs: () => ms, cut: () => account.give(100) };
    account.takeOrRefuse(100);
    account.addHolder(holder);
    const waiting = account.takeInTurn(50, 5000);
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
