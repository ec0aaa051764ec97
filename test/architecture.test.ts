// The shape of the source tree: who may import whom, what only one file may do, and how large a file may be.

import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readMigrations } from '../src/storage/migrate.ts';

const ROOT = resolve(import.meta.dirname, '..');
const SRC = join(ROOT, 'src');
const MAX_LINES = 280;

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
  'background-thread.ts': { packages: ['node:fs', 'node:os', 'node:path'] },
  'memory-budget.ts': { uses: ['errors.ts'], packages: ['node:v8'] },
  'version.ts': { packages: ['node:module'] },
  'token.ts': { packages: ['node:crypto'] },
  client: {},
  core: { uses: ['errors.ts'], packages: ['@exodus/bytes/encoding.js', 'ajv', 'lossless-json', 'node:module', 're2js'] },
  'address-range.ts': { packages: ['node:net'] },
  'config-values.ts': { uses: ['address-range.ts'] },
  'config.ts': { uses: ['config-values.ts', 'core'], knows: ['address-range.ts'], packages: ['node:fs'] },
  'logger.ts': { knows: ['config.ts'], packages: ['pino'] },
  'secrets.ts': { uses: ['core'], packages: ['node:crypto'] },
  'ids.ts': { uses: ['core'], knows: ['clock.ts'], packages: ['node:crypto'] },
  steps: { uses: ['core'], knows: ['payloads'] },
  payloads: { uses: ['core'], packages: ['node:zlib'] },
  storage: {
    uses: ['core', 'errors.ts'],
    knows: ['memory-budget.ts'],
    packages: [
      'better-sqlite3',
      'tsx/esm/api',
      'node:crypto',
      'node:fs',
      'node:fs/promises',
      'node:path',
      'node:stream',
      'node:url',
      'node:worker_threads',
    ],
  },
  delivery: {
    uses: ['address-range.ts'],
    knows: ['core'],
    packages: [
      'ipaddr.js',
      'nodemailer',
      'undici',
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
    uses: ['core', 'steps', 'errors.ts', 'memory-budget.ts'],
    knows: ['storage', 'clock.ts', 'ids.ts', 'logger.ts'],
    packages: ['node:worker_threads'],
  },
  definitions: {
    uses: ['core', 'steps', 'errors.ts', 'ids.ts', 'token.ts'],
    knows: ['storage', 'clock.ts', 'logger.ts'],
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
  http: {
    uses: ['core', 'payloads', 'definitions', 'background-thread.ts', 'errors.ts', 'memory-budget.ts', 'token.ts'],
    knows: ['engine', 'storage', 'clock.ts', 'logger.ts'],
    packages: [
      'fastify',
      '@fastify/bearer-auth',
      '@fastify/swagger',
      'ajv',
      'find-my-way',
      'secure-json-parse',
      'tsx/esm/api',
      'node:crypto',
      'node:fs/promises',
      'node:http',
      'node:net',
      'node:stream',
      'node:stream/promises',
      'node:worker_threads',
      'node:zlib',
    ],
  },
  'local-effects.ts': { uses: ['core', 'images'], knows: ['engine', 'memory-budget.ts', 'storage'], packages: ['node:stream/consumers'] },
  'step-type-sources.ts': { uses: ['steps'] },
  'run-thread.mjs': { uses: ['run-thread.ts'], packages: ['tsx/esm/api'] },
  'run-thread.ts': {
    uses: ['background-thread.ts', 'engine', 'http', 'secrets.ts', 'step-type-sources.ts', 'steps'],
    packages: ['node:worker_threads'],
  },
  'app.ts': {
    uses: [
      'step-type-sources.ts',
      'local-effects.ts',

      'core',
      'steps',
      'storage',
      'delivery',
      'engine',
      'definitions',
      'http',
      'secrets.ts',
      'clock.ts',
      'ids.ts',
      'memory-budget.ts',
    ],
    knows: ['config.ts', 'logger.ts', 'run-thread.ts'],
    packages: ['node:path'],
  },
  cli: {
    uses: [
      'app.ts',
      'client',
      'clock.ts',
      'config.ts',
      'core',
      'definitions',
      'delivery',
      'engine',
      'images',
      'payloads',
      'receiver',
      'secrets.ts',
      'steps',
      'logger.ts',
      'version.ts',
    ],
    packages: ['commander', 'lossless-json', 'yaml', 'node:crypto', 'node:fs', 'node:fs/promises', 'node:path'],
  },
  'main.ts': { uses: ['cli', 'config.ts'] },
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

/** `core/json.ts` is of `core`; `app.ts` is a part of its own. */
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

  test('never go round in a circle', () => {
    const next = new Map<string, string[]>();
    for (const { from, to, isPackage, isType } of imports) if (!isPackage && !isType) next.set(from, [...(next.get(from) ?? []), to]);
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
    ['reads the environment', /\bprocess\s*\.\s*env\b|\bprocess\[|\benv\s*\}\s*=\s*process/, ['src/config.ts']],
    ['asks for the time', /\bDate\.now\b|\bnew Date\(\s*\)/, ['src/clock.ts']],
    ['listens to signals', /\bSIGTERM\b/, ['src/cli/serve.ts']],
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
