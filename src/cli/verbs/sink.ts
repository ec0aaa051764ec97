// `sluice sink`: lists, creates and deletes sinks, lists their schedules, rotates their tokens, and infers their schemas.

import type { Command } from 'commander';
import type { Client } from '../../client/client.ts';
import type { ScheduleInfo, SinkFields, SinkInfo } from '../../client/wire/wire-types.ts';
import type { Environment } from '../../config/config.ts';
import { readYamlFile } from '../../definitions/yaml/yaml-file.ts';
import { addServerOptions, connect, type ServerOptions } from '../connect.ts';
import type { CliContext } from '../context.ts';
import { ExitError, FAILED, WRONG_USAGE } from '../exit-error.ts';
import { findSink as findNamedSink, readSinkName } from '../forwarding/find-sink.ts';
import { addOutputOption, type Cell, type OutputOptions, printHint, printJson, printLine, printTable } from '../output/output.ts';
import { printable } from '../output/printable.ts';
import { timeOf } from '../output/run-view.ts';
import { defineInfer } from './samples/infer.ts';

export function define(command: Command, context: CliContext): void {
  const { io } = context;
  const list = command.command('list').description('list sinks').option('--app <app_id>', 'only this app');
  addOutputOption(addServerOptions(list)).action(async (options: ServerOptions & OutputOptions & { app?: string }) => {
    const sinks = await (await connect(options, context)).sinks.list(options.app);
    if (options.output === 'json') return printJson(io, { sinks });
    if (sinks.length === 0) return printHint(io, 'no sinks');
    const columns = ['SINK', 'APP', 'METHOD', 'PATH', 'AUTH', 'WORKFLOW', 'MANAGED BY'];
    const hasCounts = sinks.some(({ flow_state: state }) => state !== undefined);
    printTable(
      io,
      hasCounts ? [...columns, 'RUNS'] : columns,
      sinks.map((sink) => {
        const cells = [sink.id, sink.app_id, sink.method, sink.path, authOf(sink), workflowsOf(sink), sink.managed_by];
        return hasCounts ? [...cells, runsOf(sink)] : cells;
      }),
    );
  });

  defineSchedules(command, context);
  defineCreate(command, context);
  defineCapturedSecret(command, context);
  defineCaptureRefused(command, context);
  defineInfer(command, context);

  const remove = command.command('delete').description('delete a sink').argument('<sink_id>');
  addServerOptions(remove).action(async (sinkId: string, options: ServerOptions) => {
    const client = await connect(options, context);
    const sink = await findSink(client, sinkId);
    await client.sinks.delete(sink.app_id, sinkId);
    printHint(io, `deleted ${sinkId}: ${sink.method} ${sink.path} of app ${sink.app_id}`);
  });

  const rotate = command
    .command('rotate-token')
    .description('replace the tokens of a sink with a new one, and print it')
    .argument('<sink_id>')
    .option('--keep <hours>', 'let the old tokens stay valid for these hours, such as 24h', '0h');
  addOutputOption(addServerOptions(rotate), ['text', 'json']).action(async (sinkId: string, options: RotateOptions) => {
    const keepHours = readHours(options.keep);
    const client = await connect(options, context);
    const rotated = await client.sinks.rotateToken((await findSink(client, sinkId)).app_id, sinkId, { keep_hours: keepHours });
    if (options.output === 'json') return printJson(io, rotated);
    printLine(io, rotated.auth_token);
    printHint(io, 'this is the only time that the token is shown');
  });
}

function defineSchedules(command: Command, { io, ...context }: CliContext): void {
  const schedules = command.command('schedules').description('list schedules, next first').option('--app <app_id>', 'only this app');
  addOutputOption(addServerOptions(schedules)).action(async (options: ServerOptions & OutputOptions & { app?: string }) => {
    const page = await (await connect(options, { io, ...context })).sinks.schedules({ app_id: options.app, limit: MAX_SCHEDULES });
    if (options.output === 'json') return printJson(io, page);
    if (page.total === 0) return printHint(io, 'no schedules');
    printTable(io, ['SCHEDULE', 'APP', 'PATH', 'CRON', 'TIME ZONE', 'NEXT', 'LAST'], page.schedules.map(scheduleRow));
    if (page.total > page.schedules.length) printHint(io, `${page.total - page.schedules.length} more come later`);
  });
}

const MAX_SCHEDULES = 500;

function scheduleRow({ name, app_id: appId, path, cron, time_zone: zone, next_at: next, last_at: last }: ScheduleInfo): Cell[] {
  return [name, appId, path, cron, zone ?? 'UTC', next === null ? null : timeOf(next), last === null ? null : timeOf(last)];
}

interface RotateOptions extends ServerOptions, OutputOptions {
  keep: string;
}

function readHours(text: string): number {
  const hours = /^(\d{1,4})h?$/.exec(text)?.[1];
  if (hours === undefined) throw new ExitError(`--keep: "${text}" is not a number of hours, such as 24h`, WRONG_USAGE);
  return Number(hours);
}

function defineCapturedSecret(command: Command, context: CliContext): void {
  const { io } = context;
  const captured = command
    .command('captured-secret')
    .description('show the secret that the provider of a sink has brought with its first request; once only')
    .argument('<sink_id>');
  addServerOptions(captured).action(async (sinkId: string, options: ServerOptions) => {
    const client = await connect(options, context);
    const secret = await client.sinks.capturedSecret((await findSink(client, sinkId)).app_id, sinkId);
    printLine(io, printable(secret));
    printHint(io, 'this is the only time that the secret is shown');
  });
}

function defineCaptureRefused(command: Command, context: CliContext): void {
  const capture = command
    .command('capture-refused')
    .description('keep the next request that the sink refuses, so that "sluice rejection get" shows it')
    .argument('<sink>', 'app/path, or the id of a sink');
  addServerOptions(capture).action(async (name: string, options: ServerOptions) => {
    const named = readSinkName('sink', name);
    if (named.server !== null) throw new ExitError('sink: write app/path, and --url for the server', WRONG_USAGE);
    const client = await connect(options, context);
    const sink = await findNamedSink(client, named);
    const { waits_until: end } = await client.sinks.captureRefused(sink.app_id, sink.id);
    printHint(
      context.io,
      `the next request that ${sink.method} /${sink.app_id}${sink.path} refuses until ${timeOf(end)} is kept for an hour`,
    );
    printHint(context.io, `"sluice rejection list --sink ${sink.id}" shows its position`);
  });
}

interface CreateOptions extends ServerOptions, OutputOptions {
  app?: string;
  path?: string;
  method?: string;
  authToken?: string;
  auth?: string;
  secret?: string[];
  workflow?: string;
  payload?: string;
  body?: string;
  file?: string;
}

function defineCreate(command: Command, context: CliContext): void {
  const { environment, io } = context;
  const create = command
    .command('create')
    .description('create a sink from flags, a file or both; flags override the file')
    .option('--app <app_id>', 'app of the sink; created if it does not exist')
    .option('--path <path>', 'path, such as /webhook')
    .option('--method <method>', 'GET, POST, PUT, PATCH, DELETE or ANY')
    .option('--auth-token <token>', 'bearer token that callers must send; without a token, anyone may trigger the sink')
    .option('--auth <scheme>', 'how the sender proves itself, such as github, stripe or hmac; with --secret')
    .option('--secret <secret...>', 'secret of the scheme; more than one while it changes')
    .option('--workflow <workflow_id>', 'workflow to run; without a workflow, requests are only recorded')
    .option('--payload <platform>', 'accept only requests of this platform: robovision, v7 or roboflow')
    .option('--body <how>', 'how to parse bodies: auto (by content type), json, form, text or raw')
    .option('--file <path>', 'YAML or JSON file with these or other fields of the sink');
  addOutputOption(addServerOptions(create), ['text', 'json']).action(async (options: CreateOptions) => {
    const { appId, fields } = await readSink(options, environment);
    const sink = await (await connect(options, context)).sinks.create(appId, fields);
    if (options.output === 'json') return printJson(io, sink);
    printLine(io, `${sink.id}  ${sink.method} ${sink.url}`);
    if (sink.public) printHint(io, 'the sink is public: anyone may trigger it');
  });
}

async function readSink(options: CreateOptions, environment: Environment): Promise<{ appId: string; fields: SinkFields }> {
  const { app, path, method, authToken, workflow, payload, body, file } = options;
  const fromOptions = { app_id: app, path, method, auth_token: authToken, auth: readScheme(options), workflow_id: workflow, payload, body };
  const fields: Record<string, unknown> = {
    ...(file === undefined ? {} : await readSinkFile(file, environment)),
    ...Object.fromEntries(Object.entries(fromOptions).filter(([, value]) => value !== undefined)),
  };
  for (const [flag, name] of [
    ['--app', 'app_id'],
    ['--path', 'path'],
    ['--method', 'method'],
  ] as const) {
    if (typeof fields[name] !== 'string')
      throw new ExitError(`${flag} is missing${file === undefined ? '' : `: ${file} has no ${name}`}`, WRONG_USAGE);
  }
  return { appId: fields['app_id'] as string, fields: fields as SinkFields };
}

function readScheme({ auth: type, secret: secrets }: CreateOptions): object | undefined {
  if (type === undefined && secrets === undefined) return undefined;
  if (type === undefined) throw new ExitError('--auth is missing: it names the scheme of the --secret', WRONG_USAGE);
  return { type, ...(secrets === undefined ? {} : { secrets }) };
}

async function readSinkFile(path: string, environment: Environment): Promise<object> {
  const { value, faults } = await readYamlFile(path, environment);
  if (faults.length > 0) throw new ExitError(faults.map(printable).join('\n'), FAILED);
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new ExitError(`${path} must be a mapping with the fields of a sink`, FAILED);
  return value;
}

async function findSink({ sinks }: Client, sinkId: string): Promise<SinkInfo> {
  const sink = (await sinks.list()).find(({ id }) => id === sinkId);
  if (sink === undefined) throw new ExitError(`there is no sink "${sinkId}"; "sluice sink list" shows all`, FAILED);
  return sink;
}

function workflowsOf({ workflow_id: id, workflows = [] }: SinkInfo): string | null {
  return workflows.length === 0 ? id : workflows.map((entry) => entry.workflow_id).join(', ');
}

/** Only a sink with flow control counts its runs. */
function runsOf({ flow_state: state }: SinkInfo): string {
  return state === undefined ? '' : `${state.in_flight} in flight, ${state.held} held`;
}

function authOf({ public: isPublic, auth }: SinkInfo): string {
  return isPublic ? 'public' : auth;
}
