// Preconditions of edits over the API: the state that the caller has read (`If-Match`, RFC 9110, section 13.1.1), and
// read-only fields that a caller may send back.

import { createHash } from 'node:crypto';
import type { Fault } from '../core/fault.ts';
import type { ManagedBy } from '../core/sink/sink.ts';
import { AppError } from '../errors.ts';

export interface Edit<Stored> {
  /** The header's raw value; undefined for an unconditional edit. */
  ifMatch: string | undefined;
  /** The definition as the API shows it. */
  show: (stored: Stored) => object;
}

/** A strong entity tag: differs for each state of an app, workflow or sink, including fields that no answer shows. */
export function entityTag(stored: object): string {
  return `"${createHash('sha256').update(JSON.stringify(stored)).digest('base64url').slice(0, 22)}"`;
}

const TAGS = /^\s*(?:(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*"\s*(?:,\s*|$))+$/;

/** Throws `precondition_failed` unless the definition is in a state that the header lists. */
export function refuseStale(what: string, ifMatch: string | undefined, stored: object | undefined): void {
  if (ifMatch === undefined) return;
  const isAny = ifMatch.trim() === '*';
  if (!isAny && !TAGS.test(ifMatch))
    throw new AppError('invalid', 'If-Match must be the ETag of an answer, including its quotes, or "*"', {
      details: { part: 'If-Match' },
    });
  if (stored === undefined) throw new AppError('precondition_failed', `${what} does not exist, so it cannot match If-Match`);
  const current = entityTag(stored);
  // A weak tag never matches: If-Match uses the strong comparison.
  const named = [...ifMatch.matchAll(/(?:W\/)?"[^"]*"/g)].map(([tag]) => tag);
  if (isAny || named.includes(current)) return;
  throw new AppError('precondition_failed', `${what} has changed since it was read; read it again and send its current ETag`, {
    headers: { etag: current },
  });
}

/** Returns the writable fields of `given`. Read-only fields must equal `shown`, which is null for a new definition. */
export function withoutReadOnly(
  given: Record<string, unknown>,
  shown: Record<string, unknown> | null,
  readOnly: readonly string[],
): { fields: Record<string, unknown>; faults: Fault[] } {
  const sent = readOnly.filter((name) => Object.hasOwn(given, name));
  const changed = sent.filter((name) => shown === null || given[name] !== shown[name]);
  return {
    fields: Object.fromEntries(Object.entries(given).filter(([name]) => !sent.includes(name))),
    faults: changed.map((path) => ({
      path,
      message:
        shown === null
          ? 'is set by the server; leave it out'
          : `is set by the server and cannot be changed; leave it out, or send its current value: ${JSON.stringify(shown[path])}`,
    })),
  };
}

/** Throws `conflict` for a definition that the definition files or the demo own. */
export function refuseIfManaged(what: string, managedBy: ManagedBy | undefined): void {
  if (managedBy === 'config') throw new AppError('conflict', `${what} is defined in the configuration files; change it there`);
  if (managedBy === 'demo') throw new AppError('conflict', `${what} belongs to the demo; choose another name, or define it in a file`);
}
