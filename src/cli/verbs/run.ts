// `sluice run`: lists, shows, follows and cancels runs, and replays them.

import { type Command, InvalidArgumentError, Option } from 'commander';
import type { RunFilter, RunPage } from '../../client/wire/wire-types.ts';
import { addServerOptions, connect, type ServerOptions } from '../connect.ts';
import type { CliContext } from '../context.ts';
import { addOutputOption, type OutputOptions, printHint, printJson, printTable } from '../output/output.ts';
import { printHead, printRun, runRow } from '../output/run-view.ts';
import { watchRun } from '../output/watch-run.ts';
import { defineReplay } from '../replaying/define-replay.ts';

export function define(command: Command, context: CliContext): void {
  const { io } = context;
  defineList(command, context);

  const get = command
    .command('get')
    .description('show a run: its steps, its request and its output')
    .argument('<run_id>')
    .option('--head', 'without body and outputs, however large they are');
  addOutputOption(addServerOptions(get)).action(async (runId: string, options: GetOptions) => {
    const { runs } = await connect(options, context);
    if (options.head === true) {
      const head = await runs.head(runId);
      return options.output === 'json' ? printJson(io, head) : printHead(io, head);
    }
    const run = await runs.get(runId);
    if (options.output === 'json') printJson(io, run);
    else printRun(io, run);
  });

  const tail = command.command('tail').description('watch a run from its first event to its end').argument('<run_id>');
  addServerOptions(tail, "admin token (SLUICE_TOKEN), or the sink's").action(async (runId: string, options: ServerOptions) => {
    const client = await connect(options, context);
    const signal = io.interruption();
    await watchRun({ runId, events: client.runs.follow(runId, { signal }) }, io, signal);
  });

  const cancel = command.command('cancel').description('cancel a run that has not ended').argument('<run_id>');
  addServerOptions(cancel).action(async (runId: string, options: ServerOptions) => {
    await (await connect(options, context)).runs.cancel(runId);
    printHint(io, `cancelled ${runId}`);
  });

  defineReplay(command, context);
}

interface GetOptions extends ServerOptions, OutputOptions {
  head?: true;
}

interface ListOptions extends ServerOptions, OutputOptions {
  app?: string;
  sink?: string;
  status?: string;
  since?: string;
  until?: string;
  workflow?: string;
  clientIp?: string;
  idempotencyKey?: string;
  delivery?: string;
  replayOf?: string;
  text?: string;
  in?: string;
  limit?: string;
  cursor?: string;
}

const STATUSES = ['queued', 'running', 'waiting', 'completed', 'failed', 'cancelled'];
const PARTS = ['body', 'output', 'error', 'headers'];

function defineList(command: Command, context: CliContext): void {
  const list = command
    .command('list')
    .description('list runs, newest first')
    .option('--app <app_id>', 'only this app')
    .option('--sink <sink_id>', 'only this sink')
    .addOption(new Option('--status <status>', 'in this status, or one of several, such as failed,cancelled').argParser(listOf(STATUSES)))
    .option('--since <time>', 'only runs created at or after this time, such as 2026-01-31T12:00:00Z')
    .option('--until <time>', 'only runs created before this time')
    .option('--workflow <workflow_id>', 'only runs of this workflow')
    .option('--client-ip <address>', 'only runs of requests from this address')
    .option('--idempotency-key <key>', 'only runs of the request with this key')
    .option('--delivery <delivery_id>', 'only the run of this delivery')
    .option('--replay-of <run_id>', 'only replays of this run')
    .option('--text <text>', 'only runs that contain this text, in upper or lower case')
    .addOption(new Option('--in <parts>', `where to search the text (default: ${PARTS.join(',')})`).argParser(listOf(PARTS)))
    .option('--limit <count>', 'maximum number to list, up to 500')
    .option('--cursor <cursor>', 'continue after an earlier list, with its cursor');
  addOutputOption(addServerOptions(list)).action(async (options: ListOptions) => {
    const { io } = context;
    const page = await (await connect(options, context)).runs.list(readFilter(options));
    if (options.output === 'json') return printJson(io, page);
    if (page.runs.length > 0) printTable(io, ['RUN', 'STATUS', 'PROGRESS', 'APP', 'WORKFLOW', 'CREATED', 'TOOK'], page.runs.map(runRow));
    for (const hint of hintsOf(page)) printHint(io, hint);
  });
}

function hintsOf({ runs, next_cursor: cursor, scanned, scanned_to: scannedTo }: RunPage): string[] {
  if (cursor === null) return runs.length === 0 ? ['no runs'] : [];
  const searched = scanned === undefined ? [] : [`runs searched: ${scanned}, back to ${scannedTo}`];
  return [...searched, `there may be more: --cursor ${cursor}`];
}

function listOf(choices: readonly string[]): (text: string) => string {
  return (text) => {
    if (text.split(',').some((word) => !choices.includes(word)))
      throw new InvalidArgumentError(`Allowed choices are ${choices.join(', ')}.`);
    return text;
  };
}

function readFilter({ app, sink, workflow, clientIp, idempotencyKey, delivery, replayOf, ...options }: ListOptions): RunFilter {
  const { status, since, until, text, in: parts, limit, cursor } = options;
  const named = { workflow_id: workflow, client_ip: clientIp, idempotency_key: idempotencyKey, delivery_id: delivery, replay_of: replayOf };
  const filter = { app_id: app, sink_id: sink, status, since, until, ...named, text, in: parts, limit, cursor };
  return Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined));
}
