// Checks bearer tokens (RFC 6750, with the scheme in any case, RFC 9110) for triggers, runs and the admin API. Only the
// request's head is used, before any of its body is read.

import bearerAuth from '@fastify/bearer-auth';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { tokenMatches } from '../token.ts';
import { type FailedCredentials, unauthorized } from './limits/failed-credentials.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Hashes of the tokens that grant the request. */
    acceptedTokens: readonly string[];
  }
}

/** Calls `done` without an error when a token matches, else with `unauthorized`, or `rate_limited` after too many failures. */
export type RequireToken = (request: FastifyRequest, reply: FastifyReply, hashes: readonly string[], done: (error?: Error) => void) => void;

export async function createRequireToken(server: FastifyInstance, failures: FailedCredentials): Promise<RequireToken> {
  server.decorateRequest('acceptedTokens', null as unknown as readonly string[]);
  await server.register(bearerAuth, {
    addHook: false,
    keys: new Set<string>(),
    auth: (token, request) => tokenMatches(token, request.acceptedTokens),
    specCompliance: 'rfc6749',
    verifyErrorLogLevel: 'debug',
  });
  const verify = server.verifyBearerAuth as NonNullable<typeof server.verifyBearerAuth>;

  return (request, reply, hashes, done) => {
    request.acceptedTokens = hashes;
    verify(request, reply, (error) => {
      if (error === undefined || error === null) return done();
      const isMissing = request.raw.headers.authorization === undefined;
      const challenge = isMissing ? 'Bearer realm="sluice"' : 'Bearer realm="sluice", error="invalid_token"';
      const message = isMissing
        ? 'a token is required: send "Authorization: Bearer <token>"'
        : 'the token is wrong, or the header is not "Authorization: Bearer <token>"';
      done(failures.refuse(request.ip, unauthorized(isMissing ? 'missing_token' : 'wrong_token', message, challenge)));
    });
  };
}
