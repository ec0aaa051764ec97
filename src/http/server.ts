// The HTTP server: all its dependencies are passed as arguments, and its routes are registered in one place.

import type { FastifyInstance } from 'fastify';
import type { Clock } from '../clock.ts';
import type { Catalog } from '../definitions/catalog.ts';
import type { DefinitionService } from '../definitions/definition-service.ts';
import type { Engine } from '../engine/engine.ts';
import type { RunFeed } from '../engine/run-feed.ts';
import type { BlobStore } from '../files/blobs.ts';
import type { DiskFloor } from '../files/disk-floor.ts';
import type { Logger } from '../logger.ts';
import type { MemoryBudget } from '../memory-budget.ts';
import type { FetchText } from '../presets/remote/fetch-text.ts';
import type { ReplayJobs } from '../replays/replay-jobs.ts';
import type { Replayer } from '../replays/replayer.ts';
import type { Scheduler } from '../schedules/scheduler.ts';
import type { Sealer } from '../sealer.ts';
import type { Storage, StorageNode } from '../storage/storage.ts';
import { hashToken } from '../token.ts';
import { adminRoutes } from './admin/admin-routes.ts';
import type { MaskSecrets } from './admin/shown-secrets.ts';
import { Admission } from './admission.ts';
import { createRequireToken } from './authenticate.ts';
import { createPayloadIntake, type PayloadIntake } from './body/payload-intake.ts';
import { createFastify } from './create-fastify.ts';
import { healthRoutes } from './health.ts';
import { BlockedClients } from './limits/blocked-clients.ts';
import { FailedCredentials } from './limits/failed-credentials.ts';
import { SinkRates } from './limits/sink-rates.ts';
import { replyRoutes } from './replies/reply-routes.ts';
import { EventStreams } from './streams/event-streams.ts';
import { runRoutes } from './streams/run-routes.ts';
import { createRunWaiter } from './streams/run-waiter.ts';
import { createStoredReads } from './streams/stored-reads.ts';
import { UnsentAnswers } from './streams/unsent-answers.ts';
import { TriggerAnswers } from './trigger/answer.ts';
import type { PostForm } from './trigger/forms/captcha.ts';
import { FormGuard } from './trigger/forms/form-guard.ts';
import { RefusedCaptures } from './trigger/rejections/refused-captures.ts';
import { RejectionLog } from './trigger/rejections/rejection-log.ts';
import { CredentialUses } from './trigger/senders/credential-uses.ts';
import { SenderGate } from './trigger/senders/sender-gate.ts';
import { Senders } from './trigger/senders/senders.ts';
import { triggerRoutes } from './trigger/trigger-route.ts';

export interface ServerDependencies {
  node: Pick<StorageNode, 'isAlone'>;
  storage: Storage;
  blobs: BlobStore;
  disk: DiskFloor;
  catalog: Catalog;
  definitions: DefinitionService;
  engine: Engine;
  replayer: Replayer;
  jobs: ReplayJobs;
  feed: RunFeed;
  scheduler: Pick<Scheduler, 'timesOf'>;
  /** Server time, for expiry and rate limits. */
  clock: Clock;
  /** For times shown to callers, and for the age of files. */
  wallClock: Clock;
  logger: Logger;
  memory: MemoryBudget;
  adminToken: string;
  maskSecrets: MaskSecrets;
  /** Opens the secrets of sinks. */
  sealer: Sealer;
  /** Opens the tokens of reply URLs. */
  replySealer: Sealer;
  /** Fetches what webhook senders publish. */
  fetchText: FetchText;
  /** Asks captcha providers. */
  postForm: PostForm;
  trustProxy: boolean | string[];
  /** Requests per second to one sink from one address; 0 turns the limit off. */
  rateLimit: number;
  /** Public address; null for the address that the server listens on. */
  baseUrl: string | null;
  version: string;
}

interface ServerParts {
  fastify: FastifyInstance;
  admission: Admission;
  streams: EventStreams;
  payloads: PayloadIntake;
  rejections: RejectionLog;
  blocked: BlockedClients;
  baseUrl: string | null;
}

/** Time for answers in flight to finish when the server closes. */
const CLOSE_GRACE_MS = 500;

export class HttpServer {
  readonly #parts: ServerParts;
  #listenUrl = '';

  constructor(parts: ServerParts) {
    this.#parts = parts;
  }

  get fastify(): FastifyInstance {
    return this.#parts.fastify;
  }

  /** The public address; by default the address that the server listens on. */
  get baseUrl(): string {
    return this.#parts.baseUrl ?? this.#listenUrl;
  }

  /** Resolves to the address as a URL. */
  async listen(host: string, port: number): Promise<string> {
    this.#listenUrl = await this.fastify.listen({ host, port });
    return this.#listenUrl;
  }

  /** Refuses new runs and connections; open streams continue. */
  stopAccepting(): void {
    const { admission, fastify } = this.#parts;
    admission.stop();
    fastify.server.close();
    fastify.server.closeIdleConnections();
  }

  /** Ends open streams and connections. */
  async close(): Promise<void> {
    const { admission, fastify, streams, payloads, rejections, blocked } = this.#parts;
    admission.stop();
    streams.closeAll();
    // A silent connection, or one whose request never ends, would block closing for ever: Node stops its own time limits
    // once the server closes.
    const cut = setTimeout(() => fastify.server.closeAllConnections(), CLOSE_GRACE_MS);
    await fastify.close();
    clearTimeout(cut);
    blocked.close();
    await payloads.close();
    await rejections.close();
  }
}

export async function createServer(dependencies: ServerDependencies): Promise<HttpServer> {
  const { storage, node, blobs, disk, engine, feed, clock, wallClock, logger, memory, adminToken, rateLimit, baseUrl } = dependencies;
  const rejections = new RejectionLog(storage, clock, logger);
  const fastify = await createFastify({ ...dependencies, rejections });
  const failures = new FailedCredentials(clock);
  const requireToken = await createRequireToken(fastify, failures);
  const unsent = new UnsentAnswers(memory.answers);
  const reads = createStoredReads(storage, memory.answers);
  const streams = new EventStreams({ reads, feed, unsent });
  const admission = new Admission(disk);
  const payloads = createPayloadIntake(blobs);
  const blocked = new BlockedClients(storage, node.isAlone, wallClock, logger);
  await blocked.load();
  const server = new HttpServer({ fastify, admission, streams, payloads, rejections, blocked, baseUrl });
  const uses = new CredentialUses(wallClock);
  const rates = new SinkRates(clock, rateLimit === 0 ? null : { perSecond: rateLimit, burst: rateLimit }, storage);
  dependencies.catalog.onChange(({ sinks }) => rates.keep(sinks));
  const shared = {
    ...dependencies,
    reads,
    unsent,
    streams,
    requireToken,
    uses,
    blocked,
    captures: new RefusedCaptures(wallClock),
    startedRuns: engine.startedRuns,
    adminHash: hashToken(adminToken),
  };

  healthRoutes(fastify, { storage, disk, memory, isStopping: () => admission.isStopping });
  runRoutes(fastify, shared);
  replyRoutes(fastify, { ...shared, failures, refuseWhenFull: () => admission.refuseWhenFull() });
  fastify.get('/api/v1/openapi.json', { schema: { tags: ['api'], summary: 'This description' } }, () => fastify.swagger());
  await adminRoutes(fastify, { ...shared, baseUrl: () => server.baseUrl });
  triggerRoutes(fastify, {
    ...shared,
    payloads,
    gate: new SenderGate({ ...shared, rejections, senders: new Senders({ ...shared, baseUrl: () => server.baseUrl, failures }) }),
    answers: new TriggerAnswers({ ...shared, waitForRun: createRunWaiter(reads, feed), renderLarge: engine.renderLarge }),
    forms: new FormGuard(shared),
    rejections,
    rates,
    refuseWhenFull: () => admission.refuseWhenFull(),
  });
  return server;
}
