// Idle event streams: callers that watch runs which wait. What each costs in memory, and that all are kept open.

import { setTimeout as sleep } from 'node:timers/promises';
import { makeDirectory, type Part } from '../bench.ts';
import { startHelper } from '../helper-process.ts';
import type { HoldStreams, OpenStreams } from '../load/stream-holder.ts';
import { openFilesLimit, residentMegabytes } from '../process-usage.ts';
import { startSluice } from '../sluice-process.ts';
import { fixed, whole } from '../table.ts';
import { TRIGGER_PATHS } from '../workload.ts';

const CEILING_MB = 200;
/** Beside the streams: the database, libraries, pipes. */
const OTHER_FILES = 300;
const SETTLE_MS = 2000;
/** The server writes one every 15 s to each stream. */
const HEARTBEAT_MS = 17_000;

export const runStreamsPart: Part = async (bench) => {
  const { options, print, signal } = bench;
  const count = Math.min(options.streams, openFilesLimit() - OTHER_FILES);
  if (count < options.streams) print(`  ${count} streams instead of ${options.streams}: no process may open more files (ulimit -n)`);
  const server = await startSluice(bench, makeDirectory(bench));
  const holder = startHelper<HoldStreams | 'count', OpenStreams>(bench, new URL('../load/stream-holder.ts', import.meta.url));
  await holder.ask('count');
  await sleep(SETTLE_MS, undefined, { signal });
  const idle = residentMegabytes(server.pid);

  await holder.ask({ port: server.port, path: TRIGGER_PATHS.longWait, count });
  await sleep(SETTLE_MS, undefined, { signal });
  const opened = residentMegabytes(server.pid);
  if (!options.isQuick) await sleep(HEARTBEAT_MS, undefined, { signal });
  const later = residentMegabytes(server.pid);
  const { open, heartbeats } = await holder.ask('count');

  const over = Math.max(opened, later) - idle;
  print(
    `  ${whole(open)} of ${whole(count)} streams open${options.isQuick ? '' : `, ${whole(heartbeats)} of them with a heartbeat since`}`,
  );
  print(`  resident memory ${whole(idle)} MB idle, ${whole(opened)} MB with the streams, ${whole(later)} MB at the end`);
  const perStream = `${fixed((over * 1024) / count, 1)} KB each`;
  return {
    figures: { asked: count, open, heartbeats, idleMegabytes: idle, openedMegabytes: opened, laterMegabytes: later },
    targets: [
      {
        name: `${whole(count)} idle streams`,
        wanted: `within ${CEILING_MB} MB over idle`,
        figure: `${whole(open)} open, ${whole(over)} MB over idle (${perStream})`,
        isMet: open === options.streams && over <= CEILING_MB,
      },
    ],
  };
};
