// The image, as far as it can be checked without an engine: the files that the Dockerfile copies exist and reach the
// engine, and they suffice to run the server as the Dockerfile does.

import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { settings, variableOf } from '../../src/config/config.ts';
import { onTestEnd } from '../support/cleanup.ts';
import { makeEmittedCopy } from '../support/emitted-copy.ts';
import { tempDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';
import { ROOT } from './markdown.ts';

interface Instruction {
  name: string;
  text: string;
}

const instructions: readonly Instruction[] = readFileSync(join(ROOT, 'Dockerfile'), 'utf8')
  .replaceAll(/^#.*\n/gm, '')
  .replaceAll(/\\\n\s*/g, '')
  .split('\n')
  .filter((line) => line !== '')
  .map((line) => ({ name: line.slice(0, line.indexOf(' ')), text: line.slice(line.indexOf(' ') + 1) }));
const lastStage = instructions.slice(instructions.findLastIndex(({ name }) => name === 'FROM'));

const textsOf = (name: string, list = lastStage): string[] => list.filter((item) => item.name === name).map(({ text }) => text);

/** The COPY instructions from the build context, as [sources, target]. */
function copies(list: readonly Instruction[]): [sources: string[], target: string][] {
  return textsOf('COPY', [...list])
    .filter((text) => !text.startsWith('--from'))
    .map((text) => [text.split(' ').slice(0, -1), text.split(' ').at(-1) as string]);
}

function variables(): Record<string, string> {
  const pairs = textsOf('ENV').flatMap((text) => text.split(' ').map((pair) => pair.split('=') as [string, string]));
  return Object.fromEntries(pairs);
}

test('every file that the image copies exists, and .dockerignore lets it through', () => {
  const [everything, ...exceptions] = readFileSync(join(ROOT, '.dockerignore'), 'utf8')
    .trim()
    .replaceAll(/^#.*\n/gm, '')
    .split('\n');
  expect(everything).toBe('*');
  const sources = copies(instructions).flatMap(([names]) => names);
  expect(sources.filter((name) => !existsSync(join(ROOT, name)))).toEqual([]);
  expect([...new Set(sources)].sort()).toEqual(exceptions.map((line) => line.replace('!', '')).sort());
});

test('the image runs as an unprivileged user, keeps its data in the volume, and receives signals itself', () => {
  expect(textsOf('USER')).toEqual(['node']);
  expect(textsOf('VOLUME')).toEqual([variables()['SLUICE_DATA_DIR']]);
  expect(textsOf('CMD').map((text) => JSON.parse(text))).toEqual([['node', 'scripts/sluice.mjs', 'serve']]);
  expect(JSON.parse(/CMD (.*)$/.exec(textsOf('HEALTHCHECK')[0] ?? '')?.[1] ?? '')).toEqual(serveWith('healthcheck'));
  expect(textsOf('RUN', [...instructions]).filter((text) => /^n(?:pm|ode)\b/.test(text))).toEqual([
    'npm ci --ignore-scripts && npm rebuild better-sqlite3',
    'node scripts/emit.mjs && npm prune --omit=dev',
  ]);
});

test('the settings of the image are settings of the server, and its port is exposed', () => {
  const known = new Set([...settings.map(variableOf), 'NODE_ENV']);
  expect(Object.keys(variables()).filter((name) => !known.has(name))).toEqual([]);
  expect(textsOf('EXPOSE')).toEqual([settings.find(({ key }) => key === 'port')?.fallback]);
});

test('the contents of the image suffice: it starts without definitions, is healthy, serves mounted ones, and stops with 0', {
  timeout: 90_000,
}, async () => {
  const image = stageImage();
  const environment = { PATH: process.env['PATH'], HOME: image, ...variables(), SLUICE_DATA_DIR: join(image, 'volume') };
  const [node = '', ...serve] = serveWith('serve');
  const server = spawn(node, [...serve, '--host', '127.0.0.1', '--port', '0', '--min-free-disk', '0B'], { cwd: image, env: environment });
  const exited = once(server, 'exit');
  onTestEnd(async () => {
    server.kill('SIGKILL');
    await exited;
  });
  let printed = '';
  for (const stream of [server.stdout, server.stderr]) stream.on('data', (chunk: Buffer) => (printed += chunk.toString()));
  const url = await until('the server in the image', () => /listens on (\S+)/.exec(printed)?.[1] ?? failIfEnded(), 60_000);

  const sinks = async (): Promise<string> => {
    const headers = { authorization: `Bearer ${readFileSync(join(image, 'volume/admin-token'), 'utf8').trim()}` };
    return await (await fetch(`${url}/api/v1/sinks`, { headers })).text();
  };
  expect(await sinks()).toBe('{"sinks":[]}');
  expect(existsSync(join(image, 'config'))).toBe(false);
  expect(printed).toContain('No public sink yet');
  mkdirSync(join(image, 'config'));
  writeFileSync(join(image, 'config/own.yaml'), 'sinks: [{ app_id: own, path: /x, method: POST }]\n');
  await until('what is mounted', async () => (await sinks()).includes('"app_id":"own"'), 30_000);

  const healthcheck = { cwd: image, env: { ...environment, SLUICE_PORT: new URL(url).port } };
  expect((await promisify(execFile)(node, serveWith('healthcheck').slice(1), healthcheck)).stdout).toBe('ok\n');
  server.kill('SIGTERM');
  expect(await exited).toEqual([0, null]);

  function failIfEnded(): null {
    if (server.exitCode !== null) throw new Error(printed);
    return null;
  }
});

const serveWith = (verb: string): string[] => ['node', 'scripts/sluice.mjs', verb];

/** Creates a folder with the contents of the image: the copied files, dist, and the production part of node_modules. */
function stageImage(): string {
  const [image, build] = [tempDir(), tempDir()];
  makeEmittedCopy(build);
  expect(textsOf('COPY')).toContain('--from=build /app/dist dist');
  cpSync(join(build, 'dist'), join(image, 'dist'), { recursive: true });
  for (const [sources, target] of copies(lastStage)) {
    for (const source of sources) {
      const path = join(image, target.endsWith('/') ? join(target, basename(source)) : target);
      mkdirSync(dirname(path), { recursive: true });
      cpSync(join(ROOT, source), path, { recursive: true });
    }
  }
  const lock = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as { packages: Record<string, { dev?: boolean }> };
  for (const [path, { dev }] of Object.entries(lock.packages)) {
    if (dev === true || !/^node_modules\/(?:@[^/]+\/)?[^/]+$/.test(path) || !existsSync(join(ROOT, path))) continue;
    mkdirSync(dirname(join(image, path)), { recursive: true });
    symlinkSync(join(ROOT, path), join(image, path));
  }
  return image;
}
