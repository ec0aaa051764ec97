// Process entry of the anchor of deliveries: an undici Pool that posts the same body again and again, over so many
// connections. Nothing is kept, signed or looked at but the status.

import { setTimeout as sleep } from 'node:timers/promises';
import { Pool } from 'undici';
import { answerQuestions } from '../helper-process.ts';
import { requestBody } from '../workload.ts';

export interface PoolOrder {
  port: number;
  connections: number;
  seconds: number;
}

answerQuestions<PoolOrder, { completed: number }>(async ({ port, connections, seconds }) => {
  const pool = new Pool(`http://127.0.0.1:${port}`, { connections });
  const request = { path: '/hook', method: 'POST', headers: { 'content-type': 'application/json' }, body: requestBody() } as const;
  let completed = 0;
  let isStopping = false;

  async function post(): Promise<void> {
    while (!isStopping) {
      const { statusCode, body } = await pool.request(request);
      await body.dump();
      if (statusCode !== 200) throw new Error(`the receiver answered ${statusCode}`);
      completed += 1;
    }
  }

  async function stop(): Promise<void> {
    await sleep(seconds * 1000);
    isStopping = true;
  }

  await Promise.all([stop(), ...Array.from({ length: connections }, post)]);
  await pool.close();
  return { completed };
});
