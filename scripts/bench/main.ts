// Entry of `npm run bench`: runs the chosen parts one after the other and ends with one line for each target.

import { writeFileSync } from 'node:fs';
import type { Part, PartReport, Target } from './bench.ts';
import { withCleanups } from './cleanups.ts';
import { describeEnvironment } from './environment.ts';
import { type BenchOptions, type PartName, parseOptions, USAGE } from './options.ts';
import { runColdPart } from './parts/cold.ts';
import { runDeliveryPart } from './parts/delivery.ts';
import { runHttpPart } from './parts/http.ts';
import { runHttpDeliveryPart } from './parts/http-delivery.ts';
import { runReplayPart } from './parts/replay.ts';
import { runSlowFsyncPart } from './parts/slow-fsync.ts';
import { runStoredPart } from './parts/stored.ts';
import { runStreamsPart } from './parts/streams.ts';
import { runVerifiedPart } from './parts/verified.ts';
import { fixed, formatTable } from './table.ts';

const PARTS: Record<PartName, { title: string; run: Part }> = {
  http: { title: 'durable runs of three steps, 1,024-byte JSON POST, answered as a stream', run: runHttpPart },
  verified: { title: 'the same runs of a sink that verifies a signature, against a sink that does not', run: runVerifiedPart },
  'http-delivery': { title: 'the same with a step that sends and waits for the answer', run: runHttpDeliveryPart },
  delivery: { title: 'durable deliveries of 1,024 bytes of JSON to one receiver, 64 at a time', run: runDeliveryPart },
  'slow-fsync': { title: 'the same runs on a disk that takes 5 ms to sync', run: runSlowFsyncPart },
  stored: { title: 'the same runs on a server with a long history, against an empty one', run: runStoredPart },
  replay: { title: 'triggers of three steps while a job replays stored runs', run: runReplayPart },
  streams: { title: 'idle event streams of runs that wait', run: runStreamsPart },
  cold: { title: 'start on a fresh data directory', run: runColdPart },
};

const print = (text: string): void => console.log(text);

async function runBench(options: BenchOptions, signal: AbortSignal): Promise<void> {
  const environment = describeEnvironment(options.directory);
  const { node, fastify, cpu, cores, loadAverage, fsyncP50Ms, fsyncP99Ms } = environment;
  print(`Node ${node}, Fastify ${fastify}, ${cores} x ${cpu}, load average ${fixed(loadAverage)} before the start`);
  print(`data in ${options.directory}: fsync of an appended 4 KiB p50 ${fixed(fsyncP50Ms)} ms, p99 ${fixed(fsyncP99Ms)} ms`);
  const rounds = `medians of ${options.rounds} alternating rounds of ${options.seconds} s`;
  print(`${rounds}${options.isQuick ? '; a quick run: only large differences count' : ''}`);

  const reports: Partial<Record<PartName, PartReport>> = {};
  for (const name of options.parts) {
    const { title, run } = PARTS[name];
    print(`\n${name}: ${title}`);
    reports[name] = await withCleanups((onEnd) => run({ options, signal, print, onEnd }));
  }
  const targets = Object.values(reports).flatMap((report) => report.targets);
  print(`\n${targetTable(targets)}`);
  if (options.jsonFile === null) return;
  const figures = Object.fromEntries(Object.entries(reports).map(([name, report]) => [name, report.figures]));
  writeFileSync(options.jsonFile, `${JSON.stringify({ environment, options, parts: figures, targets }, null, 2)}\n`);
}

function targetTable(targets: Target[]): string {
  return formatTable(
    ['target', 'wanted', 'figure', ''],
    targets.map(({ name, wanted, figure, isMet }) => [name, wanted, figure, isMet ? 'met' : 'NOT MET']),
  );
}

async function main(): Promise<number> {
  const interrupted = new AbortController();
  const interrupt = (): void => interrupted.abort();
  process.once('SIGINT', interrupt).once('SIGTERM', interrupt);
  try {
    const options = parseOptions(process.argv.slice(2));
    if (options === 'help') print(USAGE);
    else await runBench(options, interrupted.signal);
    return 0;
  } catch (error) {
    console.error(interrupted.signal.aborted ? 'bench: interrupted' : `bench: ${(error as Error).message}`);
    return 1;
  }
}

process.exitCode = await main();
