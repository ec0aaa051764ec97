// Sends hostile requests, and checks that no answer is a server error and that other clients are served promptly during
// and after the attack.

import { expect } from 'vitest';

const MOMENT_MS = 300;

/** Excludes time in which the machine did something else: the check looks for a server that is too busy. */
async function expectHealthy(url: string): Promise<void> {
  const started = performance.now();
  const cpu = process.cpuUsage();
  const response = await fetch(`${url}/healthz`);
  await response.text();
  expect(response.status).toBe(200);
  const elapsed = performance.now() - started;
  const { user, system } = process.cpuUsage(cpu);
  expect(Math.min(elapsed, (user + system) / 1000), 'ms until /healthz answered').toBeLessThan(MOMENT_MS);
}

export async function provoke<Answer extends { status: number }>(url: string, attack: () => Promise<Answer>): Promise<Answer> {
  const attacking = attack();
  await expectHealthy(url);
  const answer = await attacking;
  expect(answer.status, 'no input is the fault of the server').toBeLessThan(500);
  await expectHealthy(url);
  return answer;
}
