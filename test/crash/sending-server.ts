// A server with one step type more than the shipped ones: it sends, so that the crash tests can count what arrives.
// Usage: node --import tsx test/crash/sending-server.ts <data directory> <receiver URL>

import { join } from 'node:path';
import { startApp } from '../../src/app.ts';
import { loadConfig } from '../../src/config/config.ts';
import { createLogger } from '../../src/logger.ts';
import type { StepType } from '../../src/steps/step-type.ts';
import { deliver } from '../support/deliver.ts';

const [dataDir = '', receiver = ''] = process.argv.slice(2);

const post: StepType<{ body?: unknown; retry?: unknown }> = {
  type: 'test/post@v1',
  properties: { body: {} },
  required: [],
  outputs: () => ['answer'],
  plan: ({ body = null, retry }) => deliver(receiver, Buffer.from(JSON.stringify(body)), retry),
  interpret: (_manifest, result) =>
    result.kind === 'response' && result.status === 200
      ? { kind: 'completed', outputs: { answer: Buffer.from(result.body).toString() } }
      : { kind: 'failed', retryable: true, error: { code: 'not_delivered', message: result.kind } },
};

const loaded = loadConfig({
  flags: {
    port: '0',
    data_dir: dataDir,
    admin_token: 'admin-token-of-the-tests',
    min_free_disk: '0B',
    outbound_allow: '127.0.0.0/8',
  },
  environment: {},
  file: {},
});

const app = await startApp({
  // Named as if nobody had: what is named must be there.
  config: { ...loaded, configPath: join(dataDir, 'none') },
  environment: {},
  logger: createLogger('error').logger,
  version: 'test',
  onFatal: (error) => {
    throw error;
  },
  stepTypes: [post as StepType],
});
process.stdout.write(`Sluice listens on ${app.url}\n`);
process.once('SIGTERM', () => void app.close().then(() => process.exit(0)));
