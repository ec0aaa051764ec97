// `sluice rejection`: lists refused triggers with the usual causes, and shows one with its captured request.

import { type Command, Option } from 'commander';
import type { Rejection, RejectionDetails, RejectionFilter } from '../../../client/wire/wire-types.ts';
import { causeOf, REFUSAL_REASONS } from '../../../core/sink/refusal-causes.ts';
import { addServerOptions, connect, type ServerOptions } from '../../connect.ts';
import type { CliContext } from '../../context.ts';
import type { Io } from '../../io.ts';
import { readWhole } from '../../number-flag.ts';
import { addOutputOption, type Cell, type OutputOptions, printHint, printJson, printLine, printTable } from '../../output/output.ts';
import { timeOf } from '../../output/run-view.ts';

export function define(command: Command, context: CliContext): void {
  defineList(command, context);
  defineGet(command, context);
}

interface ListOptions extends ServerOptions, OutputOptions {
  app?: string;
  sink?: string;
  reason?: string;
  client?: string;
  since?: string;
  limit?: string;
  cursor?: string;
}

const COLUMNS = ['POSITION', 'LAST', 'REASON', 'STATUS', 'COUNT', 'CLIENT', 'METHOD', 'PATH'];

function defineList(command: Command, context: CliContext): void {
  const list = command
    .command('list')
    .description('list refused triggers, newest first, and what usually causes them')
    .option('--app <app_id>', 'only this app')
    .option('--sink <sink_id>', 'only this sink')
    .addOption(new Option('--reason <reason>', 'only for this reason').choices(REFUSAL_REASONS))
    .option('--client <address>', 'only from this address')
    .option('--since <time>', 'only those counted on at or after this time, such as 2026-01-31T12:00:00Z')
    .option('--limit <count>', 'maximum number to list, up to 500')
    .option('--cursor <cursor>', 'continue after an earlier list, with its cursor');
  addOutputOption(addServerOptions(list)).action(async (options: ListOptions) => {
    const { io } = context;
    const page = await (await connect(options, context)).rejections.list(readFilter(options));
    if (options.output === 'json') return printJson(io, page);
    if (page.rejections.length === 0) return printHint(io, 'no refused triggers');
    printTable(io, COLUMNS, page.rejections.map(rejectionRow));
    for (const reason of new Set(page.rejections.map((rejection) => rejection.reason))) printCause(io, reason);
    if (page.next_cursor !== null) printHint(io, `there may be more: --cursor ${page.next_cursor}`);
  });
}

function defineGet(command: Command, context: CliContext): void {
  const { io } = context;
  const get = command
    .command('get')
    .description('show a refused trigger, and its request if "sluice sink capture-refused" waited for it')
    .argument('<position>');
  addOutputOption(addServerOptions(get), ['text', 'json']).action(async (text: string, options: ServerOptions & OutputOptions) => {
    const position = readWhole('position', text, { min: 1, max: Number.MAX_SAFE_INTEGER });
    const rejection = await (await connect(options, context)).rejections.get(position);
    if (options.output === 'json') printJson(io, rejection);
    else printRejection(io, rejection);
  });
}

function readFilter({ app, sink, reason, client, since, limit, cursor }: ListOptions): RejectionFilter {
  const filter = { app_id: app, sink_id: sink, reason, client_ip: client, since, limit, cursor };
  return Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined));
}

function rejectionRow({ position, last_at: lastAt, reason, status, count, client_ip: client, method, path }: Rejection): Cell[] {
  return [Number(position), timeOf(lastAt), reason, Number(status), Number(count), client, method, path];
}

function printCause(io: Io, reason: string): void {
  const cause = causeOf(reason);
  if (cause !== undefined) printHint(io, `${reason}: ${cause}`);
}

function printRejection(io: Io, rejection: RejectionDetails): void {
  const { capture, ...entry } = rejection;
  for (const [name, value] of Object.entries(entry)) printLine(io, `${name.padEnd(12)}${value === null ? '-' : String(value)}`);
  printCause(io, rejection.reason);
  if (capture === null) return printHint(io, 'the request itself was not kept: "sluice sink capture-refused" keeps the next one');
  printLine(io, '');
  for (const [name, value] of Object.entries(capture.headers)) printLine(io, `${name}: ${value}`);
  printLine(io, '');
  if (capture.body === null) return printHint(io, 'the body is not shown: the sender puts its secret into it');
  printLine(io, capture.body.text ?? capture.body.base64 ?? '');
  if (capture.body.is_truncated) printHint(io, 'the body was longer, or did not arrive completely');
}
