// Creates, edits and deletes single sinks for the API.

import type { Clock } from '../../clock.ts';
import { type Fault, refuseFaults } from '../../core/fault.ts';
import { withPlainNumbers } from '../../core/json/json.ts';
import { MAX_CREDENTIALS, type TokenHash } from '../../core/sink/auth/credentials.ts';
import type { Sink } from '../../core/sink/sink.ts';
import { AppError } from '../../errors.ts';
import { newToken } from '../../ids.ts';
import { hashToken } from '../../token.ts';
import type { Catalog } from '../catalog.ts';
import type { DefinitionWriter } from '../definition-writer.ts';
import { type Edit, type Preconditions, refuseIfManaged, refuseStale } from '../edit.ts';
import { captureSecret, revealCapturedSecret } from './captured-secret.ts';
import { checkSink, type EditedSink } from './check-sink.ts';
import type { CredentialContext } from './credential-faults.ts';
import { planSink } from './plan-sink.ts';
import { patchSink, readSinkEdit } from './sink-edit.ts';

export interface SinkChanges {
  findSink(appId: string, sinkId: string): Sink;
  createSink(appId: string, document: unknown): Promise<Sink>;
  /** Fields absent from the document get their defaults, except credentials, which stay. */
  replaceSink(appId: string, sinkId: string, document: unknown, edit: Edit<Sink>): Promise<Sink>;
  /** Merges the patch into the definition (RFC 7396). */
  patchSink(appId: string, sinkId: string, patch: unknown, edit: Edit<Sink>): Promise<Sink>;
  /** Returns every fault that creating the sink, or with `edited` replacing that one, would find now. */
  checkSink(appId: string, document: unknown, edited: EditedSink | null): Fault[];
  deleteSink(appId: string, sinkId: string, ifMatch?: string): Promise<void>;
  /**
   * Gives the sink a new token, which is returned only here. Its other tokens end `keepMs` from now, or at their own end if
   * that is earlier; any other credentials are replaced.
   */
  rotateToken(
    appId: string,
    sinkId: string,
    options?: { keepMs?: number; ifMatch?: string | undefined },
  ): Promise<{ sink: Sink; token: string }>;
  /** Stores the secret that the provider of the sink has brought. Rejects with `forbidden` when the sink has one already. */
  captureSecret(sinkId: string, secret: string): Promise<void>;
  /** Returns the captured secret, once. Rejects with `not_found` when there is none, and `conflict` when it was shown before. */
  revealCapturedSecret(appId: string, sinkId: string): Promise<string>;
}

export interface SinkChangesOptions {
  writer: DefinitionWriter;
  catalog: Catalog;
  credentials: CredentialContext;
  clock: Clock;
}

export function createSinkChanges(context: SinkChangesOptions): SinkChanges {
  const { writer, catalog, clock } = context;
  const { serially, change } = writer;
  return {
    findSink: (appId, sinkId) => findSink(catalog, appId, sinkId),
    createSink: (appId, document) => serially(() => saveSink(context, appId, withPlainNumbers(document), undefined)),
    replaceSink: (appId, sinkId, document, { show, ...preconditions }) =>
      serially(async () => editSink(context, findOwnSink(catalog, appId, sinkId, preconditions), withPlainNumbers(document), show)),
    patchSink: (appId, sinkId, patch, { show, ...preconditions }) =>
      serially(async () => {
        const existing = findOwnSink(catalog, appId, sinkId, preconditions);
        return await editSink(context, existing, patchSink(existing, withPlainNumbers(patch)), show);
      }),
    checkSink: (appId, document, edited) => checkSink(context, appId, withPlainNumbers(document), edited),
    deleteSink: (appId, sinkId, ifMatch) =>
      serially(async () => {
        findOwnSink(catalog, appId, sinkId, { ifMatch });
        await change({ kind: 'delete_sink', sinkId });
      }),
    rotateToken: (appId, sinkId, { keepMs = 0, ifMatch } = {}) =>
      serially(async () => {
        const existing = findOwnSink(catalog, appId, sinkId, { ifMatch });
        const token = newToken();
        const kept = existing.auth.type === 'bearer' ? endedBy(existing.auth.tokens, clock(), keepMs) : [];
        const tokens = [{ name: null, endsAt: null, hash: hashToken(token) }, ...kept];
        const sink: Sink = { ...existing, auth: { type: 'bearer', tokens }, updatedAt: clock() };
        await change({ kind: 'put_sink', sink });
        return { sink, token };
      }),
    captureSecret: (sinkId, secret) => serially(() => captureSecret(context, sinkId, secret)),
    revealCapturedSecret: (appId, sinkId) => serially(() => revealCapturedSecret(context, appId, sinkId)),
  };
}

/** The tokens that have not ended, which now end `keepMs` from `now` at the latest. */
function endedBy(tokens: readonly TokenHash[], now: number, keepMs: number): TokenHash[] {
  if (keepMs === 0) return [];
  const valid = tokens.filter(({ endsAt }) => endsAt === null || endsAt > now).slice(0, MAX_CREDENTIALS - 1);
  return valid.map((token) => ({ ...token, endsAt: Math.min(token.endsAt ?? Number.POSITIVE_INFINITY, now + keepMs) }));
}

function findSink(catalog: Catalog, appId: string, sinkId: string): Sink {
  const sink = catalog.findSink(sinkId);
  if (sink?.appId !== appId) throw new AppError('not_found', `app "${appId}" has no sink "${sinkId}"`);
  return sink;
}

/** Throws when the API may not change the sink. */
function findOwnSink(catalog: Catalog, appId: string, sinkId: string, preconditions: Preconditions): Sink {
  const sink = findSink(catalog, appId, sinkId);
  const name = `sink "${sinkId}"`;
  refuseIfManaged(name, sink.managedBy);
  refuseStale(name, preconditions, sink);
  return sink;
}

async function saveSink(context: SinkChangesOptions, appId: string, document: unknown, existing: Sink | undefined): Promise<Sink> {
  const { sink, faults } = planSink(context, appId, document, existing);
  refuseFaults('the sink', faults);
  if (sink === null) throw new Error('a sink without faults was not planned');
  await context.writer.change({ kind: 'put_sink', sink });
  return findSink(context.catalog, appId, sink.id);
}

async function editSink(context: SinkChangesOptions, existing: Sink, given: unknown, show: Edit<Sink>['show']): Promise<Sink> {
  const { document, faults } = readSinkEdit(given, show(existing) as Record<string, unknown>);
  refuseFaults('the sink', faults);
  return await saveSink(context, existing.appId, document, existing);
}
