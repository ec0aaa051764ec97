// `sluice sample run`: runs a workflow dry on the request of a stored run: one of the server there, one of a file here.

import type { Command } from 'commander';
import type { Client } from '../../../client/client.ts';
import type { RunDetails } from '../../../client/wire/wire-types.ts';
import { type BodyKind, decodeBody, type Request, type RequestHead } from '../../../core/run/request.ts';
import { addServerOptions, connect, type ServerOptions } from '../../connect.ts';
import type { CliContext } from '../../context.ts';
import { ExitError, FAILED, WRONG_USAGE } from '../../exit-error.ts';
import type { Io } from '../../io.ts';
import { addOutputOption, type OutputOptions, printHint, printJson } from '../../output/output.ts';

interface RunOptions extends ServerOptions, OutputOptions {
  workflow?: string;
  file?: string;
}

export function defineSampleRun(command: Command, context: CliContext): void {
  const run = command
    .command('run')
    .description('run a workflow on the request of a sample, or of any run: its messages are shown and not sent')
    .argument('<run_id>')
    .option('--workflow <workflow_id>', 'a workflow of the app (default: that of the sink)')
    .option('--file <path>', 'a YAML or JSON file with one definition, which runs here');
  addOutputOption(addServerOptions(run), ['text', 'json']).action(async (runId: string, options: RunOptions) => {
    if (options.workflow !== undefined && options.file !== undefined) throw new ExitError('give either --workflow or --file', WRONG_USAGE);
    const client = await connect(options, context);
    if (options.file === undefined) await runThere(client, runId, options, context.io);
    else await runHere(client, runId, options.file, options.output, context);
  });
}

async function runThere(client: Client, runId: string, { workflow, output }: RunOptions, io: Io): Promise<void> {
  const chosen = workflow === undefined ? {} : { workflow_id: workflow };
  const { run_id: dryId } = await client.runs.replay(runId, { mode: 'dry', ...chosen });
  const signal = io.interruption();
  for await (const event of client.runs.follow(dryId, { signal })) if (event.type !== 'progress') break;
  const run = await client.runs.get(dryId);
  const messages = await Promise.all(run.deliveries.map(async ({ delivery_id: id }) => await client.deliveries.get(id)));
  if (output === 'json') {
    const sends = messages.map(({ step, method, url, message }) => ({ step, method, url, ...message }));
    printJson(io, { run_id: dryId, status: run.status, output: run.output ?? null, error: run.error, steps: run.steps, sends });
  } else {
    for (const { step, method, url, message } of messages) {
      printHint(io, `${step} would send:`);
      printHint(io, `  ${method ?? 'MAIL'} ${url}`);
      for (const line of linesOf(message)) printHint(io, `  ${line}`);
      printHint(io, '');
    }
    if (run.status === 'completed') printJson(io, run.output ?? null);
  }
  if (run.status !== 'completed') throw new ExitError(output === 'json' ? '' : failureOf(run), FAILED);
}

function failureOf({ run_id: runId, status, error }: RunDetails): string {
  return `${runId} ended as ${status}${error?.step === undefined ? '' : ` at step "${error.step}"`}: ${error?.message ?? ''}`;
}

/** A message as the API shows it: secrets are masked. */
function linesOf(message: Record<string, unknown>): string[] {
  return Object.entries(message).flatMap(([name, value]) => {
    if (value === null || value === undefined) return [];
    const { text } = value as { text?: unknown };
    if (typeof text === 'string') return [`${name}:`, ...text.split('\n').map((line) => `  ${line}`)];
    return [`${name}: ${typeof value === 'string' ? value : JSON.stringify(value)}`];
  });
}

/** The definition file is not stored, and the files of the request stay on the server. */
async function runHere(client: Client, runId: string, file: string, output: string, context: CliContext): Promise<void> {
  const run = await client.runs.get(runId);
  const sink = await client.sinks.get(run.app_id, run.sink_id);
  const { rehearseAndPrint } = await import('../../rehearsing/rehearse-file.ts');
  const { body_kind: bodyKind } = run.request;
  const inputMapping = (sink['inputs'] ?? {}) as Record<string, string>;
  await rehearseAndPrint(
    file,
    { request: requestOf(run), bodyKind: bodyKind as BodyKind, inputMapping, files: [], answer: 200 },
    output,
    context,
  );
}

function requestOf({ request: { body, body_kind: kind, ...rest } }: RunDetails): Request {
  const head = rest as unknown as RequestHead;
  const bytes = Buffer.from(body ?? '');
  try {
    return { ...head, body: decodeBody({ kind: kind as BodyKind, bytes, charset: 'utf-8' }, head.files) };
  } catch (error) {
    throw new ExitError(`the body of the request cannot be read here: ${(error as Error).message}`, FAILED);
  }
}
