// Checks bearer tokens (RFC 6750, with the scheme in any case, RFC 9110) for triggers, runs and the admin API. Only the
// request's head is used, before any of its body is read.

import bearerAuth from '@fastify/bearer-auth';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Clock } from '../clock.ts';
import { AppError } from '../errors.ts';
import { tokenMatches } from '../token.ts';
import { createTokenBuckets } from './trigger/token-bucket.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Hashes of the tokens that grant the request. */
    acceptedTokens: readonly string[];
  }
}

/** Calls `done` without an error when a token matches, else with `unauthorized`, or `rate_limited` after too many failures. */
export type RequireToken = (request: FastifyRequest, reply: FastifyReply, hashes: readonly string[], done: (error?: Error) => void) => void;

/** Wrong tokens that a client may send at once, and per second after that. A valid token is never rate limited. */
const FAILURE_BURST = 50;
const FAILURES_PER_SECOND = 5;

export async function createRequireToken(server: FastifyInstance, clock: Clock): Promise<RequireToken> {
  server.decorateRequest('acceptedTokens', null as unknown as readonly string[]);
  await server.register(bearerAuth, {
    addHook: false,
    keys: new Set<string>(),
    auth: (token, request) => tokenMatches(token, request.acceptedTokens),
    specCompliance: 'rfc6749',
    verifyErrorLogLevel: 'debug',
  });
  const verify = server.verifyBearerAuth as NonNullable<typeof server.verifyBearerAuth>;
  const failures = createTokenBuckets(clock, FAILURES_PER_SECOND, FAILURE_BURST);

  return (request, reply, hashes, done) => {
    request.acceptedTokens = hashes;
    verify(request, reply, (error) => {
      if (error === undefined || error === null) return done();
      const retryAfterSeconds = failures.take(request.ip);
      if (retryAfterSeconds !== null)
        return done(new AppError('rate_limited', 'too many wrong tokens from this address', { retryAfterSeconds }));
      const isMissing = request.raw.headers.authorization === undefined;
      const challenge = isMissing ? 'Bearer realm="sluice"' : 'Bearer realm="sluice", error="invalid_token"';
      const message = isMissing
        ? 'a token is required: send "Authorization: Bearer <token>"'
        : 'the token is wrong, or the header is not "Authorization: Bearer <token>"';
      done(new AppError('unauthorized', message, { headers: { 'www-authenticate': challenge } }));
    });
  };
}
