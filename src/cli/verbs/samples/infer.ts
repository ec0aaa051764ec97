// `sluice sink infer`: makes a schema and typed inputs from what came to a sink.

import type { Command } from 'commander';
import type { Client } from '../../../client/client.ts';
import type { InferredSink } from '../../../client/sample-calls.ts';
import type { SinkInfo } from '../../../client/wire/wire-types.ts';
import { addServerOptions, connect, type ServerOptions } from '../../connect.ts';
import type { CliContext } from '../../context.ts';
import { ExitError, FAILED, WRONG_USAGE } from '../../exit-error.ts';
import { findSink, readSinkName } from '../../forwarding/find-sink.ts';
import type { Io } from '../../io.ts';
import { readWhole } from '../../number-flag.ts';
import { addOutputOption, type OutputOptions, printHint, printJson } from '../../output/output.ts';
import { printYaml } from '../../output/yaml.ts';

interface InferOptions extends ServerOptions, OutputOptions {
  limit: string;
  saveSamples?: true;
  apply?: true;
}

export function defineInfer(command: Command, context: CliContext): void {
  const infer = command
    .command('infer')
    .description('make a schema and typed inputs from the samples and the latest runs of a sink, and print them')
    .argument('<sink>', 'app/path, or the id of a sink')
    .option('--limit <count>', 'of the latest runs that are read, 1 to 500', '100')
    .option('--save-samples', 'keep the requests that told most as samples')
    .option('--apply', 'set the schema on the sink: from then on, bodies that do not fit are refused');
  addOutputOption(addServerOptions(infer), ['yaml', 'json']).action(async (name: string, options: InferOptions) => {
    const { io } = context;
    const limit = readWhole('--limit', options.limit, { min: 1, max: 500 });
    const client = await connect(options, context);
    const sink = await findOneSink(client, name);
    const inferred = await client.samples.infer(sink.app_id, sink.id, { limit });
    if (inferred.requests === 0) throw new ExitError(nothingToRead(inferred, sink), FAILED);
    const document = { sink: inferred.sink, workflow: inferred.workflow };
    if (options.output === 'json') printJson(io, document);
    else printYaml(io, document);
    hintCounts(io, inferred);
    if (options.saveSamples === true) await saveSamples(client, sink, inferred, io);
    if (options.apply === true) await apply(client, sink, inferred, io);
  });
}

export async function findOneSink(client: Client, name: string): Promise<SinkInfo> {
  const named = readSinkName('sink', name);
  if (named.server !== null) throw new ExitError('sink: write app/path, and --url for the server', WRONG_USAGE);
  return await findSink(client, named);
}

function nothingToRead({ left_out: leftOut }: InferredSink, { method, app_id: appId, path }: SinkInfo): string {
  const why = leftOut === 0 ? 'has no runs yet' : `has ${leftOut} runs, and their bodies are empty, files or too large to read`;
  return `${method} /${appId}${path} ${why}; send it a request, as with "sluice send"`;
}

function hintCounts(io: Io, { requests, left_out: leftOut, fields_left_out: fields }: InferredSink): void {
  const others = leftOut === 0 ? '' : `; ${leftOut} were left out: their bodies are empty, files or too large`;
  printHint(io, `made from ${requests === 1 ? '1 request' : `${requests} requests`}${others}`);
  if (fields > 0) printHint(io, `${fields} fields of the body became no input`);
}

/** A run that cannot be a sample does not keep the others from it. */
async function saveSamples(client: Client, sink: SinkInfo, { telling_run_ids: runIds }: InferredSink, io: Io): Promise<void> {
  for (const runId of runIds) {
    try {
      await client.samples.save(sink.app_id, sink.id, { run_id: runId });
      printHint(io, `kept ${runId} as a sample`);
    } catch (error) {
      printHint(io, `${runId} is not kept: ${(error as Error).message}`);
    }
  }
}

async function apply(client: Client, { app_id: appId, id, path, method }: SinkInfo, { sink }: InferredSink, io: Io): Promise<void> {
  await client.sinks.patch(appId, id, { schema: sink.schema });
  printHint(io, `${method} /${appId}${path} now refuses bodies that do not fit this schema`);
}
