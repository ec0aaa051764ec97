// Server-sent events of runs (WHATWG HTML, 9.2). A stream is a cursor over stored events that follows the live feed. Runs
// never wait for a reader: a slow one gets only the latest progress, and is disconnected when it stays behind.

import type { ServerResponse } from 'node:http';
import { eventData, isEnd, type RunEvent } from '../../core/run/run-event.ts';
import type { RunFeed } from '../../engine/run-feed.ts';
import type { StoredReads } from './stored-reads.ts';
import { MAX_STALLED_MS, MAX_UNSENT_BYTES, type UnsentAnswers } from './unsent-answers.ts';

export interface EventStreams {
  /**
   * Sends the events after `after` up to the run's end, then ends the response. `isLatest`: `after` is the last stored
   * event, so storage is not read.
   */
  follow(response: ServerResponse, runId: string, after: number, isLatest?: boolean): void;
  /** Ends every stream between two events; readers resume with Last-Event-ID. */
  closeAll(): void;
}

/** Alternating names and values. `length` is set when the whole stream is known. */
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

/** Has no `event:` line, so that EventSource.onmessage and line readers both see the event. */
export function formatFrame(runId: string, event: RunEvent): string {
  return `id: ${event.seq}\ndata: ${eventData(runId, event)}\n\n`;
}

export interface EventStreamsOptions {
  reads: Pick<StoredReads, 'events' | 'release'>;
  feed: RunFeed;
  unsent: UnsentAnswers;
  /** How long a reader may leave waiting bytes unread. */
  maxStalledMs?: number;
}

export function createEventStreams({ reads, feed, unsent, maxStalledMs = MAX_STALLED_MS }: EventStreamsOptions): EventStreams {
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
      // Readers read a large end from storage, one after the other: together they would need a copy each.
      if (isNext && !isReading && behindTimer === undefined && !events.some(isLarge)) send(events, events.some(isEnd));
      else void catchUp();
    });

    function stop(): void {
      unwatch();
      clearTimeout(behindTimer);
      open.delete(response);
    }

    function finish(text: string, reservedBytes = 0): void {
      stop();
      unsent.end(response, text, reservedBytes, maxStalledMs);
    }

    function send(events: readonly RunEvent[], isEnded: boolean, reservedBytes = 0): void {
      const text = events.map((event) => formatFrame(runId, event)).join('');
      cursor = events.at(-1)?.seq ?? cursor;
      if (isEnded) return finish(text, reservedBytes);
      reads.release(reservedBytes);
      response.write(text);
      unsent.track(response, maxStalledMs);
      if (response.writableLength > MAX_UNSENT_BYTES) waitForReader();
    }

    function waitForReader(): void {
      behindTimer = setTimeout(() => response.destroy(), maxStalledMs);
      response.once('drain', () => {
        clearTimeout(behindTimer);
        behindTimer = undefined;
        unsent.track(response, maxStalledMs);
        void catchUp(true);
      });
    }

    async function catchUp(wasBehind = false): Promise<void> {
      isReadWanted = isReading || behindTimer !== undefined;
      if (isReadWanted) return;
      isReading = true;
      const read = await reads.events(runId, cursor).catch(() => 'unavailable' as const);
      isReading = false;
      if (!open.has(response)) return read !== null && read !== 'unavailable' ? reads.release(read.reservedBytes) : undefined;
      if (read === null) return finish('');
      // The database is locked or memory is full: the events stay stored and are read later.
      if (read === 'unavailable') return void setTimeout(() => open.has(response) && void catchUp(wasBehind), STORAGE_RETRY_MS);
      const { value: stored, reservedBytes } = read;
      if (stored.events.length > 0 || stored.ended)
        send(wasBehind ? latestOnly(stored.events) : stored.events, stored.ended, reservedBytes);
      else reads.release(reservedBytes);
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

/** For a reader that fell behind: keeps the last progress and the end. */
function latestOnly(events: RunEvent[]): RunEvent[] {
  const lastProgress = events.findLastIndex((event) => !isEnd(event));
  return events.filter((event, index) => isEnd(event) || index === lastProgress);
}

function isLarge(event: RunEvent): boolean {
  return isEnd(event) && (event.outcome.output?.length ?? 0) > MAX_UNSENT_BYTES;
}
