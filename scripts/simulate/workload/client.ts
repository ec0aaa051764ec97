// The callers: they trigger runs on both servers, try again what was refused, reply to runs, cancel them, and retry deliveries
// by hand.

import type { Request } from '../../../src/core/run/request.ts';
import type { Trigger } from '../../../src/engine/dispatch/trigger.ts';
import { AppError } from '../../../src/errors.ts';
import type { NewReply } from '../../../src/storage/reply-records.ts';
import type { Life } from '../servers/life.ts';
import type { Server } from '../servers/server.ts';
import type { World } from '../world.ts';
import { drawTrigger, drawWorkflows } from './triggers.ts';
import { APPROVAL, FIRST_REPLY, REPLY_SECONDS } from './workflows.ts';

export interface Acknowledged extends Pick<Trigger, 'sinkId' | 'idempotency'> {
  runId: string;
  /** Of the request, unless an earlier one had its key. */
  number: number | null;
}

const MAX_RUNS = 14;
const MAX_TRIES = 5;

export class Client {
  readonly #world: World;
  readonly #servers: readonly Server[];
  readonly #onAcknowledged: readonly ((runId: string) => void)[];
  readonly acknowledged: Acknowledged[] = [];
  /** The replies that were acknowledged as stored. */
  readonly replies: NewReply[] = [];

  constructor(world: World, servers: readonly Server[], onAcknowledged: readonly ((runId: string) => void)[]) {
    this.#world = world;
    this.#servers = servers;
    this.#onAcknowledged = onAcknowledged;
  }

  /** Plans all that the callers do, from now until the faults stop. */
  begin(): void {
    const { random, time, calmAt } = this.#world;
    const workflowIds = drawWorkflows(random);
    const lastMs = calmAt - time.now;
    // Runs that meet come close to one another.
    const bursts = Array.from({ length: random.integer(1, 4) }, () => random.next() * lastMs * 0.8);
    for (let number = 1, runs = random.integer(3, MAX_RUNS); number <= runs; number += 1) {
      const trigger = drawTrigger(random, workflowIds, number, Math.floor(time.now));
      time.schedule(random.pick(bursts) + random.next() * random.pick([5, 500, 5000]), null, () => this.#send(trigger, 1));
    }
    for (let count = random.integer(0, 3); count > 0; count -= 1) time.schedule(random.next() * lastMs, null, () => this.#cancel());
    for (let count = random.integer(0, 2); count > 0; count -= 1) time.schedule(random.next() * lastMs, null, () => this.#retry());
  }

  #send(trigger: Trigger, tries: number): void {
    const { time, note } = this.#world;
    this.#on((life) => {
      life.engine.dispatch(trigger).then(
        ({ runId, ended, isDuplicate }) => {
          note(life.name, `acknowledges ${runId}`);
          // A run that flow control has ended leaves its key free.
          const idempotency = ended?.status === 'cancelled' ? null : trigger.idempotency;
          const { number } = (trigger.request as Request).body as { number: number };
          this.acknowledged.push({ runId, sinkId: trigger.sinkId, idempotency, number: isDuplicate ? null : number });
          for (const act of this.#onAcknowledged) act(runId);
          if (trigger.workflowReference?.id === APPROVAL) this.#replyLater(runId, trigger);
        },
        (error: unknown) => {
          note(life.name, `refuses a trigger: ${String(error)}`);
          if (!(error instanceof AppError)) return this.#world.fail('no unexpected errors', `a trigger: ${String(error)}`);
          const mayRepeat = error.code === 'unavailable' && trigger.idempotency !== null && tries < MAX_TRIES;
          if (mayRepeat) time.schedule(500 * tries, null, () => this.#send(trigger, tries + 1));
        },
      );
    });
  }

  /** Some replies come at the same moment, and some when the run ends its wait. */
  #replyLater(runId: string, { request }: Trigger): void {
    const { random, time } = this.#world;
    const { seconds } = (request as Request).body as { seconds: number };
    const limitMs = 1000 * (seconds + REPLY_SECONDS);
    const atMs = random.happens(0.5) ? limitMs + random.next() * 50 : random.next() * limitMs;
    for (let count = random.integer(0, 3); count > 0; count -= 1) {
      const reply = { runId, replyId: FIRST_REPLY, choice: random.pick(['approve', 'reject']), body: null };
      const store = async (life: Life): Promise<void> => {
        if ((await life.engine.reply(reply)).kind === 'stored') this.replies.push(reply);
      };
      time.schedule(atMs + random.next() * 10, null, () => this.#on((life) => this.#ignoreRefusal(store(life))));
    }
  }

  #cancel(): void {
    const { random } = this.#world;
    if (this.acknowledged.length === 0) return;
    const { runId } = random.pick(this.acknowledged);
    this.#on((life) => this.#ignoreRefusal(life.engine.cancel(runId)));
  }

  #retry(): void {
    const { state } = this.#world;
    const ids = [...state.deliveries.values()].filter(({ status }) => status === 'failed' || status === 'dropped').map(({ id }) => id);
    if (ids.length > 0) this.#on((life) => this.#ignoreRefusal(life.engine.retryDeliveries(ids)));
  }

  /** Calls a server, unless all are down. */
  #on(call: (life: Life) => void): void {
    const { random, time } = this.#world;
    const lives = this.#servers.flatMap(({ ready }) => ready ?? []);
    if (lives.length === 0) return;
    const life = random.pick(lives);
    time.schedule(0, life, () => call(life));
  }

  #ignoreRefusal(work: Promise<unknown>): void {
    work.catch((error: unknown) => {
      if (!(error instanceof AppError)) this.#world.fail('no unexpected errors', String(error));
    });
  }
}
