// A fresh clone with a running server, as the documents assume: `data` beside `config`, and the `sluice` command on the
// path. Runs the shell blocks of one document in one shell, as a reader pastes them.

import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import type { onTestEnd } from '../support/cleanup.ts';
import { startTestApp, type TestApp } from '../support/start-app.ts';
import { tempDir } from '../support/temp-dir.ts';
import { type Block, ROOT } from './markdown.ts';

export interface Clone {
  folder: string;
  app: TestApp;
  /** A free port that replaces 9658, the port of `sluice listen`. */
  listenPort: number;
}

/** Variables of the server's environment, by name. Workflows may use all of them as secrets. */
export type CloneEnvironment = Readonly<Record<string, string>>;

/** `files` are written before the server starts, by path in the clone. */
export async function startClone(
  files: ReadonlyMap<string, string>,
  onEnd: typeof onTestEnd,
  environment: CloneEnvironment = {},
): Promise<Clone> {
  const folder = tempDir(onEnd);
  for (const name of readdirSync(ROOT)) if (!['config', 'data', '.git'].includes(name)) symlinkSync(join(ROOT, name), join(folder, name));
  cpSync(join(ROOT, 'config'), join(folder, 'config'), { recursive: true });
  const listenPort = await findFreePort();
  for (const [path, text] of files) writeFileSync(join(folder, path), `${text.replaceAll('localhost:9658', `localhost:${listenPort}`)}\n`);
  mkdirSync(join(folder, 'bin'));
  symlinkSync(join(ROOT, 'scripts/sluice.mjs'), join(folder, 'bin/sluice'));
  writeFileSync(join(folder, '.curlrc'), 'silent\nshow-error\n');
  const port = String(await findFreePort());
  const settings = { admin_token: '', outbound_allow: '127.0.0.0/8', secrets_allow: Object.keys(environment).join(','), port };
  const configPath = join(folder, 'config');
  const paths = { dataDir: join(folder, 'data'), configPath, demoPath: join(configPath, 'demo') };
  const app = await startTestApp({ ...paths, settings, environment: atPort(environment, port), onEnd });
  return { folder, app, listenPort };
}

/** The port of the server replaces 9657 in addresses. */
function atPort(environment: CloneEnvironment, port: string): CloneEnvironment {
  return Object.fromEntries(
    Object.entries(environment).map(([name, value]) => [name, value.replaceAll('localhost:9657', `localhost:${port}`)]),
  );
}

async function findFreePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

export interface Ran {
  stdout: string;
  stderr: string;
}

/**
 * Rejects with its output at the first block that does not end with its exit code (`exit=1`, else 0). `printed` is a
 * folder for the output of each block.
 */
export async function runBlocks({ folder, app, listenPort }: Clone, blocks: readonly Block[], printed: string): Promise<Ran[]> {
  const address = new URL(app.url).host;
  const script = blocks.map(({ text, options }, index) => {
    const expected = options.get('exit') ?? '0';
    const commands = text
      .replaceAll(/(?:localhost|127\.0\.0\.1):9657/g, address)
      .replaceAll('localhost:9658', `localhost:${listenPort}`)
      .replaceAll('--forward 9658', `--forward ${listenPort}`)
      .replaceAll(/sluice listen(?! --from)/g, `sluice listen --port ${listenPort}`);
    const checked = expected === '0' ? commands : `code=0; (\n${commands}\n) || code=$?; [ "$code" = ${expected} ]`;
    return `exec >"${printed}/${index}.out" 2>"${printed}/${index}.err"\n${checked}`;
  });
  const env = { PATH: `${join(folder, 'bin')}:${process.env['PATH']}`, HOME: folder, CURL_HOME: folder, SLUICE_URL: app.url };
  const code = await new Promise<number>((resolve) => {
    const options = { cwd: folder, env, timeout: 150_000 };
    const child = execFile('bash', ['-c', `set -euo pipefail\n${script.join('\n')}`], options, () => resolve(child.exitCode ?? -1));
  });
  const ran = blocks
    .map((_block, index) => ['out', 'err'].map((stream) => join(printed, `${index}.${stream}`)) as [string, string])
    .filter(([out]) => existsSync(out))
    .map(([out, err]) => ({ stdout: readFileSync(out, 'utf8'), stderr: readFileSync(err, 'utf8') }));
  if (code === 0) return ran;
  const last = ran.at(-1);
  throw new Error(`line ${blocks[ran.length - 1]?.line}: the block ended with ${code}: ${last?.stdout}${last?.stderr}`);
}
