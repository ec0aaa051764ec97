// A short history with every kind of operation, for tests that make one thing in it wrong.

import { type Entry, entriesOf, type FinalRun, type FinalState, type History, type OperationName } from '../history.ts';
import { SmallServer, type Span } from './small-server.ts';

const told: Span = { fate: 'told', before: 1, after: 1 };

/** Performs one operation after the other on a server. */
class Actor {
  readonly server = new SmallServer();

  act(action: (server: SmallServer) => void): void {
    this.server.pass(10);
    action(this.server);
  }

  trigger(sink: string, marker: string, mode: 'stream' | 'wait' | 'async' = 'async', key: string | null = null, span = told): void {
    this.act((server) => server.trigger({ sink, mode, key, marker, after: null }, span));
  }

  run(marker: string): FinalRun {
    return this.server.runs.find((run) => run.marker === marker) as FinalRun;
  }

  delivery(marker: string): SmallServer['deliveries'][number] {
    const { runId } = this.run(marker);
    return this.server.deliveries.find((delivery) => delivery.runId === runId) as SmallServer['deliveries'][number];
  }
}

/** Each kind of operation on each kind of workflow. */
export function rightHistory(): { history: History; state: FinalState } {
  const actor = new Actor();
  startRuns(actor);
  endRuns(actor);
  rememberAndSend(actor);
  actor.act((server) => server.list(100, told));
  return actor.server.finish();
}

function startRuns(actor: Actor): void {
  actor.trigger('pure', 'streamed', 'stream', 'key');
  actor.trigger('pure', 'streamed', 'wait', 'key');
  actor.trigger('pure', 'other body', 'async', 'key');
  actor.trigger('pure', 'lost', 'async', null, { ...told, fate: 'lost' });
  actor.trigger('pure', 'never', 'async', null, { ...told, fate: 'never' });
  actor.trigger('pure', 'refused', 'async', null, { ...told, fate: 'refused' });
  actor.act((server) => server.events(actor.run('streamed'), 1, told));
  actor.act((server) => server.replay(actor.run('streamed'), told));
}

function endRuns(actor: Actor): void {
  actor.trigger('slow', 'cancelled');
  actor.act((server) => server.cancel(actor.run('cancelled'), told));
  actor.trigger('slow', 'slow');
  actor.act((server) => server.edit('slow', 'second', null, told));
  actor.act((server) => server.edit('slow', 'third', false, told));
  actor.act((server) => server.edit('slow', 'stale', true, told));
  actor.act((server) => server.readWorkflow('slow', told));
  actor.act((server) => server.end(actor.run('slow')));
  actor.act((server) => server.lookup(actor.run('slow'), told));
  actor.act((server) => server.cancel(actor.run('slow'), told));
}

function rememberAndSend(actor: Actor): void {
  for (const marker of ['one', 'two', 'three']) actor.trigger('remember', marker, 'wait');
  for (const marker of ['passed', 'limited']) actor.trigger('limited', marker, 'wait');
  actor.trigger('background', 'dead');
  for (const status of [503, 503]) actor.act((server) => server.attempt(actor.delivery('dead'), status));
  actor.act((server) => server.readDelivery(actor.delivery('dead'), told));
  actor.act((server) => server.retry(actor.delivery('dead'), false, told));
  actor.act((server) => server.attempt(actor.delivery('dead'), 200));
  actor.act((server) => server.readDelivery(actor.delivery('dead'), told));
  actor.act((server) => server.retry(actor.delivery('dead'), false, told));
  actor.trigger('awaited', 'delivered');
  actor.act((server) => server.attempt(actor.delivery('delivered'), 200));
  actor.trigger('awaited', 'withdrawn');
  actor.act((server) => server.cancel(actor.run('withdrawn'), told));
}

export interface Case {
  history: History;
  state: FinalState;
  run(marker: string): FinalRun;
  /** The last operation of this name, or the one with the marker. */
  last<Name extends OperationName>(name: Name, marker?: string): Entry<Name>;
  /** Adds an operation after all others. */
  add<Name extends OperationName>(operation: Name, asked: Entry<Name>['asked'], outcome: Entry<Name>['outcome']): void;
}

export function makeCase(): Case {
  const { history, state } = rightHistory();
  const found = <Item>(item: Item | undefined): Item => {
    if (item === undefined) throw new Error('the history has no such thing');
    return item;
  };
  return {
    history,
    state,
    run: (marker) => found(state.runs.find((run) => run.marker === marker)),
    last: (name, marker) =>
      found(entriesOf(history, name).findLast(({ asked }) => marker === undefined || ('marker' in asked && asked.marker === marker))),
    add(operation, asked, outcome) {
      const at = found(history.entries.at(-1)).returnedAt + 10;
      const entry = { id: history.entries.length + 1, client: 1, operation, asked, outcome, invokedAt: at, returnedAt: at + 1 };
      history.entries.push(entry as unknown as Entry);
    },
  };
}

export const ok = <Told>(value: Told) => ({ kind: 'ok', told: value }) as const;
export const deliveryOf = ({ state, run }: Case, marker: string): FinalState['deliveries'][number] =>
  state.deliveries.find(({ runId }) => runId === run(marker).runId) as FinalState['deliveries'][number];

/** Makes one thing wrong, and names the rule that must find it. */
export type Fault = [rule: string, fault: string, spoil: (found: Case) => void];
