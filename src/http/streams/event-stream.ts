// One stream of a run's events: a cursor over the stored events that follows the live feed. A slow reader gets only the
// latest progress, and is disconnected when it stays behind.

import type { ServerResponse } from 'node:http';
import { isEnd, type RunEvent } from '../../core/run/run-event.ts';
import type { RunFeed } from '../../engine/run-feed.ts';
import type { StoredReads } from './stored-reads.ts';
import { formatFrame } from './stream-format.ts';
import { MAX_UNSENT_BYTES, type UnsentAnswers } from './unsent-answers.ts';

export interface StreamTools {
  reads: Pick<StoredReads, 'events' | 'release'>;
  feed: RunFeed;
  unsent: UnsentAnswers;
  /** How long a reader may leave waiting bytes unread. */
  maxStalledMs: number;
}

const STORAGE_RETRY_MS = 250;

export class EventStream {
  readonly #tools: StreamTools;
  readonly #response: ServerResponse;
  readonly #runId: string;
  readonly #onStop: (response: ServerResponse) => void;
  readonly #unwatch: () => void;
  /** Seq of the last event that was sent. */
  #cursor: number;
  #isStopped = false;
  #isReading = false;
  #isReadWanted = false;
  /** Set while the reader is behind. */
  #behindTimer: NodeJS.Timeout | undefined;

  /** Sends the events after `after`. Calls `onStop` when the run has ended, and when the connection closes. */
  constructor(tools: StreamTools, response: ServerResponse, runId: string, after: number, onStop: (response: ServerResponse) => void) {
    this.#tools = tools;
    this.#response = response;
    this.#runId = runId;
    this.#cursor = after;
    this.#onStop = onStop;
    this.#unwatch = tools.feed.watch(runId, (events) => this.#receive(events));
    response.once('close', () => this.stop());
  }

  /** Stops following; the response stays open. */
  stop(): void {
    this.#isStopped = true;
    this.#unwatch();
    clearTimeout(this.#behindTimer);
    this.#onStop(this.#response);
  }

  /** Reads the stored events after the cursor and sends them. */
  async catchUp(wasBehind = false): Promise<void> {
    const { reads } = this.#tools;
    this.#isReadWanted = this.#isReading || this.#behindTimer !== undefined;
    if (this.#isReadWanted) return;
    this.#isReading = true;
    const read = await reads.events(this.#runId, this.#cursor).catch(() => 'unavailable' as const);
    this.#isReading = false;
    if (this.#isStopped) return read !== null && read !== 'unavailable' ? reads.release(read.reservedBytes) : undefined;
    if (read === null) return this.#finish('', 0);
    // The database is locked or memory is full: the events stay stored and are read later.
    if (read === 'unavailable') return this.#retry(wasBehind);
    const { value: stored, reservedBytes } = read;
    if (stored.events.length > 0 || stored.ended)
      this.#send(wasBehind ? latestOnly(stored.events) : stored.events, stored.ended, reservedBytes);
    else reads.release(reservedBytes);
    if (this.#isReadWanted) void this.catchUp();
  }

  #retry(wasBehind: boolean): void {
    setTimeout(() => {
      if (!this.#isStopped) void this.catchUp(wasBehind);
    }, STORAGE_RETRY_MS);
  }

  #receive(events: readonly RunEvent[]): void {
    const isNext = events[0]?.seq === this.#cursor + 1;
    // Readers read a large end from storage, one after the other: together they would need a copy each.
    if (isNext && !this.#isReading && this.#behindTimer === undefined && !events.some(isLarge)) this.#send(events, events.some(isEnd), 0);
    else void this.catchUp();
  }

  #send(events: readonly RunEvent[], isEnded: boolean, reservedBytes: number): void {
    const { reads, unsent, maxStalledMs } = this.#tools;
    const text = events.map((event) => formatFrame(this.#runId, event)).join('');
    this.#cursor = events.at(-1)?.seq ?? this.#cursor;
    if (isEnded) return this.#finish(text, reservedBytes);
    reads.release(reservedBytes);
    this.#response.write(text);
    unsent.track(this.#response, maxStalledMs);
    if (this.#response.writableLength > MAX_UNSENT_BYTES) this.#waitForReader();
  }

  #finish(text: string, reservedBytes: number): void {
    const { unsent, maxStalledMs } = this.#tools;
    this.stop();
    unsent.end(this.#response, text, reservedBytes, maxStalledMs);
  }

  #waitForReader(): void {
    const { unsent, maxStalledMs } = this.#tools;
    const response = this.#response;
    this.#behindTimer = setTimeout(() => response.destroy(), maxStalledMs);
    response.once('drain', () => {
      clearTimeout(this.#behindTimer);
      this.#behindTimer = undefined;
      unsent.track(response, maxStalledMs);
      void this.catchUp(true);
    });
  }
}

/** For a reader that fell behind: keeps the last progress and the end. */
function latestOnly(events: RunEvent[]): RunEvent[] {
  const lastProgress = events.findLastIndex((event) => !isEnd(event));
  return events.filter((event, index) => isEnd(event) || index === lastProgress);
}

function isLarge(event: RunEvent): boolean {
  return isEnd(event) && (event.outcome.output?.length ?? 0) > MAX_UNSENT_BYTES;
}
