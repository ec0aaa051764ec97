// A server with one step type more than the shipped ones: it sends, so that the crash tests can count what arrives.
// Usage: node --import tsx test/crash/sending-server.ts <data directory> <receiver URL>

import { request as httpRequest } from 'node:http';
import { join } from 'node:path';
import { startApp } from '../../src/app.ts';
import { loadConfig } from '../../src/config.ts';
import type { Send } from '../../src/engine/worker.ts';
import { createLogger } from '../../src/logger.ts';
import type { OutboundResult, StepType } from '../../src/steps/step-type.ts';

const [dataDir = '', receiver = ''] = process.argv.slice(2);

const post: StepType<{ body?: unknown }> = {
  type: 'test/post@v1',
  properties: { body: {} },
  required: [],
  outputs: () => ['answer'],
  plan: ({ body = null }) => ({
    kind: 'send',
    request: { method: 'POST', url: receiver, headers: {}, body: Buffer.from(JSON.stringify(body)), timeoutMs: 5000 },
  }),
  interpret: (_manifest, result) =>
    result.kind === 'response' && result.status === 200
      ? { kind: 'completed', outputs: { answer: Buffer.from(result.body).toString() } }
      : { kind: 'failed', retryable: true, error: { code: 'not_delivered', message: result.kind } },
};

const send: Send = ({ method, url, body }, { idempotencyKey, signal }) =>
  new Promise<OutboundResult>((resolve) => {
    const outgoing = httpRequest(url, { method, signal, headers: { 'idempotency-key': idempotencyKey } }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', () => resolve({ kind: 'network', code: 'CUT' }));
      response.on('end', () => resolve({ kind: 'response', status: response.statusCode ?? 0, headers: {}, body: Buffer.concat(chunks) }));
    });
    outgoing.on('error', () => resolve({ kind: 'network', code: 'FAILED' }));
    outgoing.end(body);
  });

const app = await startApp({
  config: loadConfig({
    flags: { port: '0', data_dir: dataDir, config: join(dataDir, 'none'), admin_token: 'admin-token-of-the-tests', min_free_disk: '0B' },
    environment: {},
    file: {},
  }),
  environment: {},
  logger: createLogger('error').logger,
  version: 'test',
  onFatal: (error) => {
    throw error;
  },
  stepTypes: [post as StepType],
  send,
});
process.stdout.write(`Sluice listens on ${app.url}\n`);
process.once('SIGTERM', () => void app.close().then(() => process.exit(0)));
