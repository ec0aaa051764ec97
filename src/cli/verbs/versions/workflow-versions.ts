// `sluice workflow versions`, `diff` and `rollback`: the saved versions of a workflow on a server.

import type { Command } from 'commander';
import type { Client } from '../../../client/client.ts';
import type { ListDiff, VersionDiff } from '../../../client/wire/definition-wire.ts';
import { addServerOptions, connect, type ServerOptions } from '../../connect.ts';
import type { CliContext } from '../../context.ts';
import { ExitError, FAILED, WRONG_USAGE } from '../../exit-error.ts';
import { readWhole } from '../../number-flag.ts';
import { addOutputOption, type OutputOptions, printHint, printJson, printLine, printTable } from '../../output/output.ts';
import { timeOf } from '../../output/run-view.ts';

const MAX_VERSION = 999_999_999;
const WORKFLOW = ['<workflow>', 'app/workflow'] as const;

export function defineVersions(command: Command, context: CliContext): void {
  defineList(command, context);
  defineDiff(command, context);
  defineRollback(command, context);
}

interface ListOptions extends ServerOptions, OutputOptions {
  limit?: string;
  cursor?: string;
}

function defineList(command: Command, context: CliContext): void {
  const list = command
    .command('versions')
    .description('list the versions of a workflow, newest first')
    .argument(...WORKFLOW)
    .option('--limit <count>', 'maximum number to list, up to 100')
    .option('--cursor <cursor>', 'continue after an earlier list, with its cursor');
  addOutputOption(addServerOptions(list)).action(async (name: string, { limit, cursor, ...options }: ListOptions) => {
    const { io } = context;
    const { appId, workflowId } = readName(name);
    const page = await (await connect(options, context)).workflows.versions(appId, workflowId, {
      ...(limit === undefined ? {} : { limit: readWhole('--limit', limit, { min: 1, max: 100 }) }),
      ...(cursor === undefined ? {} : { cursor: readVersion('--cursor', cursor) }),
    });
    if (options.output === 'json') return printJson(io, page);
    const rows = page.versions.map((item) => [item.version, timeOf(item.created_at), item.is_current ? 'yes' : null]);
    printTable(io, ['VERSION', 'SAVED', 'CURRENT'], rows);
    if (page.next_cursor !== null) printHint(io, `there may be more: --cursor ${page.next_cursor}`);
  });
}

function defineDiff(command: Command, context: CliContext): void {
  const diff = command
    .command('diff')
    .description('show what differs between two versions of a workflow')
    .argument(...WORKFLOW)
    .argument('[from]', 'version to compare; the version before the newest by default')
    .argument('[to]', 'version to compare with; the current one by default');
  addOutputOption(addServerOptions(diff), ['text', 'json']).action(
    async (name: string, from: string | undefined, to: string | undefined, options: ServerOptions & OutputOptions) => {
      const { io } = context;
      const { appId, workflowId } = readName(name);
      const wanted = {
        ...(from === undefined ? {} : { from: readVersion('from', from) }),
        ...(to === undefined ? {} : { to: readVersion('to', to) }),
      };
      const client = await connect(options, context);
      const first = wanted.from ?? (await previousVersion(client, appId, workflowId));
      const found = await client.workflows.diff(appId, workflowId, { ...wanted, from: first });
      if (options.output === 'json') return printJson(io, found);
      const lines = linesOf(found);
      for (const line of lines) printLine(io, line);
      printHint(io, lines.length === 0 ? `version ${found.from} and version ${found.to} do not differ` : versionsOf(found));
    },
  );
}

function defineRollback(command: Command, context: CliContext): void {
  const rollback = command
    .command('rollback')
    .description('save the definition of an earlier version again, as a new version; runs that have started keep theirs')
    .argument(...WORKFLOW)
    .argument('<version>');
  addServerOptions(rollback).action(async (name: string, text: string, options: ServerOptions) => {
    const { appId, workflowId } = readName(name);
    const version = readVersion('version', text);
    const saved = await (await connect(options, context)).workflows.rollback(appId, workflowId, version);
    const result = saved.changed
      ? `version ${saved.version} of ${name} has the definition of version ${version}`
      : `version ${saved.version} of ${name} is current and has the definition of version ${version} already: nothing is changed`;
    printHint(context.io, result);
  });
}

function readName(text: string): { appId: string; workflowId: string } {
  const [, appId, workflowId] = /^([^/\s]+)\/([^/\s]+)$/.exec(text) ?? [];
  if (appId === undefined || workflowId === undefined)
    throw new ExitError(`workflow: "${text}" is not a workflow; write app/workflow`, WRONG_USAGE);
  return { appId, workflowId };
}

function readVersion(label: string, text: string): number {
  return readWhole(label, text, { min: 1, max: MAX_VERSION });
}

async function previousVersion({ workflows }: Client, appId: string, workflowId: string): Promise<number> {
  const { versions } = await workflows.versions(appId, workflowId, { limit: 2 });
  const [, previous] = versions;
  if (previous === undefined) throw new ExitError(`${appId}/${workflowId} has one version only`, FAILED);
  return previous.version;
}

function versionsOf({ from, to }: VersionDiff): string {
  return `from version ${from} to version ${to}`;
}

function linesOf({ inputs, steps, outputs, used_workflows: used, others }: VersionDiff): string[] {
  return [
    ...others.map((path) => `~ ${path}`),
    ...listLines('input', inputs),
    ...listLines('step', steps),
    ...listLines('output', outputs),
    ...listLines('used workflow', used),
  ];
}

function listLines(kind: string, { added, removed, changed, reordered }: ListDiff): string[] {
  return [
    ...added.map((name) => `+ ${kind} ${name}`),
    ...removed.map((name) => `- ${kind} ${name}`),
    ...changed.map(({ name, paths }) => `~ ${kind} ${name}: ${paths.map((path) => path || 'more').join(', ')}`),
    ...(reordered ? [`~ order of ${kind}s`] : []),
  ];
}
