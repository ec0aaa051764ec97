// Answers requests for a path whose sinks accept other methods only.

import type { FastifyReply, FastifyRequest, HookHandlerDoneFunction } from 'fastify';
import { AppError } from '../../errors.ts';
import { answerPreflight, preflightMethod } from '../cors.ts';
import type { SinkMatch } from './sink-router.ts';
import { webhookPermission } from './webhook-permission.ts';

export type OtherMethods = Extract<SinkMatch, { kind: 'other_methods' }>;

/** HEAD succeeds on a path of any method: some services probe a webhook's address with it before they save it. */
export function answerOtherMethod(
  request: FastifyRequest,
  reply: FastifyReply,
  { methods, sinks }: OtherMethods,
  done: HookHandlerDoneFunction,
): void {
  const allow = [...methods, 'HEAD', 'OPTIONS'].join(', ');
  if (request.method === 'HEAD') return void reply.code(200).header('allow', allow).send();
  const permission = request.method === 'OPTIONS' ? webhookPermission(request.raw.headers, sinks) : null;
  if (permission !== null)
    return void reply
      .code(200)
      .headers({ ...permission, allow })
      .send();
  const wanted = preflightMethod(request);
  const cors = wanted === null ? undefined : sinks[methods.indexOf(wanted)]?.cors;
  if (wanted !== null && cors !== undefined) answerPreflight(request, reply, cors, wanted);
  if (request.method === 'OPTIONS') return void reply.code(204).header('allow', allow).send();
  done(new AppError('method_not_allowed', `this path accepts ${methods.join(', ')}, not ${request.method}`, { headers: { allow } }));
}
