// `sluice sample`: keeps requests of sinks as samples, and runs workflows dry on them.

import type { Command } from 'commander';
import { addServerOptions, connect, type ServerOptions } from '../../connect.ts';
import type { CliContext } from '../../context.ts';
import { addOutputOption, type OutputOptions, printHint, printJson, printTable } from '../../output/output.ts';
import { timeOf } from '../../output/run-view.ts';
import { findOneSink } from './infer.ts';
import { defineSampleRun } from './sample-run.ts';

export function define(command: Command, context: CliContext): void {
  const { io } = context;
  const list = command
    .command('list')
    .description('list the samples of a sink, newest first')
    .argument('<sink>', 'app/path, or the id of a sink');
  addOutputOption(addServerOptions(list)).action(async (name: string, options: ServerOptions & OutputOptions) => {
    const client = await connect(options, context);
    const sink = await findOneSink(client, name);
    const samples = await client.samples.list(sink.app_id, sink.id);
    if (options.output === 'json') return printJson(io, { samples });
    if (samples.length === 0) return printHint(io, 'no samples');
    const rows = samples.map((sample) => [sample.run_id, sample.name, sample.bytes, timeOf(sample.saved_at)]);
    printTable(io, ['RUN', 'NAME', 'BYTES', 'SAVED'], rows);
  });

  const save = command
    .command('save')
    .description('keep the request of a run as a sample of its sink: retention leaves the run')
    .argument('<run_id>')
    .option('--name <name>', 'what the request shows');
  addServerOptions(save).action(async (runId: string, options: ServerOptions & { name?: string }) => {
    const client = await connect(options, context);
    const { app_id: appId, sink_id: sinkId } = await client.runs.get(runId);
    await client.samples.save(appId, sinkId, { run_id: runId, ...(options.name === undefined ? {} : { name: options.name }) });
    printHint(io, `kept ${runId}; "sluice run get ${runId}" shows its request`);
  });

  const remove = command.command('delete').description('delete a sample; retention may then remove its run').argument('<run_id>');
  addServerOptions(remove).action(async (runId: string, options: ServerOptions) => {
    const client = await connect(options, context);
    const run = await client.runs.get(runId);
    await client.samples.delete(run.app_id, run.sink_id, runId);
    printHint(io, `deleted the sample ${runId}`);
  });

  defineSampleRun(command, context);
}
