// Preconditions of edits over the API: the state that the caller has read (RFC 9110, section 13.1), and
// read-only fields that a caller may send back.

import { createHash } from 'node:crypto';
import type { Fault } from '../core/fault.ts';
import type { ManagedBy } from '../core/sink/sink.ts';
import { AppError } from '../errors.ts';

/** Raw values of headers; undefined for an unconditional edit. */
export interface Preconditions {
  ifMatch?: string | undefined;
  ifNoneMatch?: string | undefined;
}

export interface Edit<Stored> extends Preconditions {
  /** The definition as the API shows it. */
  show: (stored: Stored) => object;
}

/** An app, a workflow or a sink. */
interface Stored {
  version?: number;
  createdAt: number;
  updatedAt?: number;
}

/** A strong entity tag: differs for each state of an app, workflow or sink, including fields that no answer shows. */
export function entityTag(stored: object): string {
  return `"${createHash('sha256').update(JSON.stringify(stored)).digest('base64url').slice(0, 22)}"`;
}

/** Throws `precondition_failed` unless the definition, undefined if there is none, is in a state for which the edit was made. */
export function refuseStale(what: string, { ifMatch, ifNoneMatch }: Preconditions, stored: Stored | undefined): void {
  if (ifMatch !== undefined) refuseOther(what, readTags('If-Match', ifMatch), stored);
  if (ifNoneMatch === undefined) return;
  // If-None-Match uses the weak comparison.
  const excluded = readTags('If-None-Match', ifNoneMatch).map((tag) => tag.replace(/^W\//, ''));
  if (stored !== undefined && (excluded.includes('*') || tagsOf(stored).some((tag) => excluded.includes(tag))))
    throw failed(stored, `${what} exists, and If-None-Match excludes that`);
}

/** A weak tag never matches: If-Match uses the strong comparison. */
function refuseOther(what: string, named: readonly string[], stored: Stored | undefined): void {
  if (stored === undefined) throw new AppError('precondition_failed', `${what} does not exist, so it cannot match If-Match`);
  if (named.includes('*') || tagsOf(stored).some((tag) => named.includes(tag))) return;
  throw failed(stored, `${what} has changed since it was read; read it again and send its current ETag`);
}

/** The number of its version is a tag of a workflow too: a script has it without reading headers. */
function tagsOf(stored: Stored): string[] {
  return [entityTag(stored), ...(stored.version === undefined ? [] : [`"${stored.version}"`])];
}

const TAGS = /^\s*(?:(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*"\s*(?:,\s*|$))+$/;

function readTags(header: string, text: string): string[] {
  if (text.trim() === '*') return ['*'];
  if (!TAGS.test(text))
    throw new AppError('invalid', `${header} must be the ETag of an answer, or the version of a workflow, including quotes; or *`, {
      details: { part: header },
    });
  return [...text.matchAll(/(?:W\/)?"[^"]*"/g)].map(([tag]) => tag);
}

function failed(stored: Stored, message: string): AppError {
  const { version, updatedAt } = stored;
  const savedAt = updatedAt ?? (version === undefined ? undefined : stored.createdAt);
  const time = savedAt === undefined ? null : new Date(savedAt).toISOString();
  const state = version === undefined ? `its current state was saved at ${time}` : `version ${version}, saved at ${time}, is current`;
  return new AppError('precondition_failed', time === null ? message : `${message}: ${state}`, {
    details: { ...(version === undefined ? {} : { version }), ...(time === null ? {} : { saved_at: time }) },
    headers: { etag: entityTag(stored) },
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

/** Null when the API may change the definition. */
export function managedFault(what: string, managedBy: ManagedBy | undefined): string | null {
  if (managedBy === 'config') return `${what} is defined in the configuration files; change it there`;
  return managedBy === 'demo' ? `${what} belongs to the demo; choose another name, or define it in a file` : null;
}

/** Throws `conflict` for a definition that the definition files or the demo own. */
export function refuseIfManaged(what: string, managedBy: ManagedBy | undefined): void {
  const fault = managedFault(what, managedBy);
  if (fault !== null) throw new AppError('conflict', fault);
}
