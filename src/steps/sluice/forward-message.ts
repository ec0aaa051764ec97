// Builds the message of sluice/forward@v1 from the request of the run.

import type { BodyPart, HttpMessage } from '../../core/delivery/outbound.ts';
import { rebuildForm } from '../../core/form/rebuilt-form.ts';
import { appendPath, forwardedHeaders, forwardedQuery, wildcardRest } from '../../core/run/forwarded-request.ts';
import type { Request } from '../../core/run/request.ts';
import { addQuery } from '../../core/values/percent-encoding.ts';
import { multipartBoundary } from '../shared/multipart-boundary.ts';
import { urlFault } from '../shared/request-address.ts';
import { readFlag, SettingFault } from '../shared/setting-values.ts';
import type { StepContext } from '../step-type.ts';
import { DEFAULT_TIMEOUT_SECONDS, readHeaders, readSecret } from './request-message.ts';

export interface ForwardSettings {
  url: unknown;
  append_path?: unknown;
  append_query?: unknown;
  headers?: readonly string[];
  set_headers?: Readonly<Record<string, unknown>>;
  timeout_seconds?: number;
  signing_secret?: unknown;
}

type Context = Pick<StepContext, 'roots' | 'bodyKind' | 'bodySize' | 'random'>;

interface Body {
  parts: readonly BodyPart[] | null;
  /** Replaces the type of the request; null where that is still right. */
  type: string | null;
}

/** Throws SettingFault. */
export function forwardMessage(settings: ForwardSettings, context: Context): HttpMessage {
  const { timeout_seconds: timeout = DEFAULT_TIMEOUT_SECONDS, signing_secret: signingSecret = null } = settings;
  const request = context.roots['request'] as Request;
  const url = targetOf(settings, request);
  const body = bodyOf(request, context);
  return {
    transport: 'http',
    method: request.method,
    url,
    headers: headersOf(settings, request, body.type),
    body: body.parts,
    timeoutMs: Number(timeout) * 1000,
    redirects: 'refuse',
    succeeds: '2xx',
    signingSecret: signingSecret === null ? null : readSecret('signing_secret', signingSecret),
  };
}

function targetOf({ url, append_path = false, append_query = true }: ForwardSettings, request: Request): string {
  const fault = urlFault(url);
  if (fault !== null) throw new SettingFault(fault);
  const target = readFlag('append_path', append_path) ? appendPath(url as string, restOf(request)) : (url as string);
  return addQuery(target, readFlag('append_query', append_query) ? forwardedQuery(request.query) : '');
}

function restOf(request: Request): string {
  const rest = wildcardRest(request);
  if (rest === null) throw new SettingFault('append_path needs a sink whose path ends in "*", such as "/hooks/*"');
  return rest;
}

/** Fields of `set_headers` replace those of the request, in any case. */
function headersOf({ headers: names, set_headers: fields = {} }: ForwardSettings, request: Request, type: string | null) {
  const set = new Set(Object.keys(fields).map((name) => name.toLowerCase()));
  const passed = forwardedHeaders(request.headers, names ?? null).filter(([name]) => !set.has(name));
  const typed = type === null ? passed : passed.map(([name, value]) => [name, name === 'content-type' ? type : value] as const);
  return Object.fromEntries([...typed, ...readHeaders('set_headers', fields)]);
}

function bodyOf(request: Request, context: Context): Body {
  const { bodyKind, bodySize } = context;
  if (bodyKind === 'empty') return { parts: null, type: null };
  if (bodyKind === 'file') return { parts: request.files.slice(0, 1).map(({ sha256, size }) => ({ sha256, size })), type: null };
  if (bodyKind === 'multipart') {
    const boundary = multipartBoundary(context);
    return { parts: rebuildForm(request.body, request.files, boundary), type: `multipart/form-data; boundary=${boundary}` };
  }
  if (bodyKind.startsWith('multipart:'))
    throw new SettingFault('a multipart form cannot be passed on if the sink reads only one field of it; set body of the sink to "raw"');
  return { parts: [{ request: true, size: bodySize }], type: null };
}
