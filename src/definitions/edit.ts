// What an edit over the API rests on: the state that the caller has read (`If-Match`, RFC 9110, section 13.1.1), and
// the fields of an answer that a caller may send back with it.

import { createHash } from 'node:crypto';
import type { Fault } from '../core/fault.ts';
import type { ManagedBy } from '../core/sink/sink.ts';
import { AppError } from '../errors.ts';

export interface Edit<Stored> {
  /** The header as it came; undefined changes whatever is there. */
  ifMatch: string | undefined;
  /** The definition as the API shows it. */
  show: (stored: Stored) => object;
}

/** A strong entity tag: another one for each state of an app, a workflow or a sink, what no answer shows included. */
export function entityTag(stored: object): string {
  return `"${createHash('sha256').update(JSON.stringify(stored)).digest('base64url').slice(0, 22)}"`;
}

const TAGS = /^\s*(?:(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*"\s*(?:,\s*|$))+$/;

/** Throws `precondition_failed` when the definition is not, or no longer, in a state that the header names. */
export function refuseStale(what: string, ifMatch: string | undefined, stored: object | undefined): void {
  if (ifMatch === undefined) return;
  const isAny = ifMatch.trim() === '*';
  if (!isAny && !TAGS.test(ifMatch))
    throw new AppError('invalid', 'If-Match must hold the ETag of an answer as it came, quotes included, or "*"', {
      details: { part: 'If-Match' },
    });
  if (stored === undefined) throw new AppError('precondition_failed', `${what} is not there, so that it cannot match If-Match`);
  const current = entityTag(stored);
  // A weak tag never matches here: it says nothing of what it leaves out.
  const named = [...ifMatch.matchAll(/(?:W\/)?"[^"]*"/g)].map(([tag]) => tag);
  if (isAny || named.includes(current)) return;
  throw new AppError('precondition_failed', `${what} has been changed since it was read; read it again and send its ETag of now`, {
    headers: { etag: current },
  });
}

/**
 * The fields of `given` that are the caller's to set. Those that the server makes may come back as they were shown;
 * `shown` is null where nothing is there yet.
 */
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
          ? 'is made by the server; leave it out'
          : `is made by the server and cannot be changed; leave it out, or as it is: ${JSON.stringify(shown[path])}`,
    })),
  };
}

/** Throws `conflict` for what the definition files or the demo own. */
export function refuseIfManaged(what: string, managedBy: ManagedBy | undefined): void {
  if (managedBy === 'config') throw new AppError('conflict', `${what} is defined in the configuration files; change it there`);
  if (managedBy === 'demo') throw new AppError('conflict', `${what} belongs to the demo; take another name, or define it in a file`);
}
