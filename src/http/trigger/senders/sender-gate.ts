// Lets a request pass to its sink when the sender may trigger it: by address, by token, or by a scheme, whose check goes on while
// the body is read. Answers handshakes.

import type { FastifyReply, FastifyRequest, HookHandlerDoneFunction } from 'fastify';
import type { Clock } from '../../../clock.ts';
import type { TokenHash } from '../../../core/sink/auth/credentials.ts';
import type { SchemeAuth } from '../../../core/sink/auth/scheme-auth.ts';
import { validHashes } from '../../../core/sink/auth/sink-auth.ts';
import type { Sink } from '../../../core/sink/sink.ts';
import { memoizeByIdentity } from '../../../core/values/memoize.ts';
import { AppError } from '../../../errors.ts';
import { possibleHandshakes, type ReadyAnswer } from '../../../presets/handshakes.ts';
import { findPreset } from '../../../presets/table.ts';
import { hashToken } from '../../../token.ts';
import type { RequireToken } from '../../authenticate.ts';
import { hasBody } from '../../body/body-bytes.ts';
import { NO_BODY } from '../../body/received-body.ts';
import { AddressList } from '../../limits/address-list.ts';
import { answerOtherMethod, type OtherMethods } from '../other-methods.ts';
import { handshakeOf, type RejectionLog } from '../rejections/rejection-log.ts';
import { readQuery } from '../trigger-input.ts';
import type { CredentialUses } from './credential-uses.ts';
import type { SenderCheck } from './sender-check.ts';
import type { Senders } from './senders.ts';

export interface GateParts {
  requireToken: RequireToken;
  senders: Senders;
  uses: CredentialUses;
  rejections: RejectionLog;
  wallClock: Clock;
}

/** Returns the sink whose handshake the request may be, although the sink accepts another method. */
export function findClaiming(sinks: readonly Sink[], { method, raw }: FastifyRequest, query: string): Sink | undefined {
  return sinks.find(({ auth }) => {
    const preset = auth.type === 'scheme' ? findPreset(auth.scheme) : undefined;
    if (preset?.handshakes.some((handshake) => handshake.method === method) !== true) return false;
    const head = { method, headers: raw.headers, query: query === '' ? {} : readableQuery(query) };
    return possibleHandshakes(preset, head, []).length > 0;
  });
}

/** A query that cannot be decoded belongs to no handshake. */
function readableQuery(query: string): ReturnType<typeof readQuery> {
  try {
    return readQuery(query);
  } catch {
    return {};
  }
}

export class SenderGate {
  readonly #parts: GateParts;

  constructor(parts: GateParts) {
    this.#parts = parts;
  }

  /** Calls `done` when the request may go on, or with its error (`forbidden`, `unauthorized`, `rate_limited`). Answers a handshake that its head tells. */
  verify(request: FastifyRequest, reply: FastifyReply, done: HookHandlerDoneFunction): void {
    const { sink, clientIp } = request.target;
    const { allowFrom, blockFrom, auth } = sink;
    if (blockFrom !== undefined && addressListOf(blockFrom).has(clientIp))
      return done(new AppError('forbidden', 'this address may not trigger the sink: "block_from" names it'));
    if (allowFrom !== undefined && !addressListOf(allowFrom).has(clientIp))
      return done(new AppError('forbidden', 'this address may not trigger the sink: "allow_from" does not name it'));
    switch (auth.type) {
      case 'none':
        return done();
      case 'bearer':
        return this.#verifyToken(request, reply, auth.tokens, done);
      case 'scheme':
        return this.#beginCheck(request, reply, auth, done);
    }
  }

  answerHandshake(request: FastifyRequest, reply: FastifyReply, { status, headers, body }: ReadyAnswer): void {
    const { method, target } = request;
    const { sink, path, clientIp } = target;
    this.#parts.rejections.add(handshakeOf(status, { sinkId: sink.id, method, path: `/${sink.appId}${path}`, clientIp }));
    reply.code(status).headers(headers).send(body);
  }

  #verifyToken(request: FastifyRequest, reply: FastifyReply, tokens: readonly TokenHash[], done: HookHandlerDoneFunction): void {
    const { requireToken, uses, wallClock } = this.#parts;
    requireToken(request, reply, validHashes(tokens, wallClock()), (error) => {
      if (error !== undefined) return done(hasEnded(tokens, request, wallClock()) ? asExpired(error) : error);
      uses.record(request.target.sink.id, tokens.length === 1 ? (tokens[0] as TokenHash).hash : hashOfToken(request));
      done();
    });
  }

  #beginCheck(request: FastifyRequest, reply: FastifyReply, auth: SchemeAuth, done: HookHandlerDoneFunction): void {
    try {
      const sender = this.#parts.senders.begin(request, request.target, auth);
      const answer = sender.answerHead();
      if (answer !== null) return this.answerHandshake(request, reply, answer);
      request.sender = sender;
    } catch (error) {
      return done(error as Error);
    }
    const { otherMethods, sender } = request;
    if (otherMethods === null) done();
    else if (hasBody(request.raw)) answerOtherMethod(request, reply, otherMethods, done);
    else void this.#finishWithoutBody(request, reply, otherMethods, sender as SenderCheck, done);
  }

  /** A handshake of another method than the sink's, which its sender must prove. */
  async #finishWithoutBody(
    request: FastifyRequest,
    reply: FastifyReply,
    others: OtherMethods,
    sender: SenderCheck,
    done: HookHandlerDoneFunction,
  ): Promise<void> {
    try {
      await sender.finish(null, NO_BODY.body.bytes);
    } catch (error) {
      return done(error as Error);
    }
    if (sender.handshake === null) answerOtherMethod(request, reply, others, done);
    else this.answerHandshake(request, reply, sender.handshake.answer);
  }
}

/** Compiled once per list: it is the same object for every request. */
const addressListOf = memoizeByIdentity((ranges: readonly string[]) => new AddressList(ranges));

function hasEnded(tokens: readonly TokenHash[], request: FastifyRequest, now: number): boolean {
  const ended = tokens.filter(({ endsAt }) => endsAt !== null && endsAt <= now);
  return ended.length > 0 && ended.some(({ hash }) => hash === hashOfToken(request));
}

function asExpired(error: Error): Error {
  if (!(error instanceof AppError) || error.code !== 'unauthorized') return error;
  return new AppError('unauthorized', 'the token has expired: its end has passed', { reason: 'expired_token', headers: error.headers });
}

function hashOfToken({ raw }: FastifyRequest): string {
  return hashToken((raw.headers.authorization ?? '').replace(/^\S+\s+/, ''));
}
