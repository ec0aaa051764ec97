// Matches a request to a sink: exact segments before parameters before a wildcard, and a sink for one method before
// one for any. Built whole from the sinks and then never changed, so that a change of definitions is one assignment.

import findMyWay from 'find-my-way';
import { SINK_METHODS, type Sink } from '../core/sink.ts';

export type SinkMatch =
  | { kind: 'sink'; sink: Sink; params: Record<string, string> }
  /** The path is known under other methods. */
  | { kind: 'other_methods'; methods: string[] }
  | { kind: 'none' };

export interface SinkRouter {
  /** `path` starts with the app's segment (`/app/path`), percent-encoded as it came, without the query. */
  match(method: string, path: string): SinkMatch;
}

export function createSinkRouter(sinks: readonly Sink[]): SinkRouter {
  const router = findMyWay({ caseSensitive: true, ignoreTrailingSlash: true, maxParamLength: 4096 });
  const specificFirst = [...sinks].sort((a, b) => Number(a.method === 'ANY') - Number(b.method === 'ANY'));
  for (const sink of specificFirst) {
    const path = `/${sink.appId}${sink.path === '/' ? '' : sink.path}`;
    const methods = sink.method === 'ANY' ? SINK_METHODS : [sink.method];
    for (const method of methods) {
      if (!router.hasRoute(method, path)) router.on(method, path, noHandler, sink);
    }
  }
  return {
    match(method, path) {
      const wanted = /[^\x20-\x7e]|%[c-f]/i.test(path) ? encodeURI(decodeURI(path).normalize('NFC')) : path;
      const found = isSinkMethod(method) ? router.find(method, wanted) : null;
      if (found !== null) return { kind: 'sink', sink: found.store as Sink, params: found.params as Record<string, string> };
      const methods = SINK_METHODS.filter((other) => router.find(other, wanted) !== null);
      return methods.length > 0 ? { kind: 'other_methods', methods } : { kind: 'none' };
    },
  };
}

function isSinkMethod(method: string): method is (typeof SINK_METHODS)[number] {
  return (SINK_METHODS as readonly string[]).includes(method);
}

function noHandler(): void {
  // find-my-way wants a handler; only the sink stored beside it is used.
}
