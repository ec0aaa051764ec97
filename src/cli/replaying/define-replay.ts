// `sluice run replay`: replays one run, or all ended runs that match the options as a job.

import { type Command, Option } from 'commander';
import type { Client } from '../../client/client.ts';
import type { ReplayFilter, ReplayOptions } from '../../client/wire/job-wire.ts';
import { addServerOptions, connect, type ServerOptions } from '../connect.ts';
import type { CliContext } from '../context.ts';
import { ExitError, WRONG_USAGE } from '../exit-error.ts';
import { readWhole } from '../number-flag.ts';
import { confirm } from '../output/confirm.ts';
import { printHint, printLine } from '../output/output.ts';
import { watchRun } from '../output/watch-run.ts';

interface ReplayFlags extends ServerOptions {
  mode: 'live' | 'dry' | 'from-failed-step';
  version?: 'original' | 'current';
  follow?: true;
  app?: string;
  sink?: string;
  status?: string;
  since?: string;
  until?: string;
  rate?: string;
  yes?: true;
}

const MODES = ['live', 'dry', 'from-failed-step'];

export function defineReplay(command: Command, context: CliContext): void {
  const replay = command
    .command('replay')
    .description('run the request of a run again, and print the new run id; or replay all ended runs that match, and print the job id')
    .argument('[run_id]')
    .addOption(new Option('--mode <mode>', 'what is done again; a dry run records its messages').choices(MODES).default('live'))
    .addOption(new Option('--version <version>', 'of the workflow').choices(['original', 'current']))
    .option('--follow', 'watch the new run to its end')
    .option('--app <app_id>', 'only runs of this app')
    .option('--sink <sink_id>', 'only runs of this sink')
    .addOption(new Option('--status <status>', 'only runs that ended so').choices(['completed', 'failed', 'cancelled']))
    .option('--since <time>', 'only runs created at or after this time, such as 2026-01-31T12:00:00Z')
    .option('--until <time>', 'only runs created before this time')
    .option('--rate <count>', 'replays per second, 1 to 1000 (default: 20)')
    .option('--yes', 'do not ask before many runs are replayed');
  addServerOptions(replay).action(async (runId: string | undefined, flags: ReplayFlags) => {
    const filter = filterOf(flags);
    refuseIdWithFilter(runId, filter, flags);
    const client = await connect(flags, context);
    if (runId === undefined) await replayMany(client, filter, flags, context);
    else await replayOne(client, runId, flags, context);
  });
}

async function replayOne(client: Client, runId: string, flags: ReplayFlags, { io }: CliContext): Promise<void> {
  const { run_id: newRunId } = await client.runs.replay(runId, optionsOf(flags));
  if (flags.follow !== true) {
    printLine(io, newRunId);
    return printHint(io, `"sluice run tail ${newRunId}" shows it`);
  }
  printHint(io, newRunId);
  const signal = io.interruption();
  await watchRun({ runId: newRunId, events: client.runs.follow(newRunId, { signal }) }, io, signal);
}

async function replayMany({ jobs }: Client, filter: ReplayFilter, flags: ReplayFlags, { io }: CliContext): Promise<void> {
  const rate = flags.rate === undefined ? {} : { rate_per_second: readWhole('--rate', flags.rate, { min: 1, max: 1000 }) };
  const order = { filter, ...optionsOf(flags), ...rate };
  if (flags.yes !== true) {
    const matched = await jobs.preview(order);
    if (matched === 0) return printHint(io, 'no runs match');
    await confirm(io, `replay ${matched === 1 ? '1 run' : `${matched} runs`} (${flags.mode})?`);
  }
  const { job_id: jobId, matched } = await jobs.create(order);
  printLine(io, jobId);
  printHint(io, `${matched === 1 ? '1 run matches' : `${matched} runs match`}; "sluice job show ${jobId}" shows how far it is`);
}

function refuseIdWithFilter(runId: string | undefined, filter: ReplayFilter, { follow, rate, yes }: ReplayFlags): void {
  const isBulk = Object.keys(filter).length > 0;
  if (runId === undefined && !isBulk)
    throw new ExitError('give the id of a run, or --app, --sink, --status, --since or --until for many', WRONG_USAGE);
  if (runId !== undefined && (isBulk || rate !== undefined || yes === true))
    throw new ExitError('give either the id of a run, or options that select many', WRONG_USAGE);
  if (runId === undefined && follow === true) throw new ExitError('--follow watches one run; "sluice job show" shows a job', WRONG_USAGE);
}

function filterOf({ app, sink, status, since, until }: ReplayFlags): ReplayFilter {
  const filter = { app_id: app, sink_id: sink, status, since, until };
  return Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined));
}

function optionsOf({ mode, version }: ReplayFlags): ReplayOptions {
  return { mode: mode === 'from-failed-step' ? 'from_failed_step' : mode, ...(version === undefined ? {} : { version }) };
}
