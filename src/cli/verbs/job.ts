// `sluice job`: lists, shows and cancels jobs, which `sluice run replay` creates.

import { type Command, Option } from 'commander';
import type { JobStatus } from '../../client/wire/job-wire.ts';
import { addServerOptions, connect, type ServerOptions } from '../connect.ts';
import type { CliContext } from '../context.ts';
import { readWhole } from '../number-flag.ts';
import { JOB_COLUMNS, jobRow, printJob } from '../output/job-view.ts';
import { addOutputOption, type OutputOptions, printHint, printJson, printTable } from '../output/output.ts';

const STATUSES = ['queued', 'running', 'completed', 'failed', 'cancelled'];

interface ListOptions extends ServerOptions, OutputOptions {
  status?: JobStatus;
  limit?: string;
  cursor?: string;
}

export function define(command: Command, context: CliContext): void {
  const { io } = context;
  defineList(command, context);

  const show = command.command('show').description('show a job and its counts').argument('<job_id>');
  addOutputOption(addServerOptions(show)).action(async (jobId: string, options: ServerOptions & OutputOptions) => {
    const job = await (await connect(options, context)).jobs.get(jobId);
    if (options.output === 'json') printJson(io, job);
    else printJob(io, job);
  });

  const cancel = command.command('cancel').description('cancel a job that has not ended; its replays stay').argument('<job_id>');
  addServerOptions(cancel).action(async (jobId: string, options: ServerOptions) => {
    await (await connect(options, context)).jobs.cancel(jobId);
    printHint(io, `cancelled ${jobId}`);
  });
}

function defineList(command: Command, context: CliContext): void {
  const list = command
    .command('list')
    .description('list jobs, newest first')
    .addOption(new Option('--status <status>', 'in this status').choices(STATUSES))
    .option('--limit <count>', 'maximum number to list, up to 500')
    .option('--cursor <cursor>', 'continue after an earlier list, with its cursor');
  addOutputOption(addServerOptions(list)).action(async ({ status, limit, cursor, ...options }: ListOptions) => {
    const { io } = context;
    const page = await (await connect(options, context)).jobs.list({
      ...(status === undefined ? {} : { status }),
      ...(limit === undefined ? {} : { limit: readWhole('--limit', limit, { min: 1, max: 500 }) }),
      ...(cursor === undefined ? {} : { cursor: readWhole('--cursor', cursor, { min: 0, max: Number.MAX_SAFE_INTEGER }) }),
    });
    if (options.output === 'json') return printJson(io, page);
    if (page.jobs.length === 0) return printHint(io, 'no jobs');
    printTable(io, JOB_COLUMNS, page.jobs.map(jobRow));
    if (page.next_cursor !== null) printHint(io, `there may be more: --cursor ${page.next_cursor}`);
  });
}
