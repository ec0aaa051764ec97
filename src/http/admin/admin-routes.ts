// Registers the admin API: all its routes need the admin token, and take JSON.

import type { FastifyInstance } from 'fastify';
import { parseJsonWithUniqueKeys } from '../../core/json/json.ts';
import type { RequireToken } from '../authenticate.ts';
import { textOfJson } from '../body/decode-body.ts';
import { parseJsonBody } from '../body/json-body.ts';
import { type RequestRouteDependencies, requestRoutes } from '../requests/request-routes.ts';
import { type AppRouteDependencies, appRoutes } from './apps.ts';
import { type CheckRouteDependencies, checkRoutes } from './checks/check-routes.ts';
import { definitionRoutes } from './definitions.ts';
import { type DeliveryRouteDependencies, deliveryRoutes } from './deliveries.ts';
import { type StatsDependencies, statsNowRoute } from './lists/stats-now.ts';
import { type BodyRouteDependencies, bodyRoute } from './parts/body-route.ts';
import { type FileRouteDependencies, fileRoutes } from './parts/file-routes.ts';
import { type OutputRouteDependencies, outputRoutes } from './parts/output-routes.ts';
import { type RunHeadDependencies, runPageRoutes } from './parts/run-head.ts';
import { type BlockRouteDependencies, blockRoutes } from './refusals/blocked-clients.ts';
import { type RejectionRouteDependencies, rejectionRoutes } from './refusals/rejections.ts';
import { type ReplayRouteDependencies, replayRoutes } from './replays/replay-routes.ts';
import { type AdminRunDependencies, adminRunRoutes } from './runs.ts';
import { type SampleRouteDependencies, sampleRoutes } from './samples/sample-routes.ts';
import { type SinkRouteDependencies, sinkRoutes } from './sinks.ts';
import { type VersionRouteDependencies, versionRoutes } from './versions/version-routes.ts';
import { workflowLanguageRoutes } from './workflow-language.ts';
import { type WorkflowRouteDependencies, workflowRoutes } from './workflows.ts';

type RouteDependencies = AppRouteDependencies &
  WorkflowRouteDependencies &
  VersionRouteDependencies &
  CheckRouteDependencies &
  SinkRouteDependencies &
  SampleRouteDependencies &
  AdminRunDependencies &
  ReplayRouteDependencies &
  DeliveryRouteDependencies &
  RejectionRouteDependencies &
  BlockRouteDependencies &
  RequestRouteDependencies &
  RunHeadDependencies &
  BodyRouteDependencies &
  OutputRouteDependencies &
  FileRouteDependencies &
  StatsDependencies;

export interface AdminDependencies extends RouteDependencies {
  requireToken: RequireToken;
  adminHash: string;
}

const BODY_TYPES = ['application/json', 'application/merge-patch+json'];

export async function adminRoutes(server: FastifyInstance, dependencies: AdminDependencies): Promise<void> {
  const { requireToken, adminHash } = dependencies;
  const hashes = [adminHash];
  await server.register(
    (admin, _options, done) => {
      admin.addHook('onRequest', (request, reply, next) => {
        // No cache keeps what an administrator has seen, and no browser takes it for anything else than what it is called.
        reply.headers({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' });
        requireToken(request, reply, hashes, next);
      });
      admin.removeAllContentTypeParsers();
      admin.addContentTypeParser(BODY_TYPES, { parseAs: 'buffer' }, (_request, bytes, next) => parseBody(bytes as Buffer, next));
      appRoutes(admin, dependencies);
      workflowRoutes(admin, dependencies);
      versionRoutes(admin, dependencies);
      checkRoutes(admin, dependencies);
      definitionRoutes(admin, dependencies);
      sinkRoutes(admin, dependencies);
      sampleRoutes(admin, dependencies);
      workflowLanguageRoutes(admin, dependencies);
      adminRunRoutes(admin, dependencies);
      replayRoutes(admin, dependencies);
      deliveryRoutes(admin, dependencies);
      requestRoutes(admin, dependencies);
      runPageRoutes(admin, dependencies);
      bodyRoute(admin, dependencies);
      outputRoutes(admin, dependencies);
      fileRoutes(admin, dependencies);
      rejectionRoutes(admin, dependencies);
      blockRoutes(admin, dependencies);
      statsNowRoute(admin, dependencies);
      done();
    },
    { prefix: '/api/v1' },
  );
}

function parseBody(bytes: Buffer, next: (error: Error | null, value?: unknown) => void): void {
  try {
    next(null, bytes.length === 0 ? null : parseJsonBody(textOfJson(bytes, null), parseJsonWithUniqueKeys));
  } catch (error) {
    next(error as Error);
  }
}
