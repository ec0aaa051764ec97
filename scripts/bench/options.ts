// The command line of the bench.

import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';

export const PART_NAMES = ['http', 'verified', 'http-delivery', 'delivery', 'slow-fsync', 'stored', 'streams', 'replay', 'cold'] as const;
export type PartName = (typeof PART_NAMES)[number];
const CHECKOUT_PARTS: readonly PartName[] = ['http', 'verified', 'http-delivery', 'cold'];

export interface BenchOptions {
  parts: PartName[];
  isQuick: boolean;
  /** Of each contender, at each number of connections. */
  rounds: number;
  /** Of measurement in a round. */
  seconds: number;
  warmupSeconds: number;
  /** Of load before the first round. */
  compileSeconds: number;
  connections: number[];
  storedRuns: number;
  streams: number;
  coldStarts: number;
  /** Where data directories are made: the disk that is measured. */
  directory: string;
  /** Another checkout of Sluice, with its packages installed: the baseline of the parts that can compare with it. */
  against: string | null;
  /** Pairs of servers, each started for its own rounds, when measured against another checkout. */
  pairs: number;
  jsonFile: string | null;
}

export const USAGE = `npm run bench -- [options]
  --only PARTS         of ${PART_NAMES.join(', ')}; comma-separated (default: all)
  --quick              a minute and a half in all: smaller numbers, to see a large change
  --against FOLDER     another checkout of Sluice, its packages installed, as the baseline of http, http-delivery and cold
  --pairs N            of servers, each started for its own rounds, with --against (5)
  --rounds N           rounds of each contender, whose medians are shown (5)
  --seconds S          measured in each round (2)
  --connections LIST   of the http part (1,16,64,256)
  --stored-runs N      in the stored part (1000000)
  --streams N          in the streams part (10000)
  --cold-starts N      in the cold part (7)
  --dir FOLDER         where data directories are made, so the disk that is measured (the temporary folder)
  --json FILE          writes every figure there too`;

/** Throws an Error that names the option which is wrong. */
export function parseOptions(args: string[]): BenchOptions | 'help' {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean', default: false } as const;
  const { values } = parseArgs({
    args,
    options: {
      only: text,
      quick: flag,
      rounds: text,
      seconds: text,
      connections: text,
      'stored-runs': text,
      streams: text,
      'cold-starts': text,
      dir: text,
      against: text,
      pairs: text,
      json: text,
      help: flag,
    },
  });
  if (values.help) return 'help';
  const pick = (full: string, quick: string): string => (values.quick ? quick : full);
  const against = values.against === undefined ? null : checkout(values.against);
  const parts = values.only === undefined ? null : values.only.split(',').map(partName);
  const alien = against === null ? undefined : parts?.find((part) => !CHECKOUT_PARTS.includes(part));
  if (alien !== undefined)
    throw new Error(`--against: the part "${alien}" compares with no checkout; choose from ${CHECKOUT_PARTS.join(', ')}`);
  return {
    parts: parts ?? [...(against === null ? PART_NAMES : CHECKOUT_PARTS)],
    isQuick: values.quick,
    rounds: count('--rounds', values.rounds ?? pick('5', '2')),
    seconds: positive('--seconds', values.seconds ?? pick('2', '0.5')),
    warmupSeconds: values.quick ? 0.2 : 0.5,
    compileSeconds: values.quick ? 0.5 : 10,
    connections: (values.connections ?? '1,16,64,256').split(',').map((item) => count('--connections', item)),
    storedRuns: count('--stored-runs', values['stored-runs'] ?? pick('1000000', '100000')),
    streams: count('--streams', values.streams ?? pick('10000', '1000')),
    coldStarts: count('--cold-starts', values['cold-starts'] ?? pick('7', '3')),
    directory: values.dir ?? tmpdir(),
    against,
    pairs: count('--pairs', values.pairs ?? pick('5', '1')),
    jsonFile: values.json ?? null,
  };
}

function partName(name: string): PartName {
  const part = PART_NAMES.find((known) => known === name);
  if (part === undefined) throw new Error(`--only: there is no part "${name}"; known are ${PART_NAMES.join(', ')}`);
  return part;
}

function checkout(folder: string): string {
  for (const needed of ['src/main.ts', 'node_modules/tsx'])
    if (!existsSync(join(folder, needed))) throw new Error(`--against: "${folder}" holds no ${needed}; name a checkout after \`npm ci\``);
  return resolve(folder);
}

function positive(option: string, text: string): number {
  const value = Number(text);
  if (!(value > 0 && value < Number.POSITIVE_INFINITY)) throw new Error(`${option}: must be a number above 0, not "${text}"`);
  return value;
}

function count(option: string, text: string): number {
  const value = positive(option, text);
  if (!Number.isSafeInteger(value)) throw new Error(`${option}: must be a whole number, not "${text}"`);
  return value;
}
