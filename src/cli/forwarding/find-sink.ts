// Finds the sink that a flag or an argument names: by its URL, by app and path, or by its id.

import type { Client } from '../../client/client.ts';
import type { SinkInfo } from '../../client/wire/wire-types.ts';
import { parseUrl } from '../../parse-url.ts';
import { ExitError, FAILED, WRONG_USAGE } from '../exit-error.ts';

const LONG_PREFIX = /^(.*?)(?:\/api\/v1)?\/sink\/trigger\/http(\/.*)$/;

export interface SinkName {
  /** The server's address; null where the name does not include it. */
  server: string | null;
  /** `/app/path`, or the id of a sink. */
  name: string;
  /** The flag or the argument, for errors. */
  label: string;
}

/** Throws ExitError for a text that can be no sink. */
export function readSinkName(label: string, text: string): SinkName {
  if (/^snk_[0-9a-f]+$/.test(text)) return { server: null, name: text, label };
  if (/^https?:\/\//i.test(text)) {
    if (parseUrl(text) === null) throw new ExitError(`${label}: "${text}" is not a URL`, WRONG_USAGE);
    const { origin, pathname } = new URL(text);
    const [, before = '', path = pathname] = LONG_PREFIX.exec(pathname) ?? [];
    return { server: origin + before, name: withoutSlash(path), label };
  }
  const path = withoutSlash(text.startsWith('/') ? text : `/${text}`);
  if (!/^\/[^/]+\//.test(`${path}/`) || /[?#\s]/.test(path))
    throw new ExitError(`${label}: "${text}" is not a sink; write its URL, or app/path`, WRONG_USAGE);
  return { server: null, name: path, label };
}

/** Rejects with ExitError unless exactly one sink has the name. `*` at the end of a sink's path may be left out. */
export async function findSink(client: Client, { name, label }: SinkName): Promise<SinkInfo> {
  const sinks = await client.sinks.list();
  const found = sinks.filter((sink) => sink.id === name || namesOf(sink).includes(decoded(name)));
  const [sink] = found;
  if (sink === undefined) throw new ExitError(`${label}: no sink is at ${name}; "sluice sink list" shows all`, FAILED);
  if (found.length === 1) return sink;
  const choices = found.map(({ id, method }) => `${id} (${String(method)})`).join(', ');
  throw new ExitError(`${label}: several sinks are at ${name}; give one of their ids: ${choices}`, FAILED);
}

function namesOf({ app_id: appId, path }: SinkInfo): string[] {
  const whole = withoutSlash(`/${appId}${path}`);
  return whole.endsWith('/*') ? [whole, whole.slice(0, -2)] : [whole];
}

function withoutSlash(path: string): string {
  return path.length > 1 ? path.replace(/\/$/, '') : path;
}

function decoded(path: string): string {
  try {
    return decodeURI(path).normalize('NFC');
  } catch {
    return path;
  }
}
