// `sluice delivery`: lists, shows and exports deliveries, and retries failed or dropped ones.

import { type Command, Option } from 'commander';
import type { Client } from '../../client/client.ts';
import { UnreachableError } from '../../client/client-error.ts';
import type { DeliveryFilter, RetriedDeliveries } from '../../client/wire/delivery-wire.ts';
import { addServerOptions, connect, type ServerOptions } from '../connect.ts';
import type { CliContext } from '../context.ts';
import { ExitError, WRONG_USAGE } from '../exit-error.ts';
import type { Io } from '../io.ts';
import { DELIVERY_COLUMNS, deliveryRow, printDelivery } from '../output/delivery-view.ts';
import { addOutputOption, type OutputOptions, printHint, printJson, printTable } from '../output/output.ts';
import { printableLines } from '../output/printable.ts';

export function define(command: Command, context: CliContext): void {
  defineList(command, context);

  const get = command.command('get').description('show a delivery and its attempts; -o json adds the message and the responses');
  addOutputOption(addServerOptions(get.argument('<delivery_id>'))).action(async (id: string, options: ServerOptions & OutputOptions) => {
    const delivery = await (await connect(options, context)).deliveries.get(id);
    if (options.output === 'json') printJson(context.io, delivery);
    else printDelivery(context.io, delivery);
  });

  defineRetry(command, context);
  defineExport(command, context);
}

interface OwnerOptions extends ServerOptions {
  app?: string;
  sink?: string;
  run?: string;
}

const STATUSES = ['queued', 'sending', 'delivered', 'failed', 'cancelled', 'dropped', 'recorded'];

function addOwnerOptions(command: Command): Command {
  return command
    .option('--app <app_id>', 'only this app')
    .option('--sink <sink_id>', 'only this sink')
    .option('--run <run_id>', 'only this run');
}

function addFilterOptions(command: Command): Command {
  return addOwnerOptions(command).addOption(
    new Option('--status <status>', 'in this status; failed ones are dead letters').choices(STATUSES),
  );
}

function readFilter({
  app,
  sink,
  run,
  status,
  ...rest
}: OwnerOptions & { status?: string; limit?: string; cursor?: string }): DeliveryFilter {
  const filter = { app_id: app, sink_id: sink, run_id: run, status, limit: rest.limit, cursor: rest.cursor };
  return Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined));
}

function defineList(command: Command, context: CliContext): void {
  const list = addFilterOptions(command.command('list').description('list deliveries, newest first'))
    .option('--limit <count>', 'maximum number to list, up to 500')
    .option('--cursor <cursor>', 'continue after an earlier list, with its cursor');
  addOutputOption(addServerOptions(list)).action(async (options: OwnerOptions & OutputOptions & { status?: string }) => {
    const { io } = context;
    const page = await (await connect(options, context)).deliveries.list(readFilter(options));
    if (options.output === 'json') return printJson(io, page);
    if (page.deliveries.length === 0) return printHint(io, 'no deliveries');
    printTable(io, DELIVERY_COLUMNS, page.deliveries.map(deliveryRow));
    if (page.next_cursor !== null) printHint(io, `there may be more: --cursor ${page.next_cursor}`);
  });
}

type RetryOptions = OwnerOptions & OutputOptions & { failed?: true; dropped?: true };

function defineRetry(command: Command, context: CliContext): void {
  const { io } = context;
  const retry = command
    .command('retry')
    .description('retry failed or dropped deliveries: one, or all that match the options')
    .argument('[delivery_id]')
    .option('--failed', 'all failed deliveries')
    .option('--dropped', 'all dropped deliveries');
  addOutputOption(addServerOptions(addOwnerOptions(retry)), ['text', 'json']).action(
    async (id: string | undefined, options: RetryOptions) => {
      refuseIdWithFilter(id, options);
      const client = await connect(options, context);
      if (id === undefined) return printRetried(io, await retryAll(client, options), options);
      const delivery = await client.deliveries.retry(id);
      if (options.output === 'json') return printJson(io, delivery);
      printHint(io, `${id} is being retried`);
    },
  );
}

function refuseIdWithFilter(id: string | undefined, { failed, dropped, app, sink, run }: RetryOptions): void {
  const statuses = [failed, dropped].filter((value) => value === true).length;
  const hasFilter = [app, sink, run].some((value) => value !== undefined);
  if (id !== undefined && (statuses > 0 || hasFilter))
    throw new ExitError('give either the id of a delivery, or --failed or --dropped with filters', WRONG_USAGE);
  if (id === undefined && statuses !== 1)
    throw new ExitError('give the id of a delivery, --failed for all failed deliveries, or --dropped for all dropped ones', WRONG_USAGE);
}

/** Calls the server repeatedly: one call retries a limited number. */
async function retryAll({ deliveries }: Client, options: RetryOptions): Promise<Omit<RetriedDeliveries, 'next_cursor'>> {
  const ids: string[] = [];
  for (let cursor: number | null | undefined; cursor !== null; ) {
    const status = options.dropped === true ? ('dropped' as const) : ('failed' as const);
    const which = { ...readFilter(options), status, ...(cursor === undefined ? {} : { cursor }) };
    const answer: RetriedDeliveries = await deliveries.retryMany(which);
    ids.push(...answer.ids);
    cursor = answer.next_cursor;
  }
  return { retried: ids.length, ids };
}

function printRetried(io: Io, result: Omit<RetriedDeliveries, 'next_cursor'>, { output, dropped }: RetryOptions): void {
  if (output === 'json') return printJson(io, result);
  const { retried } = result;
  printHint(
    io,
    retried === 0
      ? dropped === true
        ? 'no dropped deliveries that can be retried now'
        : 'no failed deliveries'
      : retried === 1
        ? '1 delivery is being retried'
        : `${retried} deliveries are being retried`,
  );
}

function defineExport(command: Command, context: CliContext): void {
  const exporting = addFilterOptions(command.command('export').description('print deliveries as JSON lines or CSV, newest first'));
  exporting.addOption(new Option('--format <format>', 'format of the file').choices(['ndjson', 'csv']).default('ndjson'));
  addServerOptions(exporting).action(async (options: OwnerOptions & { status?: string; format: 'ndjson' | 'csv' }) => {
    const { io } = context;
    const signal = io.interruption();
    const client = await connect(options, context);
    await printLines(io, await client.deliveries.export(options.format, readFilter(options), signal), signal);
  });
}

/** A carriage return at the end of a chunk is printed with the next chunk. */
async function printLines({ stdout }: Io, response: Response, interruption: AbortSignal): Promise<void> {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  let carry = '';
  try {
    for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
      const text = carry + decoder.decode(chunk, { stream: true });
      carry = text.endsWith('\r') ? '\r' : '';
      stdout.write(printableLines(text.slice(0, text.length - carry.length)));
    }
  } catch (error) {
    interruption.throwIfAborted();
    throw new UnreachableError('the server ended the export before it was complete', error);
  }
  stdout.write(printableLines(carry));
}
