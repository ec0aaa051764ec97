// Every HTTP method, for routes that answer a wrong method themselves.

import { METHODS } from 'node:http';
import type { FastifyInstance } from 'fastify';

const ROUTED = METHODS.filter((method) => method !== 'CONNECT');

/** Returns the methods, which the server can route from now on. */
export function everyMethod(server: FastifyInstance): string[] {
  for (const method of ROUTED) if (!server.supportedMethods.includes(method)) server.addHttpMethod(method);
  return ROUTED;
}
