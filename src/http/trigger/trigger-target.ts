// Where a request goes: the sink that it matches, and what the match leaves of its URL.

import type { Sink } from '../../core/sink/sink.ts';

export interface TriggerTarget {
  sink: Sink;
  params: Record<string, string>;
  /** Path below the app, without the query. */
  path: string;
  /** The part after `?`; empty without one. */
  query: string;
  /** Read when the request arrives: it is lost once the connection closes. */
  clientIp: string;
}
