// The live stream of the requests of one sink, as server-sent events whose ids are run ids. Requests are sent when their
// runs are on disk. A reader that resumes, or that fell behind, gets those that it missed from storage.

import type { ServerResponse } from 'node:http';
import { parseJson, stringifyJson } from '../../core/json/json.ts';
import type { RequestHead } from '../../core/run/request.ts';
import { joinRunId, NONCE_BYTES, parseRunId, runNumberAt, timeOfRunNumber } from '../../core/run/run-id.ts';
import type { StartedRun, StartedRuns } from '../../engine/started-runs.ts';
import type { Storage } from '../../storage/storage.ts';
import { MAX_STALLED_MS, MAX_UNSENT_BYTES, type UnsentAnswers } from '../streams/unsent-answers.ts';

export interface RequestStreamTools {
  storage: Pick<Storage, 'listRequests'>;
  startedRuns: StartedRuns;
  unsent: UnsentAnswers;
}

export interface FollowedSink {
  sinkId: string;
  /** The run of the reader's last event; null for a reader that begins. */
  after: string | null;
}

/** Run ids are in the order in which runs begin. A run with a large body may be stored later than a run that began after it. */
const OVERLAP_MS = 120_000;
const PAGE = 100;
/** Started runs that wait until the reader has caught up; beyond them it reads from storage. */
const MAX_WAITING = 100;
/** Runs that are remembered as sent. */
const MAX_SENT = 5000;
const STORAGE_RETRY_MS = 250;

export class RequestStream {
  readonly #tools: RequestStreamTools;
  readonly #response: ServerResponse;
  readonly #sinkId: string;
  readonly #unwatch: () => void;
  readonly #onStop: (response: ServerResponse) => void;
  readonly #sent = new Set<string>();
  /** The last run of the sink that was sent or skipped, in the order of ids. */
  #cursor: string;
  #waiting: StartedRun[] = [];
  /** Runs were missed that storage has. */
  #isScanWanted: boolean;
  #isPumping = false;
  #isStopped = false;

  /** `start` is the id of no run: all runs that begin from now on come after it. Calls `onStop` when the connection closes. */
  constructor(
    tools: RequestStreamTools,
    response: ServerResponse,
    { sinkId, after, start }: FollowedSink & { start: string },
    onStop: (response: ServerResponse) => void,
  ) {
    this.#tools = tools;
    this.#response = response;
    this.#sinkId = sinkId;
    this.#onStop = onStop;
    this.#cursor = after ?? start;
    this.#isScanWanted = after !== null;
    this.#unwatch = tools.startedRuns.watch(sinkId, (run) => this.#receive(run));
    response.once('close', () => this.stop());
    if (after === null) response.write(`id: ${start}\ndata: {"type":"ready"}\n\n`);
    void this.#pump();
  }

  /** Stops following; the response stays open. */
  stop(): void {
    this.#isStopped = true;
    this.#waiting = [];
    this.#unwatch();
    this.#onStop(this.#response);
  }

  #receive(run: StartedRun): void {
    if (this.#waiting.length < MAX_WAITING) this.#waiting.push(run);
    else this.#isScanWanted = true;
    void this.#pump();
  }

  async #pump(): Promise<void> {
    if (this.#isPumping) return;
    this.#isPumping = true;
    while (!this.#isStopped && (this.#isScanWanted || this.#waiting.length > 0)) {
      if (this.#isScanWanted) await this.#scan();
      for (let run = this.#waiting.shift(); run !== undefined; run = this.#waiting.shift()) await this.#send(run);
    }
    this.#isPumping = false;
  }

  /** Sends the runs in storage that the reader has not got. */
  async #scan(): Promise<void> {
    this.#isScanWanted = false;
    let after = runIdAt(beginOf(this.#cursor) - OVERLAP_MS);
    for (let isLast = false; !isLast && !this.#isStopped; ) {
      const page = await this.#tools.storage.listRequests(this.#sinkId, after, PAGE).catch(() => null);
      if (page === null) await new Promise((resolve) => setTimeout(resolve, STORAGE_RETRY_MS));
      for (const { runId, request, ...body } of page ?? []) await this.#send({ runId, head: parseJson(request) as RequestHead, ...body });
      after = page?.at(-1)?.runId ?? after;
      isLast = page !== null && page.length < PAGE;
    }
  }

  async #send(run: StartedRun): Promise<void> {
    const { runId } = run;
    if (this.#isStopped || this.#sent.has(runId)) return;
    this.#sent.add(runId);
    if (this.#sent.size > MAX_SENT) this.#sent.delete(this.#sent.values().next().value as string);
    if (runId > this.#cursor) this.#cursor = runId;
    const { unsent } = this.#tools;
    const response = this.#response;
    response.write(formatRequest(run));
    unsent.track(response, MAX_STALLED_MS);
    if (response.writableLength > MAX_UNSENT_BYTES) await drained(response);
    unsent.track(response, MAX_STALLED_MS);
  }
}

/** The id of a run that would begin now. */
export function runIdAt(ms: number): string {
  return joinRunId({ runNumber: runNumberAt(ms), nonce: '0'.repeat(NONCE_BYTES) });
}

function beginOf(runId: string): number {
  return timeOfRunNumber(parseRunId(runId)?.runNumber ?? 0).ms;
}

/** The payload of a platform is left out: it may be large. */
function formatRequest({ runId, head: { payload: _, ...request }, bodyKind, bodySize }: StartedRun): string {
  const data = { type: 'request', run_id: runId, body_kind: bodyKind, body_size: bodySize, request };
  return `id: ${runId}\ndata: ${stringifyJson(data)}\n\n`;
}

function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const finish = (): void => {
      response.off('drain', finish).off('close', finish);
      resolve();
    };
    response.on('drain', finish).on('close', finish);
  });
}
