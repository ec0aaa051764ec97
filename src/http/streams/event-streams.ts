// The open streams: begins them, keeps idle connections alive, and ends all when the server stops. Runs never wait
// for a reader.

import type { ServerResponse } from 'node:http';
import { EventStream, type StreamTools } from './event-stream.ts';
import { MAX_STALLED_MS } from './unsent-answers.ts';

interface OpenStream {
  stop(): void;
}

export type EventStreamsOptions = Omit<StreamTools, 'maxStalledMs'> & Partial<Pick<StreamTools, 'maxStalledMs'>>;

const HEARTBEAT_EVERY_MS = 15_000;

export class EventStreams {
  readonly #tools: StreamTools;
  readonly #open = new Map<ServerResponse, OpenStream>();
  readonly #heartbeat = setInterval(() => this.#beat(), HEARTBEAT_EVERY_MS);
  readonly #forget = (response: ServerResponse): void => void this.#open.delete(response);

  constructor({ maxStalledMs = MAX_STALLED_MS, ...tools }: EventStreamsOptions) {
    this.#tools = { ...tools, maxStalledMs };
  }

  get openCount(): number {
    return this.#open.size;
  }

  /**
   * Sends the events after `after` up to the run's end, then ends the response. `isLatest`: `after` is the last stored
   * event, so storage is not read.
   */
  follow(response: ServerResponse, runId: string, after: number, isLatest = false): void {
    const stream = new EventStream(this.#tools, response, runId, after, this.#forget);
    this.#open.set(response, stream);
    if (!isLatest) void stream.catchUp();
  }

  /** Keeps a stream of another kind alive, which calls its argument when it stops. */
  keep(response: ServerResponse, open: (onStop: (response: ServerResponse) => void) => OpenStream): void {
    this.#open.set(response, open(this.#forget));
  }

  /** Ends every stream between two events; readers resume with Last-Event-ID. */
  closeAll(): void {
    clearInterval(this.#heartbeat);
    for (const [response, stream] of this.#open) {
      stream.stop();
      response.end(': the server is stopping; resume with Last-Event-ID\n\n');
    }
  }

  #beat(): void {
    for (const response of this.#open.keys()) if (response.writableLength === 0) response.write(': heartbeat\n\n');
  }
}
