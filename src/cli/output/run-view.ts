// Formats runs for people.

import type { RequestInfo, RunDetails, RunFault, RunHead, RunSummary, StepInfo } from '../../client/wire/wire-types.ts';
import type { Io } from '../io.ts';
import { type Cell, printHint, printJson, printLine, printTable } from './output.ts';

/** RUN, STATUS, PROGRESS, APP, WORKFLOW, CREATED, TOOK. */
export function runRow(run: RunSummary): Cell[] {
  return [
    run.run_id,
    run.replay?.mode === 'dry' ? `${run.status} (dry)` : run.status,
    `${run.progress}%`,
    run.app_id,
    workflowOf(run),
    timeOf(run.created_at),
    tookOf(run.created_at, run.finished_at),
  ];
}

/** What a run and its head have in common. */
interface ShownRun extends RunSummary, Pick<RunDetails, 'output'> {
  request: RequestInfo;
  steps: StepInfo[];
}

export function printRun(io: Io, run: ShownRun): void {
  const { request } = run;
  const facts: [string, string][] = [
    ['run', run.run_id],
    ['status', `${run.status}, ${run.progress}%`],
    ['app', run.app_id],
    ['sink', run.sink_id],
    ['workflow', workflowOf(run) ?? 'none: the request is recorded'],
    ['request', `${request.method} ${request.path} ${senderOf(request)}`],
    ...(run.replay === undefined ? [] : [['replay', `of ${run.replay.of}, ${run.replay.mode}`] as [string, string]]),
    ['created', timeOf(run.created_at)],
    ['finished', run.finished_at === null ? 'not yet' : `${timeOf(run.finished_at)}, after ${tookOf(run.created_at, run.finished_at)}`],
    ...(run.error === undefined ? [] : [['error', faultText(run.error)] as [string, string]]),
  ];
  for (const [name, value] of facts) printLine(io, `${name.padEnd(10)}${value}`);
  if (run.steps.length > 0) {
    printLine(io, '');
    printTable(io, ['STEP', 'TYPE', 'STATUS', 'ATTEMPT', 'TOOK', 'ERROR'], run.steps.map(stepRow));
  }
  if (run.output === undefined) return;
  printLine(io, '');
  printJson(io, run.output);
}

export function printHead(io: Io, head: RunHead): void {
  const { request, output_size: outputSize, left_out: leftOut } = head;
  printRun(io, head);
  printLine(io, '');
  printLine(io, `body      ${request.body_size} bytes`);
  printLine(io, `output    ${outputSize === null ? 'none' : `${outputSize} bytes`}`);
  for (const [list, { count }] of Object.entries(leftOut)) if (count > 0) printHint(io, `${count} more ${list}`);
}

function senderOf({ schedule, client_ip: ip }: RequestInfo): string {
  return schedule === undefined ? `from ${ip}` : `by schedule ${schedule.name} of ${timeOf(schedule.at)}`;
}

function stepRow({
  step,
  type,
  visit,
  status,
  attempt,
  started_at: startedAt,
  finished_at: finishedAt,
  due_at: dueAt,
  waits_for: waitsFor,
  error,
}: StepInfo): Cell[] {
  return [
    visit > 1 ? `${step}, visit ${visit}` : step,
    type,
    waitsFor === undefined || dueAt === undefined ? status : `${status} for a ${waitsFor} until ${timeOf(dueAt)}`,
    attempt,
    tookOf(startedAt, finishedAt),
    error === undefined ? null : faultText(error),
  ];
}

function workflowOf({ workflow_id: id, workflow_version: version }: RunSummary): string | null {
  return id === null ? null : `${id} v${version}`;
}

function faultText({ code, message, step }: RunFault): string {
  return `${step === undefined ? '' : `step "${step}": `}${message} (${code})`;
}

/** ISO 8601, in seconds. */
export function timeOf(time: string): string {
  return time.replace(/\.\d+Z$/, 'Z');
}

function tookOf(from: string | null, to: string | null): string | null {
  return from === null || to === null ? null : `${((Date.parse(to) - Date.parse(from)) / 1000).toFixed(2)} s`;
}
