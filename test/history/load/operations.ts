// The operations of a client on the API of the real server: how each is asked, and how its answer is read.

import {
  type DeliveryStatus,
  INTERNAL_ERROR,
  type Operations,
  type Outcome,
  type RunStatus,
  type ToldDelivery,
  type ToldRun,
} from '../history.ts';
import { type Answer, type Call, Caller, framesOf, type Lost } from './http-call.ts';
import { APP, definitionOf, editionOf } from './workload.ts';

type Asked<Name extends keyof Operations> = Operations[Name]['asked'];
type Result<Name extends keyof Operations> = Promise<Outcome<Operations[Name]['told']>>;

const ADMIN = { authorization: 'Bearer admin-token-of-the-tests' };

const MODES = {
  stream: { accept: 'text/event-stream' },
  wait: { accept: 'application/json', prefer: 'wait=2' },
  async: { prefer: 'respond-async' },
} as const;

interface ShownRun {
  run_id: string;
  status: RunStatus;
  output?: Record<string, unknown>;
}

interface ShownDelivery {
  delivery_id: string;
  run_id: string;
  status: DeliveryStatus;
}

export function readRun({ run_id: runId, status, output = {} }: ShownRun): ToldRun {
  return { runId, status, output: status === 'completed' ? output : null };
}

export function readDelivery({ delivery_id: deliveryId, run_id: runId, status }: ShownDelivery): ToldDelivery {
  return { deliveryId, runId, status };
}

export class ApiOperations {
  readonly #caller = new Caller();
  /** By workflow and version. */
  readonly #tags = new Map<string, string>();
  readonly #base: () => Promise<string>;
  readonly #receiver: string;

  /** `base` resolves to the server's address while it listens. */
  constructor(base: () => Promise<string>, receiver: string) {
    this.#base = base;
    this.#receiver = receiver;
  }

  close(): void {
    this.#caller.close();
  }

  async trigger({ sink, mode, key, marker, after }: Asked<'trigger'>): Result<'trigger'> {
    const headers = {
      ...MODES[mode],
      ...(key === null ? {} : { 'idempotency-key': key }),
      ...(after === null ? {} : { 'last-event-id': String(after) }),
    };
    const answer = await this.#call({ method: 'POST', path: `/${APP}/${sink}`, headers, body: JSON.stringify({ marker }) });
    // 502 tells of a run that has failed.
    return read(answer, [200, 202, 204, 502], ({ headers: { 'x-run-id': runId }, text, ending }) => {
      const isDocument = mode === 'wait' && ending === 'whole' && text !== '';
      const run = isDocument ? readRun(JSON.parse(text) as ShownRun) : null;
      const events = mode === 'stream' ? framesOf(text) : [];
      return { runId: String(runId), run: run?.status === 'queued' ? null : run, events, ending };
    });
  }

  async events({ runId, after }: Asked<'events'>): Result<'events'> {
    const isHeader = after % 2 === 0;
    const answer = await this.#call({
      method: 'GET',
      path: `/runs/${runId}/events${isHeader ? '' : `?after=${after}`}`,
      headers: isHeader ? { 'last-event-id': String(after) } : {},
    });
    return read(answer, [200, 204], ({ text, ending }) => ({ events: framesOf(text), ending }));
  }

  async lookup({ runId }: Asked<'lookup'>): Result<'lookup'> {
    return readWhole(await this.#call({ method: 'GET', path: `/runs/${runId}` }), [200], (run) => readRun(run));
  }

  async list({ limit }: Asked<'list'>): Result<'list'> {
    return readWhole(await this.#admin('GET', `/runs?limit=${limit}`), [200], ({ runs }) => ({ runs: runs.map(readRun) }));
  }

  async cancel({ runId }: Asked<'cancel'>): Result<'cancel'> {
    return readWhole(await this.#admin('POST', `/runs/${runId}/cancel`), [200], () => null);
  }

  async replay({ runId }: Asked<'replay'>): Result<'replay'> {
    return readWhole(await this.#admin('POST', `/runs/${runId}/replay`), [202], ({ run_id: replayed }) => ({ runId: replayed }));
  }

  async readDelivery({ deliveryId }: Asked<'readDelivery'>): Result<'readDelivery'> {
    return readWhole(await this.#admin('GET', `/deliveries/${deliveryId}`), [200], (delivery) => readDelivery(delivery));
  }

  async listDeliveries({ status }: Asked<'listDeliveries'>): Result<'listDeliveries'> {
    const answer = await this.#admin('GET', `/deliveries?status=${status}&limit=50`);
    return readWhole(answer, [200], ({ deliveries }) => ({ deliveries: deliveries.map(readDelivery) }));
  }

  async retry({ deliveryId, isBulk }: Asked<'retry'>): Result<'retry'> {
    if (!isBulk) return readWhole(await this.#admin('POST', `/deliveries/${deliveryId}/retry`), [202], () => ({ retried: [deliveryId] }));
    return readWhole(await this.#admin('POST', '/deliveries/retry', { ids: [deliveryId] }), [202], ({ ids }) => ({ retried: ids }));
  }

  /** Without a known tag of `base` nothing is sent. */
  async edit({ workflow, edition, base }: Asked<'edit'>): Result<'edit'> {
    const tag = base === null ? undefined : this.#tags.get(`${workflow} ${base}`);
    const headers: Record<string, string> = tag === undefined ? {} : { 'if-match': tag };
    const path = `/apps/${APP}/workflows/${workflow}`;
    const answer = await this.#admin('PUT', path, definitionOf(workflow, edition, this.#receiver), headers);
    return readWhole(answer, [200], ({ version }, { etag }) => {
      this.#tags.set(`${workflow} ${version}`, String(etag));
      return { version };
    });
  }

  async readWorkflow({ workflow }: Asked<'readWorkflow'>): Result<'readWorkflow'> {
    return readWhole(await this.#admin('GET', `/apps/${APP}/workflows/${workflow}`), [200], ({ version, definition }, { etag }) => {
      this.#tags.set(`${workflow} ${version}`, String(etag));
      return { version, edition: editionOf(definition) };
    });
  }

  /** Whether an edit can name this version in If-Match. */
  knowsTag(workflow: string, version: number): boolean {
    return this.#tags.has(`${workflow} ${version}`);
  }

  async #call(call: Call): Promise<Answer | Lost> {
    return await this.#caller.call(await this.#base(), call);
  }

  async #admin(method: string, path: string, body?: object, headers: Record<string, string> = {}): Promise<Answer | Lost> {
    const call = { method, path: `/api/v1${path}`, headers: { ...ADMIN, ...headers } };
    return await this.#call(body === undefined ? call : { ...call, body: JSON.stringify(body) });
  }
}

/** An answer whose head alone says that the operation is done. */
function read<Told>(answer: Answer | Lost, done: readonly number[], tell: (answer: Answer) => Told): Outcome<Told> {
  if ('lost' in answer) return { kind: 'unknown', reason: answer.lost };
  if (done.includes(answer.status)) return { kind: 'ok', told: tell(answer) };
  const message = answer.text.slice(0, 300);
  // When a sync fails the server cannot know whether the commit is on disk.
  if (answer.status === 500) return { kind: 'unknown', reason: `${INTERNAL_ERROR}: ${message}` };
  return { kind: 'refused', status: answer.status, message };
}

/** An answer that counts only with its whole document. */
function readWhole<Told>(
  answer: Answer | Lost,
  done: readonly number[],
  tell: (document: any, headers: Answer['headers']) => Told,
): Outcome<Told> {
  if (!('lost' in answer) && done.includes(answer.status) && answer.ending !== 'whole')
    return { kind: 'unknown', reason: 'the answer was cut off' };
  return read(answer, done, ({ text, headers }) => tell(JSON.parse(text), headers));
}
