// `npm run simulate -- --seeds N [--from K] [--break NAME]` plays N histories. `--seed S --trace` plays one again, and prints
// what happened. Ctrl+C ends after the current history.

import { parseArgs } from 'node:util';
import { BREAKS, type Break, isBreak } from './breaks.ts';
import { FAULT_KINDS, type FaultCounts, noFaults } from './faults.ts';
import { type History, playHistory } from './history.ts';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1000' },
    from: { type: 'string', default: '1' },
    seed: { type: 'string' },
    trace: { type: 'boolean', default: false },
    break: { type: 'string' },
  },
});

const broken = readBreak(values.break);
if (values.seed === undefined) await playMany(readCount('from', values.from), readCount('seeds', values.seeds));
else await playOne(readCount('seed', values.seed));

async function playOne(seed: number): Promise<void> {
  const history = await playHistory(seed, { broken, isTraced: values.trace });
  for (const line of history.lines ?? []) console.log(line);
  console.log(`seed ${seed}: ${history.runs} runs, hash ${history.hash}`);
  if (history.violation !== null) report(history);
}

async function playMany(from: number, count: number): Promise<void> {
  const start = performance.now();
  const faults = noFaults();
  let runs = 0;
  let played = 0;
  let violated: History | null = null;
  let isStopped = false;
  process.once('SIGINT', () => {
    isStopped = true;
  });
  for (let seed = from; seed < from + count && violated === null && !isStopped; seed += 1) {
    const history = await playHistory(seed, { broken });
    for (const kind of FAULT_KINDS) faults[kind] += history.faults[kind];
    runs += history.runs;
    played += 1;
    if (history.violation !== null) violated = history;
  }
  const seconds = (performance.now() - start) / 1000;
  console.log(`${played} histories with ${runs} runs in ${seconds.toFixed(1)} s: ${(played / seconds).toFixed(0)} a second`);
  for (const line of countLines(faults)) console.log(line);
  if (violated === null) console.log('no violation');
  else report(violated);
}

function report({ seed, violation }: History): void {
  const again = `npm run simulate -- --seed ${seed} --trace${broken === null ? '' : ` --break ${broken}`}`;
  console.log(`VIOLATION of "${violation?.invariant}" with seed ${seed}: ${violation?.text}\nPlay it again: ${again}`);
  process.exitCode = 1;
}

function countLines(faults: FaultCounts): string[] {
  return FAULT_KINDS.map((kind) => `  ${kind}: ${faults[kind]}`);
}

function readCount(option: string, text: string): number {
  if (/^[1-9]\d{0,14}$/.test(text)) return Number(text);
  throw new Error(`--${option} must be a whole number from 1, but is "${text}"`);
}

function readBreak(name: string | undefined): Break | null {
  if (name === undefined) return null;
  if (isBreak(name)) return name;
  throw new Error(`--break must be one of ${Object.keys(BREAKS).join(', ')}, but is "${name}"`);
}
