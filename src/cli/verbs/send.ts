// `sluice send`: sends one request to a sink and watches its run, or sends many and prints a summary.

import { type Command, Option } from 'commander';
import type { TriggerOptions } from '../../client/client.ts';
import { parseUrl } from '../../parse-url.ts';
import { addServerOptions, connectToSink } from '../connect.ts';
import type { CliContext } from '../context.ts';
import { ExitError, WRONG_USAGE } from '../exit-error.ts';
import type { Io } from '../io.ts';
import { readPositive, readWhole } from '../number-flag.ts';
import { printHint } from '../output/output.ts';
import { watchRun } from '../output/watch-run.ts';
import { readSampleFlags, refuseSampleFlags, SAMPLE_NAMES, type SampleFlags } from '../sending/sample-body.ts';
import { type BodyFlags, readSendBody, type SendBody } from '../sending/send-body.ts';
import { sendMany } from '../sending/send-many.ts';

interface SendOptions extends BodyFlags, SampleFlags {
  url?: string;
  token?: string;
  method?: string;
  header?: string[];
  count?: string;
  rate?: string;
  verbose?: true;
}

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'];
const TRIGGER_ROUTE = '/sink/trigger/http/';
const COUNT = { min: 1, max: 1_000_000 };
const MAX_RATE = 10_000;

export function define(command: Command, context: CliContext): void {
  command
    .argument('<sink>', 'app_id/path, or the full URL of a sink')
    .option('--data <text>', 'body: text, @file, or @- for standard input; sent as JSON if it looks like JSON')
    .option('--json <text>', 'JSON body: text, @file, or @- for standard input')
    .option('--form <name=value>', 'form field; can be repeated', collect)
    .option('--file <name=@path>', 'file of a multipart form; can be repeated', collect)
    .addOption(new Option('--method <method>', 'POST unless given').choices(METHODS))
    .option('--header <name: value>', 'request header; can be repeated', collect)
    .option('--payload <kind>', `sample body: ${SAMPLE_NAMES.join(', ')}`)
    .option('--seed <number>', 'seed of the sample (default: 1); with --count, each request takes the next seed')
    .option('--objects <count>', 'number of objects in the sample (default: 3)')
    .option('--size <WxH>', 'size of the image in the sample (default: 640x480)')
    .option('--no-image', 'omit the image from the sample')
    .option('--no-annotations', 'omit the annotations from the sample')
    .option('--count <count>', 'send this many requests, without waiting for their runs')
    .option('--rate <count>', 'with --count: requests per second (default: as fast as they are answered)')
    .option('--verbose', 'with --count: print a line per request');
  addServerOptions(command, 'token of the sink').action((sink: string, options: SendOptions) => send(sink, options, context));
}

async function send(sink: string, options: SendOptions, context: CliContext): Promise<void> {
  const { io } = context;
  const { method = 'POST', token, header = [] } = options;
  const pace = readPace(options);
  const bodyOf = await readBodies(options, io);
  const requestOf = async (index: number): Promise<TriggerOptions> => {
    const body = await bodyOf(index);
    if (body !== null && method === 'GET')
      throw new ExitError('a GET request has no body; leave it out, or choose another --method', WRONG_USAGE);
    return { method, headers: readHeaders(header, body), ...(body === null ? {} : { body: body.body }) };
  };
  // A fault of any request is a fault of the first one too.
  const first = await requestOf(0);
  const { url, path } = splitTarget(sink);
  const client = await connectToSink(url ?? options.url, token, context);
  const stop = io.interruption();
  if (pace !== null) {
    const isVerbose = options.verbose === true;
    return await sendMany({ ...pace, stop, isVerbose, requestOf, submit: (request) => client.submit(path, request) }, io);
  }
  const run = await client.trigger(path, { ...first, signal: stop });
  printHint(io, run.runId);
  await watchRun(run, io, stop);
}

/** Null for a single request, which is watched. */
function readPace({ count, rate, verbose }: SendOptions): { count: number; rate: number | null } | null {
  if (count === undefined) {
    const flag = rate !== undefined ? '--rate' : verbose === true ? '--verbose' : null;
    if (flag !== null) throw new ExitError(`${flag} is an option of --count; give both`, WRONG_USAGE);
    return null;
  }
  return { count: readWhole('--count', count, COUNT), rate: rate === undefined ? null : readPositive('--rate', rate, MAX_RATE) };
}

/** Returns a function that creates the body of each request: the same for all, or one sample each. */
async function readBodies(options: SendOptions, io: Io): Promise<(index: number) => Promise<SendBody | null>> {
  const { payload, data, json, form, file } = options;
  if (payload === undefined) {
    refuseSampleFlags(options);
    const body = await readSendBody(options, io.stdin);
    return async () => body;
  }
  if ([data, json, form, file].some((flag) => flag !== undefined))
    throw new ExitError('--payload creates the whole body; leave out --data, --json, --form and --file', WRONG_USAGE);
  return readSampleFlags(payload, options);
}

/** Splits a target into the server and the path of the sink; `url` is undefined without a server. */
function splitTarget(target: string): { url: string | undefined; path: string } {
  if (!/^https?:\/\//.test(target)) {
    const path = target.replace(/^\/+/, '');
    // `sink` and `api` are not valid app ids: they start a full path.
    return { url: undefined, path: /^(?:sink|api)\//.test(path) ? `/${path}` : TRIGGER_ROUTE + path };
  }
  if (parseUrl(target) === null) throw new ExitError(`"${target}" is not a URL`, WRONG_USAGE);
  const { origin, pathname, search } = new URL(target);
  const route = pathname.search(/(?:\/api\/v1)?\/sink\/trigger\/http\//);
  return route === -1
    ? { url: origin, path: pathname + search }
    : { url: origin + pathname.slice(0, route), path: pathname.slice(route) + search };
}

function readHeaders(lines: string[], body: SendBody | null): Headers {
  const headers = new Headers();
  for (const line of lines) {
    const [, name = '', value = ''] = /^([^:\s]+):\s*(.*)$/.exec(line) ?? [];
    try {
      headers.append(name, value);
    } catch {
      throw new ExitError(`--header "${line}": write it as name: value`, WRONG_USAGE);
    }
  }
  if (body !== null && body.contentType !== null && !headers.has('content-type')) headers.set('content-type', body.contentType);
  return headers;
}

function collect(value: string, previous: string[] = []): string[] {
  return [...previous, value];
}
