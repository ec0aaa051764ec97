// Matches a request to a sink: exact segments before parameters before a wildcard, and a sink for one method before one
// for any. A router is immutable, so a change of definitions is one assignment.

import findMyWay from 'find-my-way';
import { SINK_METHODS, type Sink } from '../../core/sink/sink.ts';

export type SinkMatch =
  | { kind: 'sink'; sink: Sink; params: Record<string, string> }
  /** The path matches sinks for other methods only. */
  | { kind: 'other_methods'; methods: string[]; sinks: Sink[] }
  | { kind: 'none' };

export interface SinkRouter {
  /** `path` starts with the app's segment (`/app/path`), still percent-encoded, without the query. */
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
  const find = (method: RequestMethod, path: string): ReturnType<typeof router.find> => {
    const found = router.find(method, path);
    return found !== null && hasEmptyParam(found.params) ? null : found;
  };
  return {
    match(method, path) {
      const wanted = /[^\x20-\x7e]|%[c-f]/i.test(path) ? inNormalForm(path) : path;
      const found = isSinkMethod(method) ? find(method, wanted) : null;
      if (found !== null) return { kind: 'sink', sink: found.store as Sink, params: found.params as Record<string, string> };
      const others = SINK_METHODS.flatMap((other) => {
        const sink = find(other, wanted)?.store as Sink | undefined;
        return sink === undefined ? [] : [{ method: other, sink }];
      });
      if (others.length === 0) return { kind: 'none' };
      return { kind: 'other_methods', methods: others.map((other) => other.method), sinks: others.map((other) => other.sink) };
    },
  };
}

type RequestMethod = (typeof SINK_METHODS)[number];

/** An empty segment (`//`) must not match a parameter. */
function hasEmptyParam(params: Record<string, string | undefined>): boolean {
  for (const name in params) if (params[name] === '' && name !== '*') return true;
  return false;
}

/** Escapes of reserved characters: decoding them would change the meaning of the URL. */
const RESERVED_ESCAPE = /(%(?:23|24|26|2b|2c|2f|3a|3b|3d|3f|40))/i;

/** Returns the path in NFC, the form of stored patterns. */
function inNormalForm(path: string): string {
  return path
    .split(RESERVED_ESCAPE)
    .map((part, index) => (index % 2 === 1 ? part : encodeURI(decodeURI(part).normalize('NFC'))))
    .join('');
}

function isSinkMethod(method: string): method is RequestMethod {
  return (SINK_METHODS as readonly string[]).includes(method);
}

function noHandler(): void {
  // find-my-way requires a handler; only the sink in its store is used.
}
