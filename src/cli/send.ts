// `sluice send`: sends one request to a sink and watches the run that it starts.

import { type Command, Option } from 'commander';
import { addServerOptions, connectToSink } from './connect.ts';
import { ExitError, WRONG_USAGE } from './exit-error.ts';
import { printHint } from './output.ts';
import type { CliContext } from './program.ts';
import { type BodyFlags, readSendBody, type SendBody } from './send-body.ts';
import { watchRun } from './watch-run.ts';

interface SendOptions extends BodyFlags {
  url?: string;
  token?: string;
  method?: string;
  header?: string[];
}

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'];
const TRIGGER_ROUTE = '/sink/trigger/http/';

export function define(command: Command, context: CliContext): void {
  command
    .argument('<sink>', 'app_id/path, or the whole URL of a sink')
    .option('--data <text>', 'body: the text, @file, or @- for standard input; sent as JSON when it looks like it')
    .option('--json <text>', 'body that is JSON: the text, @file or @-')
    .option('--form <name=value>', 'form field, any number of times', collect)
    .option('--file <name=@path>', 'file of a multipart form, any number of times', collect)
    .addOption(new Option('--method <method>', 'POST unless given').choices(METHODS))
    .option('--header <name: value>', 'request header, any number of times', collect);
  addServerOptions(command, 'token of the sink').action((sink: string, options: SendOptions) => send(sink, options, context));
}

async function send(sink: string, options: SendOptions, context: CliContext): Promise<void> {
  const { io } = context;
  const { method = 'POST', token, header = [] } = options;
  const body = await readSendBody(options, io.stdin);
  if (body !== null && method === 'GET')
    throw new ExitError('a GET request has no body; leave it out, or choose another --method', WRONG_USAGE);
  const { url, path } = splitTarget(sink);
  const client = await connectToSink(url ?? options.url, token, context);
  const signal = io.interruption();
  const headers = readHeaders(header, body);
  const run = await client.trigger(path, { method, headers, signal, ...(body === null ? {} : { body: body.body }) });
  printHint(io, run.runId);
  await watchRun(run, io, signal);
}

/** The server and the path of the sink on it; `url` is undefined where the target names no server. */
function splitTarget(target: string): { url: string | undefined; path: string } {
  if (!/^https?:\/\//.test(target)) {
    const path = target.replace(/^\/+/, '');
    // No app can be called `sink` or `api`: these begin a path that is whole already.
    return { url: undefined, path: /^(?:sink|api)\//.test(path) ? `/${path}` : TRIGGER_ROUTE + path };
  }
  if (!URL.canParse(target)) throw new ExitError(`"${target}" is no URL`, WRONG_USAGE);
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
