// The routes behind reply URLs: GET shows a page and changes nothing, and POST stores the reply.

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Clock } from '../../clock.ts';
import { parseJson } from '../../core/json/json.ts';
import { parseReplyToken, REPLY_PATH, type ReplyReference, replyIdOf } from '../../core/reply/reply.ts';
import { compileReplySchema, REPLY_URLS, type ReplyForm } from '../../core/reply/reply-form.ts';
import type { JsonSchema } from '../../core/schema.ts';
import type { WorkflowDocument } from '../../core/workflow/document.ts';
import { planWorkflow, stepAt } from '../../core/workflow/plan.ts';
import type { Engine } from '../../engine/engine.ts';
import { AppError } from '../../errors.ts';
import type { MemoryBudget } from '../../memory-budget.ts';
import type { Sealer } from '../../sealer.ts';
import type { FoundReply } from '../../storage/reply-records.ts';
import type { Storage } from '../../storage/storage.ts';
import { readBytes, refuseWhenGone } from '../body/body-bytes.ts';
import { BodyMemory } from '../body/body-memory.ts';
import { statusOf } from '../error-handler.ts';
import { everyMethod } from '../every-method.ts';
import type { FailedCredentials } from '../limits/failed-credentials.ts';
import { splitUrl } from '../trigger/trigger-path.ts';
import { MAX_REPLY_BYTES, type ReplyBody, readReply } from './reply-body.ts';
import { PAGE_HEADERS, type PageState, pageLanguage, replyPage } from './reply-page.ts';

export interface ReplyRouteDependencies {
  storage: Pick<Storage, 'findReply' | 'findWorkflow'>;
  engine: Pick<Engine, 'reply'>;
  replySealer: Sealer;
  failures: FailedCredentials;
  memory: Pick<MemoryBudget, 'bodies' | 'runs'>;
  /** Server time. */
  clock: Clock;
  /** Throws `unavailable` while the server should take nothing new. */
  refuseWhenFull: () => void;
}

/** A reply URL of a stored run. */
interface OpenUrl {
  runId: string;
  replyId: string;
  found: FoundReply;
  /** That the URL allows. */
  choices: readonly string[];
  schema: JsonSchema | undefined;
}

const MAX_TOKEN_LENGTH = 400;
const METHODS = ['GET', 'HEAD', 'POST'];

/**
 * One route for whatever follows the path, with every method: what no route matched would be recorded as a refused trigger,
 * with its token. As for triggers, the hook answers, so that a body is read only for a token that is right.
 */
export function replyRoutes(server: FastifyInstance, dependencies: ReplyRouteDependencies): void {
  const route = new ReplyRoute(dependencies);
  server.route({
    method: everyMethod(server),
    url: `${REPLY_PATH}*`,
    schema: { hide: true },
    onRequest: (request, reply) => {
      reply.headers({ 'cache-control': 'no-store', 'referrer-policy': 'no-referrer', 'x-robots-tag': 'noindex' });
      route.handle(request, reply).catch((error: unknown) => sendFault(error, request, reply));
    },
    handler: (request, reply) => route.handle(request, reply),
  });
}

class ReplyRoute {
  readonly #parts: ReplyRouteDependencies;

  constructor(parts: ReplyRouteDependencies) {
    this.#parts = parts;
  }

  async handle(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    if (!METHODS.includes(request.method))
      throw new AppError('method_not_allowed', 'a reply URL takes GET and POST', { headers: { allow: METHODS.join(', ') } });
    const url = await this.#open(request);
    if (request.method === 'POST') return this.#store(url, request, reply);
    const { choices, found } = url;
    sendPage(request, reply, found.choice === null ? { kind: 'ask', choices } : { kind: 'taken', choice: found.choice });
  }

  async #store({ runId, replyId, choices, schema }: OpenUrl, request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const { memory, engine, refuseWhenFull } = this.#parts;
    refuseWhenFull();
    refuseWhenGone(request.raw);
    const check = schema === undefined ? null : compileReplySchema(schema);
    const bodyMemory = new BodyMemory(memory, request.raw);
    try {
      const read = (bytes: Buffer): ReplyBody => readReply(bytes, request.headers['content-type'], choices, check);
      const { choice, body } = await readBytes(request.raw, { limit: MAX_REPLY_BYTES, bodyMemory, seen: null }, read);
      const result = await engine.reply({ runId, replyId, choice, body });
      if (result.kind === 'ended') throw gone();
      if (result.kind === 'taken') throw taken(result.choice);
      if (wantsPage(request)) sendPage(request, reply, { kind: 'replied', choice });
      else reply.send({ status: 'stored', choice });
    } finally {
      bodyMemory.release();
    }
  }

  /** Rejects with `not_found`, `rate_limited` after too many unknown tokens, or `gone`. */
  async #open({ url, ip }: FastifyRequest): Promise<OpenUrl> {
    const { storage, failures, clock } = this.#parts;
    const named = this.#read(splitUrl(url, REPLY_PATH)[0]);
    if (named === null) throw failures.refuse(ip, new AppError('not_found', 'there is no such reply URL; check that it is whole'));
    const { runId, reference } = named;
    const replyId = replyIdOf(reference);
    const found = await storage.findReply(runId, replyId);
    if (found === null || (found.choice === null && (found.isOver || reference.expiresAt <= clock()))) throw gone();
    const { choices, schema } = await this.#formOf(found, reference);
    const allowed = reference.choice === null ? choices : choices.slice(reference.choice, reference.choice + 1);
    return { runId, replyId, found, choices: allowed, schema };
  }

  #read(token: string): ReturnType<typeof parseReplyToken> {
    if (token.length > MAX_TOKEN_LENGTH) return null;
    try {
      return parseReplyToken(this.#parts.replySealer.open(token));
    } catch {
      return null;
    }
  }

  async #formOf({ appId, workflow }: FoundReply, { place }: ReplyReference): Promise<ReplyForm> {
    const record = workflow === null ? null : await this.#parts.storage.findWorkflow(appId, workflow.id, workflow.version);
    if (record === null) throw gone();
    const planned = planWorkflow(record.id, record.version, parseJson(record.document) as WorkflowDocument);
    const step = stepAt(planned, place);
    if (step?.type !== REPLY_URLS) throw gone();
    return step.written as unknown as ReplyForm;
  }
}

function gone(): AppError {
  return new AppError('gone', 'this URL is no longer valid: its time has passed, or the run has ended');
}

function taken(choice: string): AppError {
  return new AppError('conflict', `already answered with "${choice}"; a reply cannot be changed`, { details: { choice } });
}

function wantsPage({ headers: { accept } }: FastifyRequest): boolean {
  return accept?.includes('text/html') === true;
}

function sendPage(request: FastifyRequest, reply: FastifyReply, state: PageState): void {
  reply
    .headers(PAGE_HEADERS)
    .serializer(String)
    .send(replyPage(state, pageLanguage(request.headers['accept-language'])));
}

/** Other faults, and all for programs, are answered as everywhere. */
function sendFault(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const state = error instanceof AppError && wantsPage(request) ? pageOf(error) : null;
  if (state === null) reply.send(error);
  else sendPage(request, reply.code(statusOf((error as AppError).code)), state);
}

function pageOf({ code, message, details }: AppError): PageState | null {
  if (code === 'gone') return { kind: 'expired' };
  if (code === 'not_found') return { kind: 'unknown' };
  if (code === 'conflict') return { kind: 'taken', choice: String(details['choice']) };
  return code === 'unprocessable' || code === 'invalid' ? { kind: 'refused', faults: [message] } : null;
}
