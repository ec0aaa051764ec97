// What there is to see of a run, in one bounded answer, and further pages of its lists.

import type { FastifyInstance } from 'fastify';
import type { RunHead } from '../../../storage/runs/part-store.ts';
import type { Storage } from '../../../storage/storage.ts';
import { unknownRun } from '../../streams/run-routes.ts';
import { presentRunSummary } from '../presenters.ts';
import { presentReplay } from '../replays/present-job.ts';
import type { MaskSecrets } from '../shown-secrets.ts';
import {
  type Mask,
  presentDeliveryOutline,
  presentFile,
  presentRequest,
  presentStepOutline,
  presentWithin,
  shownError,
} from './present-parts.ts';

export interface RunHeadDependencies {
  storage: Pick<Storage, 'getHead' | 'listSteps' | 'listFiles' | 'listDeliveries'>;
  maskSecrets: MaskSecrets;
}

interface PageRequest {
  Params: { run_id: string };
  Querystring: { limit: number; cursor: number };
}

/** The head is at most 256 KiB: its request at most 96 KiB, these, and less than 16 KiB for the rest. */
const SHARES = { steps: 65_536, deliveries: 49_152, files: 32_768 };
const ENTRIES = { steps: 200, deliveries: 100, files: 100 };
const PAGE_BYTES = 196_608;

const pageSchema = (summary: string): object => ({
  schema: {
    tags: ['runs'],
    summary,
    querystring: {
      type: 'object',
      additionalProperties: false,
      properties: {
        limit: { type: 'integer', minimum: 1, maximum: 500, default: 200 },
        cursor: {
          type: 'integer',
          minimum: 0,
          maximum: Number.MAX_SAFE_INTEGER,
          default: 0,
          description: 'next_cursor of the page before, or of the head',
        },
      },
    },
  },
});

export async function readHead({ storage, maskSecrets }: RunHeadDependencies, runId: string): Promise<object> {
  const head = await storage.getHead(runId);
  if (head === null) throw unknownRun();
  const mask: Mask = (text) => maskSecrets(runId, text);
  // Read after the run, so that an ended run is never shown with a step or a delivery that it still waits for.
  const [page, files, deliveries] = await Promise.all([
    storage.listSteps(runId, 0, ENTRIES.steps),
    storage.listFiles(runId, 0, ENTRIES.files),
    storage.listDeliveries({ runId, limit: ENTRIES.deliveries }),
  ]);
  const shown = {
    steps: presentWithin(SHARES.steps, page?.steps ?? [], (step) => presentStepOutline(step, mask)),
    deliveries: presentWithin(SHARES.deliveries, deliveries, (delivery) => presentDeliveryOutline(delivery, maskSecrets)),
    files: presentWithin(
      SHARES.files,
      (files ?? []).map((file, index) => ({ file, index })),
      ({ file, index }) => presentFile(file, index),
    ),
  };
  const lastDelivery = deliveries[shown.deliveries.length - 1];
  return {
    ...presentRunSummary({ ...head, error: shownError(head.error, mask) }),
    workflow: presentWorkflow(head),
    output_size: head.outputSize,
    ...presentReplay(head.replay),
    steps: shown.steps,
    deliveries: shown.deliveries,
    request: { ...presentRequest(head), files: shown.files },
    left_out: {
      steps: leftOut(page?.total ?? 0, shown.steps.length),
      deliveries: leftOut(head.deliveryCount, shown.deliveries.length, lastDelivery?.position),
      files: leftOut(head.fileCount, shown.files.length),
    },
  };
}

export function runPageRoutes(server: FastifyInstance, { storage, maskSecrets }: RunHeadDependencies): void {
  server.get<PageRequest>('/runs/:run_id/steps', pageSchema('List the steps of a run without their outputs'), async ({ params, query }) => {
    const page = await storage.listSteps(params.run_id, query.cursor, query.limit);
    if (page === null) throw unknownRun();
    const mask: Mask = (text) => maskSecrets(params.run_id, text);
    const shown = presentWithin(PAGE_BYTES, page.steps, (step) => presentStepOutline(step, mask));
    return { steps: shown, next_cursor: leftOut(page.total, query.cursor + shown.length).next_cursor };
  });

  server.get<PageRequest>('/runs/:run_id/files', pageSchema('List the received files of a run'), async ({ params, query }) => {
    const { cursor, limit } = query;
    const files = await storage.listFiles(params.run_id, cursor, limit + 1);
    if (files === null) throw unknownRun();
    const placed = files.slice(0, limit).map((file, index) => ({ file, index: cursor + index }));
    const shown = presentWithin(PAGE_BYTES, placed, ({ file, index }) => presentFile(file, index));
    return { files: shown, next_cursor: shown.length < files.length ? cursor + shown.length : null };
  });
}

function presentWorkflow({ workflow, latestVersion }: RunHead): object | null {
  return workflow === null ? null : { ...workflow, latest_version: latestVersion };
}

/** The cursor goes on after the last entry that is shown. */
function leftOut(total: number, shown: number, cursor = shown): { count: number; next_cursor: number | null } {
  const count = Math.max(0, total - shown);
  return { count, next_cursor: count === 0 ? null : cursor };
}
