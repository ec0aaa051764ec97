// `sluice listen`: receives requests and prints them, and simulates failures. With --from it passes on those of a sink.

import { mkdir } from 'node:fs/promises';
import type { Command } from 'commander';
import { Option } from 'commander';
import { systemClock } from '../../clock.ts';
import { readSigningSecret } from '../../delivery/http/signature.ts';
import type { Arrival } from '../../receiver/arrival.ts';
import type { Behaviour, PlannedAnswer } from '../../receiver/behaviour.ts';
import { type Receiver, startReceiver } from '../../receiver/receiver.ts';
import { addServerOptions, connect, type ServerOptions } from '../connect.ts';
import type { CliContext } from '../context.ts';
import { ExitError, FAILED, INTERRUPTED, WRONG_USAGE } from '../exit-error.ts';
import { findSink, readSinkName } from '../forwarding/find-sink.ts';
import { readTarget } from '../forwarding/local-target.ts';
import { readPositive, readWhole } from '../number-flag.ts';
import { arrivalLine } from '../output/arrival-json.ts';
import { arrivalText } from '../output/arrival-view.ts';
import { addOutputOption, type OutputOptions, printHint } from '../output/output.ts';
import { createPaint } from '../output/paint.ts';

interface ListenOptions extends OutputOptions, ServerOptions {
  port: string;
  host: string;
  status?: string;
  fail?: string;
  failRate?: string;
  hang?: true;
  reset?: true;
  delay: string;
  secret?: string;
  save?: string;
  count?: string;
  from?: string;
  forward?: string;
}

const MAX_COUNT = 1_000_000;
/** Options that need requests to arrive here. */
const OF_RECEIVER = ['port', 'host', 'status', 'fail', 'failRate', 'hang', 'reset', 'delay', 'secret', 'save'];

export function define(command: Command, context: CliContext): void {
  command
    .option('--port <port>', 'port to listen on; 0 selects a free port', '9658')
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .option('--status <status>', 'HTTP status to answer with (default: 200)')
    .addOption(new Option('--fail <count>', 'fail only the first requests, this many, with --status (default: 500)').conflicts('failRate'))
    .option('--fail-rate <share>', 'fail only this share of the requests, at random: 0.2 is one in five')
    .addOption(new Option('--hang', 'fail by never answering').conflicts(['status', 'reset', 'delay']))
    .addOption(new Option('--reset', 'fail by resetting the connection').conflicts('status'))
    .option('--delay <ms>', 'milliseconds to wait before each answer', '0')
    .option('--secret <whsec_…>', 'check Standard Webhooks signatures with this secret (SLUICE_WEBHOOK_SECRET)')
    .option('--save <folder>', 'save each body, and each part of a form, in this folder')
    .option('--count <count>', 'stop after this many requests')
    .addOption(new Option('--from <sink>', 'pass on the live requests of a sink of a server: its URL, or app/path').conflicts(OF_RECEIVER))
    .option('--forward <port|url>', 'with --from: port of this machine, or URL, to pass them on to');
  addServerOptions(command);
  addOutputOption(command, ['text', 'json']);
  command
    .addOption(new Option('--json', 'print one line of JSON per request, like -o json').implies({ output: 'json' }))
    .action((options: ListenOptions) => (options.from === undefined ? listen(options, context) : forward(options, options.from, context)));
}

async function forward(options: ListenOptions, from: string, context: CliContext): Promise<void> {
  if (options.forward === undefined)
    throw new ExitError('--from needs --forward: the port, or the URL, to pass requests on to', WRONG_USAGE);
  const { io } = context;
  const target = readTarget(options.forward);
  const name = readSinkName('--from', from);
  const count = readCount(options);
  const url = options.url ?? name.server;
  const client = await connect({ ...options, ...(url === null ? {} : { url }) }, context);
  const sink = await findSink(client, name);
  const signal = io.interruption();
  const { LiveForwarder } = await import('../forwarding/forward-live.ts');
  const isJson = options.output === 'json';
  const of = { appId: sink.app_id, id: sink.id };
  await new LiveForwarder({ client, sink: of, target, count, isJson, paint: createPaint(context), io, signal }).run();
  throwUnlessInterrupted(signal);
}

async function listen(options: ListenOptions, context: CliContext): Promise<void> {
  const { io, environment } = context;
  const given = (['forward', 'url', 'token'] as const).find((name) => options[name] !== undefined);
  if (given !== undefined) throw new ExitError(`--${given} needs --from: the sink whose requests are passed on`, WRONG_USAGE);
  const { host, save = null } = options;
  const statuses = new Map<string, number>();
  const paint = createPaint(context);
  const settings = {
    host,
    port: readWhole('--port', options.port, { min: 0, max: 65_535 }),
    behaviour: readBehaviour(options),
    delayMs: readWhole('--delay', options.delay, { min: 0, max: 3_600_000 }),
    signingKey: readSecret(options.secret ?? environment['SLUICE_WEBHOOK_SECRET']),
    count: readCount(options),
  };
  if (save !== null) await makeFolder(save);
  const interruption = io.interruption();
  const receiver = await startReceiver({
    ...settings,
    folder: save,
    clock: systemClock,
    random: Math.random,
    onArrival(arrival) {
      const status = statusOf(arrival);
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
      io.stdout.write(options.output === 'json' ? arrivalLine(arrival) : arrivalText(arrival, paint));
    },
    onMalformed: (reason, client) => printHint(io, `the request from ${client} is not HTTP: ${reason}`),
  }).catch((error: NodeJS.ErrnoException) => {
    throw new ExitError(`cannot listen on ${host}:${settings.port}: ${LISTEN_FAULTS[error.code ?? ''] ?? error.message}`, FAILED);
  });
  printHint(io, `listening on ${receiver.url}`);
  await Promise.race([receiver.ended, aborted(interruption)]);
  await receiver.close();
  printHint(io, summary(statuses, receiver));
  throwUnlessInterrupted(interruption);
}

function readCount({ count }: ListenOptions): number {
  return count === undefined ? Number.POSITIVE_INFINITY : readWhole('--count', count, { min: 1, max: MAX_COUNT });
}

/** Ctrl-C is how listening ends; another reason is a fault of the output. */
function throwUnlessInterrupted({ aborted: isAborted, reason }: AbortSignal): void {
  if (isAborted && !(reason instanceof ExitError && reason.exitCode === INTERRUPTED)) throw reason;
}

const LISTEN_FAULTS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another process uses the port; stop it, or choose another --port',
  EADDRNOTAVAIL: 'this machine does not have the address',
  EACCES: 'this user may not use the port; choose another --port',
  ENOTFOUND: 'the host is unknown',
};

function readBehaviour({ status, fail, failRate, hang, reset }: ListenOptions): Behaviour {
  const failsAtTimes = fail !== undefined || failRate !== undefined;
  const given = status === undefined ? null : readWhole('--status', status, { min: 200, max: 599 });
  if (failsAtTimes && given !== null && given < 300)
    throw new ExitError(`--status ${given} is not a failure: with --fail or --fail-rate, give a status from 300 to 599`, WRONG_USAGE);
  const failure: PlannedAnswer =
    hang === true ? { kind: 'hang' } : reset === true ? { kind: 'reset' } : { kind: 'status', status: given ?? (failsAtTimes ? 500 : 200) };
  if (fail !== undefined) return { failure, fails: { kind: 'first', count: readWhole('--fail', fail, { min: 1, max: MAX_COUNT }) } };
  if (failRate !== undefined) return { failure, fails: { kind: 'share', rate: readPositive('--fail-rate', failRate, 1) } };
  return { failure, fails: { kind: 'all' } };
}

function readSecret(secret: string | undefined): Uint8Array | null {
  if (secret === undefined || secret === '') return null;
  const key = readSigningSecret(secret);
  if (key === null) throw new ExitError('the secret is not a Standard Webhooks secret: write whsec_ followed by base64', WRONG_USAGE);
  return key;
}

async function makeFolder(path: string): Promise<void> {
  await mkdir(path, { recursive: true }).catch((error: NodeJS.ErrnoException) => {
    throw new ExitError(`--save: ${path} cannot be created (${error.code})`, FAILED);
  });
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

function statusOf({ answer }: Arrival): string {
  if (answer.kind === 'status') return String(answer.status);
  return answer.kind === 'reset' ? 'reset' : 'not answered';
}

function summary(statuses: ReadonlyMap<string, number>, receiver: Receiver): string {
  const total = [...statuses.values()].reduce((sum, count) => sum + count, 0);
  const counts = [...statuses].sort(([a], [b]) => (a < b ? -1 : 1)).map(([status, count]) => `${count} × ${status}`);
  const repeated = receiver.repeatedKeys();
  const keys = repeated === 0 ? [] : [`${repeated} ${repeated === 1 ? 'Idempotency-Key' : 'Idempotency-Keys'} came again`];
  return [`${total} ${total === 1 ? 'request' : 'requests'}${total === 0 ? '' : `: ${counts.join(', ')}`}`, ...keys].join('; ');
}
