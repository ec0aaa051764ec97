// The routes behind reply URLs: GET shows a page and changes nothing, and POST stores the reply.

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Clock } from '../../clock.ts';
import { parseJson } from '../../core/json/json.ts';
import { parseReplyToken, REPLY_PATH, type ReplyReference, replyIdOf } from '../../core/reply/reply.ts';
import { compileReplySchema, REPLY_URLS, type ReplyForm } from '../../core/reply/reply-form.ts';
import type { SchemaCheck } from '../../core/schema.ts';
import type { WorkflowDocument } from '../../core/workflow/document.ts';
import { planWorkflow } from '../../core/workflow/plan.ts';
import type { Engine } from '../../engine/engine.ts';
import { AppError } from '../../errors.ts';
import type { Sealer } from '../../sealer.ts';
import type { FoundReply } from '../../storage/run-records.ts';
import type { Storage } from '../../storage/storage.ts';
import { statusOf } from '../error-handler.ts';
import type { FailedCredentials } from '../failed-credentials.ts';
import { MAX_REPLY_BYTES, readReply } from './reply-body.ts';
import { PAGE_HEADERS, type PageState, pageLanguage, replyPage } from './reply-page.ts';

export interface ReplyRouteDependencies {
  storage: Pick<Storage, 'findReply' | 'findWorkflow'>;
  engine: Pick<Engine, 'reply'>;
  replySealer: Sealer;
  failures: FailedCredentials;
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
  check: SchemaCheck | null;
}

interface TokenRequest {
  Params: { token: string };
}

const MAX_TOKEN_LENGTH = 400;
const params = { type: 'object', properties: { token: { type: 'string', description: 'as the URL that was sent has it' } } } as const;

export function replyRoutes(server: FastifyInstance, dependencies: ReplyRouteDependencies): void {
  const route = new ReplyRoute(dependencies);
  server.register((scope, _options, done) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: MAX_REPLY_BYTES }, (_request, body, parsed) => parsed(null, body));
    scope.addHook('onRequest', (_request, reply, next) => {
      reply.headers({ 'cache-control': 'no-store', 'referrer-policy': 'no-referrer', 'x-robots-tag': 'noindex' });
      next();
    });
    scope.setErrorHandler((error, request, reply) => sendFault(error, request, reply));
    const url = `${REPLY_PATH}:token`;
    const tags = ['runs'];
    scope.get<TokenRequest>(
      url,
      { schema: { tags, summary: 'Show the page of a reply URL', description: 'Replies nothing.', params, security: [] } },
      (request, reply) => route.show(request, reply),
    );
    scope.post<TokenRequest>(
      url,
      {
        bodyLimit: MAX_REPLY_BYTES,
        schema: {
          tags,
          summary: 'Reply to a waiting run',
          description: 'The first reply counts; the same one again is 200.',
          params,
          security: [],
        },
      },
      (request, reply) => route.store(request, reply),
    );
    done();
  });
}

class ReplyRoute {
  readonly #parts: ReplyRouteDependencies;

  constructor(parts: ReplyRouteDependencies) {
    this.#parts = parts;
  }

  async show(request: FastifyRequest<TokenRequest>, reply: FastifyReply): Promise<FastifyReply> {
    const { choices, found } = await this.#open(request);
    return sendPage(request, reply, found.choice === null ? { kind: 'ask', choices } : { kind: 'taken', choice: found.choice });
  }

  async store(request: FastifyRequest<TokenRequest>, reply: FastifyReply): Promise<FastifyReply> {
    this.#parts.refuseWhenFull();
    const { runId, replyId, choices, check } = await this.#open(request);
    const bytes = (request.body as Uint8Array | undefined) ?? new Uint8Array();
    const { choice, body } = readReply(bytes, request.headers['content-type'], choices, check);
    const result = await this.#parts.engine.reply({ runId, replyId, choice, body });
    if (result.kind === 'ended') throw gone();
    if (result.kind === 'taken') throw taken(result.choice);
    return wantsPage(request) ? sendPage(request, reply, { kind: 'replied', choice }) : reply.send({ status: 'stored', choice });
  }

  /** Rejects with `not_found`, `rate_limited` after too many unknown tokens, or `gone`. */
  async #open({ params: { token }, ip }: FastifyRequest<TokenRequest>): Promise<OpenUrl> {
    const { storage, failures, clock } = this.#parts;
    const named = this.#read(token);
    if (named === null) throw failures.refuse(ip, new AppError('not_found', 'there is no such reply URL; check that it is whole'));
    const { runId, reference } = named;
    const replyId = replyIdOf(reference);
    const found = await storage.findReply(runId, replyId);
    if (found === null || (found.choice === null && (found.isOver || reference.expiresAt <= clock()))) throw gone();
    const { choices, schema } = await this.#formOf(found, reference);
    const allowed = reference.choice === null ? choices : choices.slice(reference.choice, reference.choice + 1);
    return { runId, replyId, found, choices: allowed, check: schema === undefined ? null : compileReplySchema(schema) };
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
    const { steps } = planWorkflow(record.id, record.version, parseJson(record.document) as WorkflowDocument);
    const step = steps[place];
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

function sendPage(request: FastifyRequest, reply: FastifyReply, state: PageState): FastifyReply {
  return reply
    .headers(PAGE_HEADERS)
    .serializer(String)
    .send(replyPage(state, pageLanguage(request.headers['accept-language'])));
}

/** Faults of other kinds, and those for programs, are answered as everywhere. */
function sendFault(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  if (!(error instanceof AppError) || !wantsPage(request)) throw error;
  const state = pageOf(error);
  if (state === null) throw error;
  sendPage(request, reply.code(statusOf(error.code)), state);
}

function pageOf({ code, message, details }: AppError): PageState | null {
  if (code === 'gone') return { kind: 'expired' };
  if (code === 'not_found') return { kind: 'unknown' };
  if (code === 'conflict') return { kind: 'taken', choice: String(details['choice']) };
  return code === 'unprocessable' || code === 'invalid' ? { kind: 'refused', faults: [message] } : null;
}
