// Starts the emitted program once, so that the code that V8 compiles for a start and a run is kept in dist.

import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from './emitted.mjs';

const GIVE_UP_MS = 30_000;
const STEP = { type: 'sluice/set@v1', name: 's', values: {} };
const TOKEN = randomBytes(24).toString('hex');

/** Without the caches the program only starts slower, so that a failure is no more than a warning. */
export async function makeCodeCaches() {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-emit-'));
  try {
    await serveOnce(directory);
    await checkOnce(directory);
  } catch (error) {
    process.stderr.write(`sluice: no compiled code is kept in dist, so that each start compiles it: ${error.message}\n`);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Checks a definition, without a server. */
async function checkOnce(directory) {
  const path = join(directory, 'workflow.json');
  writeFileSync(path, JSON.stringify({ version: '1.0', inputs: [], steps: [STEP], outputs: [] }));
  await start(directory, ['workflow', 'test', path]).ended;
}

async function serveOnce(directory) {
  const server = start(directory, ['serve', '--data-dir', directory, '--port', '0', '--min-free-disk', '0B']);
  try {
    const url = await server.url;
    const command = (...words) => start(directory, [...words, '--url', url]).ended;
    await command('sink', 'create', '--app', 'a', '--path', '/b', '--method', 'POST');
    await command('send', 'a/b');
    await command('run', 'list');
  } finally {
    server.child.kill('SIGTERM');
  }
  await server.ended;
}

/** The settings of the machine, and the definition files of the folder, have no part in it. */
function start(directory, words) {
  const env = { PATH: process.env.PATH, SLUICE_ADMIN_TOKEN: TOKEN, SLUICE_TOKEN: TOKEN, MAKE_CODE_CACHE: 'yes' };
  const command = [join(ROOT, 'scripts/sluice.mjs'), ...words];
  const child = spawn(process.execPath, command, { cwd: directory, env, stdio: ['ignore', 'pipe', 'ignore'], timeout: GIVE_UP_MS });
  const ended = once(child, 'exit').then(([code]) => {
    if (code !== 0) throw new Error(`"sluice ${words[0]}" ended with ${code}`);
  });
  const url = new Promise((resolve, reject) => {
    let text = '';
    child.stdout.on('data', (chunk) => {
      text += chunk;
      const [, address] = /listens on (\S+)/.exec(text) ?? [];
      if (address !== undefined) resolve(address);
    });
    ended.then(() => reject(new Error(`"sluice ${words[0]}" ended before it listened`)), reject);
  });
  url.catch(() => undefined);
  return { child, url, ended };
}
