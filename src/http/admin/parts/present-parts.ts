// Presents a run without its bodies and outputs: each entry is bounded, and a list ends before it is too large.

import { parseJson } from '../../../core/json/json.ts';
import type { FileHandle, RequestHead } from '../../../core/run/request.ts';
import { MESSAGE_CHARACTERS, type RunError } from '../../../core/run/run.ts';
import { keptHeaders, keptQuery } from '../../../core/secrets/caller-secrets.ts';
import { withoutCutPlaceholder } from '../../../core/secrets/placeholder.ts';
import { cutText } from '../../../core/values/cut-text.ts';
import type { DeliverySummary } from '../../../storage/delivery-records.ts';
import type { RunHead, StepOutline } from '../../../storage/runs/part-store.ts';
import { presentDelivery } from '../present-delivery.ts';
import type { MaskSecrets } from '../shown-secrets.ts';

/** Masks the secrets of one run. */
export type Mask = (text: string) => string;

/** Longer texts are cut. */
const SHOWN_BYTES = 512;
/** The head of a request is at most 16 KiB on the wire, and may be longer as JSON. Beyond this it is shown in part. */
const MAX_REQUEST_BYTES = 98_304;

const iso = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString());

/** Presents entries until their text is longer than `maxBytes`, but at least one. */
export function presentWithin<Entry>(maxBytes: number, entries: readonly Entry[], present: (entry: Entry) => object): object[] {
  const shown: object[] = [];
  let bytes = 0;
  for (const entry of entries) {
    const presented = present(entry);
    bytes += Buffer.byteLength(JSON.stringify(presented)) + 1;
    if (bytes > maxBytes && shown.length > 0) break;
    shown.push(presented);
  }
  return shown;
}

export function presentStepOutline(outline: StepOutline, mask: Mask): object {
  const { step, type, visit, status, attempt, outputSize, startedAt, finishedAt, dueAt, awaits } = outline;
  const error = shownError(outline.error, mask);
  return {
    step,
    type,
    visit,
    status,
    attempt,
    output_size: outputSize,
    ...(error === null ? {} : { error }),
    started_at: iso(startedAt),
    finished_at: iso(finishedAt),
    ...(dueAt === null ? {} : { due_at: iso(dueAt) }),
    ...(awaits !== null && status === 'waiting' ? { waits_for: 'reply' } : {}),
  };
}

export function presentDeliveryOutline(delivery: DeliverySummary, maskSecrets: MaskSecrets): object {
  const { run_id: _run, app_id: _app, sink_id: _sink, to: _to, dropped_reason: _reason, ...shown } = presentDelivery(delivery, maskSecrets);
  const { url, last_result: last } = shown;
  return { ...shown, url: cutText(url, SHOWN_BYTES), last_result: last === null ? null : { kind: last.kind, status: last.status } };
}

/** `index` is the place of the file in its request, by which it can be fetched. */
export function presentFile({ name, filename, content_type, size, sha256 }: FileHandle, index: number): object {
  const shown = { name: cutText(name, SHOWN_BYTES), filename: filename === null ? null : cutText(filename, SHOWN_BYTES) };
  return { index, ...shown, content_type: cutText(content_type, SHOWN_BYTES), size, sha256 };
}

/** `is_truncated`: the parts that a caller writes freely are left out. */
export function presentRequest({ request, bodyKind, bodySize }: RunHead): object {
  const { files: _files, ...head } = parseJson(request) as Partial<RequestHead>;
  // Requests stored by an older version still contain secrets.
  const kept = { ...head, headers: keptHeaders(head.headers ?? {}), query: keptQuery(head.query ?? {}) };
  const isTruncated = Buffer.byteLength(JSON.stringify(kept)) > MAX_REQUEST_BYTES;
  const shown = isTruncated ? { ...kept, path: cutText(kept.path ?? '', SHOWN_BYTES), headers: {}, query: {}, params: {} } : kept;
  return { ...shown, ...(isTruncated ? { is_truncated: true } : {}), body_kind: bodyKind, body_size: bodySize };
}

/** Masked before it is cut, so that no part of a secret's placeholder is left over. */
export function shownError(error: RunError | null, mask: Mask): RunError | null {
  if (error === null) return null;
  const { message } = error;
  const whole = message.length < MESSAGE_CHARACTERS ? message : withoutCutPlaceholder(message);
  return { ...error, message: cutText(mask(whole), SHOWN_BYTES) };
}
