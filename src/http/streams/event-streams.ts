// Server-sent events of runs (WHATWG HTML, 9.2). A stream is a cursor over the stored events that follows the live
// feed. A reader that is too slow gets only the latest progress, and is let go when it stays behind; the run never
// waits for it.

import type { ServerResponse } from 'node:http';
import { eventData, isEnd, type RunEvent } from '../../core/run/run-event.ts';
import type { RunFeed } from '../../engine/run-feed.ts';
import type { StoredReads } from './stored-reads.ts';
import { MAX_BEHIND_MS, MAX_UNSENT_BYTES, type UnsentAnswers } from './unsent-answers.ts';

export interface EventStreams {
  /**
   * Sends the events that follow `after`, up to the one that ends the run, then ends the response. `isLatest`: none is
   * stored after it yet, so that the storage need not be asked.
   */
  follow(response: ServerResponse, runId: string, after: number, isLatest?: boolean): void;
  /** Ends every stream between two events; readers come back with Last-Event-ID. */
  closeAll(): void;
}

/** Names and values in turn. `length` is given where the whole stream is known. */
export function streamHeaders(runId: string, length?: number): string[] {
  const headers = [
    'content-type',
    'text/event-stream',
    'cache-control',
    'no-cache, no-transform',
    'x-accel-buffering',
    'no',
    'x-run-id',
    runId,
  ];
  if (length !== undefined) headers.push('content-length', String(length));
  return headers;
}

const HEARTBEAT_EVERY_MS = 15_000;
const STORAGE_RETRY_MS = 250;

/** No `event:` line, so that EventSource.onmessage and line readers both see it. */
export function formatFrame(runId: string, event: RunEvent): string {
  return `id: ${event.seq}\ndata: ${eventData(runId, event)}\n\n`;
}

export interface EventStreamsOptions {
  reads: Pick<StoredReads, 'events' | 'giveBack'>;
  feed: RunFeed;
  unsent: UnsentAnswers;
  /** How long a reader may take nothing of what waits for it. */
  maxBehindMs?: number;
}

export function createEventStreams({ reads, feed, unsent, maxBehindMs = MAX_BEHIND_MS }: EventStreamsOptions): EventStreams {
  const open = new Map<ServerResponse, () => void>();
  const heartbeat = setInterval(() => {
    for (const response of open.keys()) if (response.writableLength === 0) response.write(': heartbeat\n\n');
  }, HEARTBEAT_EVERY_MS);

  function follow(response: ServerResponse, runId: string, after: number, isLatest = false): void {
    let cursor = after;
    let isReading = false;
    let isReadWanted = false;
    let behindTimer: NodeJS.Timeout | undefined;

    const unwatch = feed.watch(runId, (events) => {
      const isNext = events[0]?.seq === cursor + 1;
      // An end that is large is read again by each reader in its turn: all at once they would hold a copy each.
      if (isNext && !isReading && behindTimer === undefined && !events.some(isLarge)) send(events, events.some(isEnd));
      else void catchUp();
    });

    function stop(): void {
      unwatch();
      clearTimeout(behindTimer);
      open.delete(response);
    }

    function finish(text: string, held = 0): void {
      stop();
      unsent.end(response, text, held, maxBehindMs);
    }

    function send(events: readonly RunEvent[], isEnded: boolean, held = 0): void {
      const text = events.map((event) => formatFrame(runId, event)).join('');
      cursor = events.at(-1)?.seq ?? cursor;
      if (isEnded) return finish(text, held);
      reads.giveBack(held);
      response.write(text);
      unsent.note(response, maxBehindMs);
      if (response.writableLength > MAX_UNSENT_BYTES) waitForReader();
    }

    function waitForReader(): void {
      behindTimer = setTimeout(() => response.destroy(), maxBehindMs);
      response.once('drain', () => {
        clearTimeout(behindTimer);
        behindTimer = undefined;
        unsent.note(response, maxBehindMs);
        void catchUp(true);
      });
    }

    async function catchUp(wasBehind = false): Promise<void> {
      isReadWanted = isReading || behindTimer !== undefined;
      if (isReadWanted) return;
      isReading = true;
      const read = await reads.events(runId, cursor).catch(() => 'unavailable' as const);
      isReading = false;
      if (!open.has(response)) return read !== null && read !== 'unavailable' ? reads.giveBack(read.held) : undefined;
      if (read === null) return finish('');
      // The database is locked, or there is no room in memory: what is stored stays there to be read.
      if (read === 'unavailable') return void setTimeout(() => open.has(response) && void catchUp(wasBehind), STORAGE_RETRY_MS);
      const { value: stored, held } = read;
      if (stored.events.length > 0 || stored.ended) send(wasBehind ? latestOnly(stored.events) : stored.events, stored.ended, held);
      else reads.giveBack(held);
      if (isReadWanted) void catchUp();
    }

    open.set(response, stop);
    response.once('close', stop);
    if (!isLatest) void catchUp();
  }

  return {
    follow,
    closeAll() {
      clearInterval(heartbeat);
      for (const [response, stop] of open) {
        stop();
        response.end(': the server is stopping; resume with Last-Event-ID\n\n');
      }
    },
  };
}

/** For a reader that fell behind: of all that it missed, the last progress and the end. */
function latestOnly(events: RunEvent[]): RunEvent[] {
  const lastProgress = events.findLastIndex((event) => !isEnd(event));
  return events.filter((event, index) => isEnd(event) || index === lastProgress);
}

function isLarge(event: RunEvent): boolean {
  return isEnd(event) && (event.outcome.output?.length ?? 0) > MAX_UNSENT_BYTES;
}
