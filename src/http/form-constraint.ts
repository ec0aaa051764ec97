// Lets a route be for multipart forms only: Fastify chooses it by the Content-Type header.

import type { ConstraintStrategy, HTTPVersion } from 'find-my-way';

export const formConstraint: ConstraintStrategy<HTTPVersion.V1> = {
  name: 'form',
  storage() {
    const handlers = new Map<unknown, unknown>();
    return {
      get: (kind) => (handlers.get(kind) as never) ?? null,
      set: (kind, handler) => void handlers.set(kind, handler),
    };
  },
  // Undefined leaves the request to the routes without a constraint, which the type does not foresee.
  deriveConstraint: (request) => (isMultipart(request.headers['content-type']) ? 'multipart' : undefined) as string,
  validate: () => undefined,
};

const MULTIPART = /^\s*multipart\/form-data/i;

function isMultipart(contentType: string | undefined): boolean {
  return contentType !== undefined && MULTIPART.test(contentType);
}
