// Times the run lists of the admin API, each filter many times.

import { performance } from 'node:perf_hooks';
import type { SluiceProcess } from '../sluice-process.ts';
import { median } from '../statistics.ts';
import { HISTORY_APPS, type History } from './stored-runs.ts';

export interface ListTiming {
  query: string;
  /** Of the page. */
  runs: number;
  medianMs: number;
  maxMs: number;
}

const TIMES_EACH = 25;
const HOUR_MS = 3_600_000;

interface Page {
  runs: { run_id: string }[];
}

export async function timeRunLists(server: SluiceProcess, history: History): Promise<ListTiming[]> {
  // The first call pays for the connection.
  await server.admin('GET', '/runs?limit=1');
  const timings: ListTiming[] = [];
  for (const query of await queriesOf(server, history)) timings.push(await timeList(server, query));
  return timings;
}

async function timeList(server: SluiceProcess, query: string): Promise<ListTiming> {
  const times: number[] = [];
  let page: Page = { runs: [] };
  for (let call = 0; call < TIMES_EACH; call += 1) {
    const startedAt = performance.now();
    page = (await server.admin('GET', `/runs?${query}`)) as Page;
    times.push(performance.now() - startedAt);
  }
  return { query: query || '(none)', runs: page.runs.length, medianMs: median(times), maxMs: Math.max(...times) };
}

/** Filters that find much, little and nothing, near the end and deep. */
async function queriesOf(server: SluiceProcess, { from, until }: History): Promise<string[]> {
  const [busyApp, quietApp] = [HISTORY_APPS[0] as string, HISTORY_APPS.at(-1) as string];
  const [busySink, quietSink] = [await someSink(server, busyApp), await someSink(server, quietApp)];
  const time = (share: number): string => new Date(from + (until - from) * share).toISOString();
  const hour = `since=${time(0.5)}&until=${new Date(Date.parse(time(0.5)) + HOUR_MS).toISOString()}`;
  const deep = await cursorBefore(server, time(0.01));
  return [
    '',
    'limit=500',
    `app_id=${busyApp}`,
    `app_id=${quietApp}&limit=500`,
    `sink_id=${busySink}`,
    `sink_id=${quietSink}`,
    'status=completed',
    'status=failed',
    'status=queued',
    `app_id=${busyApp}&status=failed&limit=500`,
    `app_id=${quietApp}&status=cancelled`,
    `sink_id=${quietSink}&status=failed`,
    hour,
    `app_id=${quietApp}&${hour}`,
    `cursor=${deep}`,
    `app_id=${busyApp}&cursor=${deep}`,
    `status=failed&cursor=${deep}&limit=500`,
  ];
}

async function someSink(server: SluiceProcess, appId: string): Promise<string> {
  const { sinks } = (await server.admin('GET', `/apps/${appId}/sinks`)) as { sinks: { id: string }[] };
  return sinks[0]?.id as string;
}

async function cursorBefore(server: SluiceProcess, time: string): Promise<string> {
  const { runs } = (await server.admin('GET', `/runs?until=${time}&limit=1`)) as Page;
  return runs[0]?.run_id as string;
}
