// Converts edits of a sink (`PUT` and `PATCH`) to its new definition. Credentials that an edit does not mention stay.

import type { Fault } from '../../core/fault.ts';
import { mergePatch } from '../../core/json/merge-patch.ts';
import type { Sink } from '../../core/sink/sink.ts';
import { withoutReadOnly } from '../edit.ts';
import { describeSink } from './describe-sink.ts';

const READ_ONLY = ['id', 'url', 'managed_by', 'created_at', 'updated_at'];

/** Returns the edited sink's document for `parseSink`. `shown` is the sink as the API presents it. */
export function readSinkEdit(given: unknown, shown: Record<string, unknown>): { document: unknown; faults: Fault[] } {
  if (!isObject(given)) return { document: given, faults: [] };
  // What was shown of credentials changes with their use, and the counts of runs with every run.
  const { credentials: _shown, flow_state: _counts, ...edited } = given;
  const { fields, faults } = withoutReadOnly(edited, shown, READ_ONLY);
  const { auth, public: isPublic, ...document } = withoutTimes(fields);
  // Answers contain the name of the scheme instead of credentials.
  const isName = typeof auth === 'string';
  if (isName && auth !== shown['auth']) faults.push({ path: 'auth', message: schemeMessage(shown) });
  const statesAuth = (auth !== undefined && !isName) || fields['auth_token'] !== undefined;
  if (typeof isPublic === 'boolean' && isPublic !== shown['public'] && !statesAuth)
    faults.push({ path: 'public', message: publicMessage(isPublic) });
  const keepsPublic = isPublic === undefined || isPublic === shown['public'];
  return {
    document: { ...document, ...(isName || auth === undefined ? {} : { auth }), ...(keepsPublic ? {} : { public: isPublic }) },
    faults,
  };
}

/** The times of schedules, which answers show, change by themselves. */
function withoutTimes(fields: Record<string, unknown>): Record<string, unknown> {
  const { schedules } = fields;
  if (!Array.isArray(schedules)) return fields;
  const withoutTime = ({ next_at: _next, last_at: _last, ...setting }: Record<string, unknown>): object => setting;
  return { ...fields, schedules: schedules.map((item: unknown) => (isObject(item) ? withoutTime(item) : item)) };
}

/** Merges the patch into the sink, for `readSinkEdit`. */
export function patchSink(existing: Sink, patch: unknown): unknown {
  if (!isObject(patch)) return patch;
  const { auth, auth_token: authToken, public: isPublic, ...changes } = patch;
  const { auth: _auth, auth_token: _token, public: _public, ...document } = describeSink(existing);
  // Credentials are not merged: here `null` does not remove a member but makes the sink public.
  const stated = { auth, auth_token: authToken, public: isPublic };
  const { schema } = changes;
  return {
    ...(mergePatch(document, changes) as object),
    // A schema is replaced as a whole: it is not merged with the keywords of the one before, and may contain nulls.
    ...(isObject(schema) ? { schema } : {}),
    ...Object.fromEntries(Object.entries(stated).filter(([, value]) => value !== undefined)),
  };
}

function schemeMessage(shown: Record<string, unknown>): string {
  return `is ${JSON.stringify(shown['auth'])}, and a scheme alone cannot change it; write it with its credentials, as {"type": "bearer", "tokens": […]}, or null for a public sink`;
}

function publicMessage(wanted: boolean): string {
  return wanted ? 'is false; send "auth_token": null to make the sink public' : 'is true; send auth_token to require a token';
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
