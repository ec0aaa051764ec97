// The shape of the source tree: who may import whom, what only one file may do, and how large a file may be.

import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readMigrations } from '../src/storage/migrations.ts';

const ROOT = resolve(import.meta.dirname, '..');
const SRC = join(ROOT, 'src');
const MAX_LINES = 280;
const MAX_FILES = 15;

interface Allowance {
  /** Parts of src whose values it may use. */
  uses?: readonly string[];
  /** Parts of src that it may know by their types alone. */
  knows?: readonly string[];
  /** Packages, and modules of Node with `node:` before them. */
  packages?: readonly string[];
}

/** From the ground up: each part may import what stands here, its own files, and nothing else. */
const MAY_IMPORT: Record<string, Allowance> = {
  'errors.ts': {},
  'clock.ts': { packages: ['node:os'] },
  'program-files.ts': { packages: ['node:fs', 'node:path'] },
  threads: {
    uses: ['program-files.ts'],
    packages: ['tsx/esm/api', 'node:fs', 'node:os', 'node:path', 'node:worker_threads'],
  },
  'memory-budget.ts': { uses: ['errors.ts'], packages: ['node:v8'] },
  'version.ts': { uses: ['program-files.ts'], packages: ['node:fs', 'node:path'] },
  'token.ts': { packages: ['node:crypto'] },
  'address-range.ts': { packages: ['node:net'] },
  'parse-url.ts': {},
  client: { uses: ['parse-url.ts'] },
  presets: {
    uses: ['parse-url.ts'],
    packages: ['jose/jwks/local', 'jose/jwt/verify', 'node:crypto', 'node:zlib'],
  },
  'sealer.ts': { packages: ['node:crypto'] },
  core: {
    uses: ['address-range.ts', 'errors.ts', 'parse-url.ts', 'presets'],
    packages: ['@exodus/bytes/encoding.js', 'ajv', 'croner', 'lossless-json', 'node:crypto', 'node:module', 're2js', 'secure-json-parse'],
  },
  config: { uses: ['address-range.ts', 'core', 'parse-url.ts'], packages: ['node:fs'] },
  'logger.ts': { knows: ['config'], packages: ['pino'] },
  'ids.ts': { uses: ['core'], knows: ['clock.ts'], packages: ['node:crypto'] },
  'repetition.ts': { uses: ['errors.ts'] },
  leases: { knows: ['clock.ts', 'logger.ts'] },
  steps: { uses: ['core', 'parse-url.ts'], knows: ['payloads'] },
  payloads: { uses: ['core'], packages: ['node:zlib'] },
  intake: {
    uses: ['core', 'errors.ts', 'payloads', 'threads'],
    packages: ['node:fs/promises', 'node:worker_threads'],
  },
  files: { uses: ['errors.ts'], packages: ['node:crypto', 'node:fs', 'node:fs/promises', 'node:path', 'node:stream'] },
  storage: {
    uses: ['clock.ts', 'core', 'errors.ts', 'files', 'leases', 'program-files.ts', 'threads'],
    knows: ['logger.ts', 'memory-budget.ts'],
    packages: ['better-sqlite3', 'node:crypto', 'node:fs', 'node:path', 'node:worker_threads'],
  },
  delivery: {
    uses: ['address-range.ts', 'core', 'leases'],
    knows: ['clock.ts', 'logger.ts', 'memory-budget.ts', 'storage'],
    packages: [
      'ipaddr.js',
      'nodemailer',
      'undici',
      'undici/lib/dispatcher/client.js',
      'undici/lib/dispatcher/pool.js',
      'node:crypto',
      'node:dns',
      'node:events',
      'node:http',
      'node:net',
      'node:stream',
      'node:tls',
    ],
  },
  images: { uses: ['core'], knows: ['memory-budget.ts'], packages: ['sharp'] },
  receiver: {
    uses: ['core', 'delivery'],
    knows: ['clock.ts'],
    packages: ['node:crypto', 'node:events', 'node:fs/promises', 'node:http', 'node:net', 'node:path', 'node:timers/promises'],
  },
  engine: {
    uses: ['core', 'delivery', 'errors.ts', 'leases', 'memory-budget.ts', 'repetition.ts', 'steps', 'threads'],
    knows: ['clock.ts', 'files', 'ids.ts', 'logger.ts', 'storage'],
    packages: ['node:worker_threads'],
  },
  definitions: {
    uses: ['core', 'presets', 'steps', 'errors.ts', 'ids.ts', 'repetition.ts', 'token.ts'],
    knows: ['storage', 'clock.ts', 'logger.ts', 'sealer.ts'],
    packages: [
      'yaml',
      'node:buffer',
      'node:crypto',
      'node:fs',
      'node:fs/promises',
      'node:path',
      'node:stream/consumers',
      'node:timers/promises',
    ],
  },
  schedules: { uses: ['core', 'errors.ts'], knows: ['clock.ts', 'definitions', 'engine', 'logger.ts', 'storage'] },
  replays: {
    uses: ['core', 'errors.ts', 'ids.ts', 'leases', 'repetition.ts', 'storage'],
    knows: ['clock.ts', 'definitions', 'engine', 'files', 'logger.ts', 'memory-budget.ts'],
    packages: ['node:events', 'node:timers/promises', 'node:util'],
  },
  http: {
    uses: ['address-range.ts', 'core', 'definitions', 'errors.ts', 'intake', 'memory-budget.ts', 'parse-url.ts', 'presets', 'token.ts'],
    knows: ['clock.ts', 'engine', 'files', 'logger.ts', 'payloads', 'replays', 'schedules', 'sealer.ts', 'storage'],
    packages: [
      'fastify',
      '@fastify/bearer-auth',
      '@fastify/swagger',
      'ajv',
      'find-my-way',
      'ipaddr.js',
      'node:crypto',
      'node:fs/promises',
      'node:http',
      'node:net',
      'node:stream',
      'node:stream/promises',
      'node:zlib',
    ],
  },
  'run-thread.ts': {
    uses: ['delivery', 'engine', 'http', 'steps', 'threads'],
    packages: ['node:worker_threads'],
  },
  'start-up': {
    uses: [
      'core',
      'definitions',
      'delivery',
      'engine',
      'files',
      'http',
      'ids.ts',
      'images',
      'memory-budget.ts',
      'replays',
      'steps',
      'storage',
    ],
    knows: ['clock.ts', 'config', 'logger.ts', 'run-thread.ts', 'schedules'],
    packages: ['node:path', 'node:stream/consumers'],
  },
  'app.ts': {
    uses: ['clock.ts', 'engine', 'files', 'memory-budget.ts', 'schedules', 'sealer.ts', 'start-up', 'steps'],
    knows: ['config', 'definitions', 'delivery', 'logger.ts'],
    packages: ['node:path'],
  },
  cli: {
    uses: [
      'app.ts',
      'client',
      'clock.ts',
      'config',
      'core',
      'definitions',
      'delivery',
      'engine',
      'images',
      'logger.ts',
      'parse-url.ts',
      'payloads',
      'program-files.ts',
      'receiver',
      'steps',
      'version.ts',
    ],
    packages: ['commander', 'lossless-json', 'yaml', 'node:crypto', 'node:fs', 'node:fs/promises', 'node:http', 'node:https', 'node:path'],
  },
  'main.ts': { uses: ['cli', 'config'] },
};

interface Import {
  from: string;
  /** Path of a file of src, or name of a package. */
  to: string;
  isPackage: boolean;
  isType: boolean;
}

const STATEMENT = /^(?:import|export)\s+(type\s+)?([^'";]*?)\bfrom\s+'([^']+)'|\bimport\('([^']+)'\)|^import\s+'([^']+)'/gm;

const files = (readdirSync(SRC, { recursive: true }) as string[]).filter((path) => /\.m?[jt]s$/.test(path)).map((path) => join(SRC, path));
const texts = new Map(files.map((path) => [path, readFileSync(path, 'utf8')]));
const imports = files.flatMap(importsOf);

function importsOf(from: string): Import[] {
  return [...(texts.get(from) as string).matchAll(STATEMENT)].map(([, type, names = '', ...specifiers]) => {
    const specifier = specifiers.find((text) => text !== undefined) as string;
    const isPackage = !specifier.startsWith('.');
    const named = /^\s*\{([^}]*)\}\s*$/
      .exec(names)?.[1]
      ?.split(',')
      .map((name) => name.trim());
    const isType = type !== undefined || (named?.every((name) => name === '' || name.startsWith('type ')) ?? false);
    return { from, to: isPackage ? specifier : resolve(dirname(from), specifier), isPackage, isType };
  });
}

/** `core/json/json.ts` is of `core`; `app.ts` is a part of its own. */
function partOf(path: string): string {
  return relative(SRC, path).split('/')[0] as string;
}

function shown(path: string): string {
  return relative(ROOT, path);
}

/** The text without its comments, which may speak of what code may not do. */
function codeOf(path: string): string {
  return (texts.get(path) as string).replaceAll(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$|\s\/\/ .*$/gm, '');
}

function filesWith(pattern: RegExp): string[] {
  return files.filter((path) => pattern.test(codeOf(path))).map(shown);
}

describe('imports', () => {
  test('every part of src stands in the table, and every line of the table is a part of src', () => {
    expect([...new Set(files.map(partOf))].sort()).toEqual(Object.keys(MAY_IMPORT).sort());
  });

  test('are found by this test at all', () => {
    expect(imports.length).toBeGreaterThan(300);
    expect(imports.filter(({ isType }) => isType).length).toBeGreaterThan(50);
    for (const { to, isPackage } of imports) expect(isPackage || texts.has(to), to).toBe(true);
  });

  for (const [part, { uses = [], knows = [], packages = [] }] of Object.entries(MAY_IMPORT)) {
    test(`of ${part} are ${[...uses, ...knows.map((name) => `types of ${name}`), ...packages].join(', ') || 'none'}`, () => {
      const forbidden = imports
        .filter(({ from }) => partOf(from) === part)
        .filter(({ to, isPackage, isType }) => {
          if (isPackage) return !packages.includes(to);
          const target = partOf(to);
          return target !== part && !uses.includes(target) && !(isType && knows.includes(target));
        });
      expect(forbidden.map(({ from, to, isPackage }) => `${shown(from)} imports ${isPackage ? to : shown(to)}`)).toEqual([]);
    });
  }

  test('hold no line in the table that nobody needs', () => {
    const unneeded = Object.entries(MAY_IMPORT).flatMap(([part, { uses = [], knows = [], packages = [] }]) => {
      const ofPart = imports.filter(({ from }) => partOf(from) === part);
      const targets = new Set(ofPart.map(({ to, isPackage }) => (isPackage ? to : partOf(to))));
      return [...uses, ...knows, ...packages].filter((name) => !targets.has(name)).map((name) => `${part}: ${name}`);
    });
    expect(unneeded).toEqual([]);
  });

  test('never go round in a circle, those of types alone among them', () => {
    const next = new Map<string, string[]>();
    for (const { from, to, isPackage } of imports) if (!isPackage) next.set(from, [...(next.get(from) ?? []), to]);
    const done = new Set<string>();
    const findCircle = (path: string, trail: string[]): string[] | null => {
      if (trail.includes(path)) return [...trail.slice(trail.indexOf(path)), path];
      if (done.has(path)) return null;
      for (const to of next.get(path) ?? []) {
        const circle = findCircle(to, [...trail, path]);
        if (circle !== null) return circle;
      }
      done.add(path);
      return null;
    };
    for (const path of files) expect(findCircle(path, [])?.map(shown) ?? null).toBeNull();
  });

  test('name the file with its ending, and never a folder', () => {
    for (const { from, to, isPackage } of imports) if (!isPackage) expect(to, shown(from)).toMatch(/\.(?:ts|mjs)$/);
  });
});

describe('only one file', () => {
  const only: [string, RegExp, string[]][] = [
    ['reads the environment', /\bprocess\s*\.\s*env\b|\bprocess\[|\benv\s*\}\s*=\s*process/, ['src/config/config.ts']],
    ['asks for the time', /\bDate\.now\b|\bnew Date\(\s*\)/, ['src/clock.ts']],
    ['listens to signals', /\bSIGTERM\b/, ['src/cli/verbs/serve.ts']],
  ];
  for (const [what, pattern, expected] of only) {
    test(`${what}: ${expected.join()}`, () => {
      expect(filesWith(pattern)).toEqual(expected);
    });
  }
});

describe('no file', () => {
  const never: [string, RegExp][] = [
    ['runs text as code', /\beval\s*\(|\bnew\s+Function\b|\bFunction\s*\(|['"](?:node:)?vm['"]/],
    ['starts a program', /['"](?:node:)?child_process['"]/],
    ['says any', /:\s*any\b|\bas any\b|<any>/],
  ];
  for (const [what, pattern] of never) {
    test(what, () => {
      expect(filesWith(pattern)).toEqual([]);
    });
  }

  test('is called utils, helpers or common', () => {
    expect(files.map(shown).filter((path) => /\b(?:utils?|helpers?|common|misc)\b/.test(path))).toEqual([]);
  });

  test('of one platform is imported by another', () => {
    const platforms = ['roboflow', 'v7', 'robovision'];
    const platformOf = (path: string): string | undefined => platforms.find((name) => shown(path).includes(`/${name}/`));
    const across = imports.filter(({ from, to, isPackage }) => {
      const [ours, theirs] = [platformOf(from), isPackage ? undefined : platformOf(to)];
      return ours !== undefined && theirs !== undefined && ours !== theirs;
    });
    expect(across.map(({ from, to }) => `${shown(from)} imports ${shown(to)}`)).toEqual([]);
  });

  test(`is one of more than ${MAX_FILES} in its room, but for lists of step types`, () => {
    const counts = new Map<string, number>();
    for (const path of files) counts.set(shown(dirname(path)), (counts.get(shown(dirname(path))) ?? 0) + 1);
    expect([...counts].filter(([room, count]) => count > MAX_FILES && room !== 'src/steps/roboflow')).toEqual([]);
  });

  test(`has more than ${MAX_LINES} lines`, () => {
    const long = files.map((path) => [shown(path), (texts.get(path) as string).trimEnd().split('\n').length] as const);
    expect(long.filter(([, lines]) => lines > MAX_LINES)).toEqual([]);
  });

  test('begins without the one reason that it is there for', () => {
    expect(files.filter((path) => !/^\/\/ \S.{10,}/.test(texts.get(path) as string)).map(shown)).toEqual([]);
  });

  test('names the place where it was written', () => {
    expect(filesWith(/\/work\/|\/home\/\w+\/|\/Users\//)).toEqual([]);
  });
});

describe('migrations', () => {
  for (const dialect of readdirSync(join(ROOT, 'migrations'))) {
    test(`of ${dialect} are numbered from 1 without a gap`, () => {
      const numbers = readMigrations(join(ROOT, 'migrations', dialect)).map(({ number }) => number);
      expect(numbers).toEqual(numbers.map((_, index) => index + 1));
      expect(numbers.length).toBeGreaterThan(0);
    });
  }
});
