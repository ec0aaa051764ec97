// The record of a history: what each client asked and was told, by one monotonic clock, beside the faults and what the
// receiver of deliveries saw.

export type RunStatus = 'queued' | 'running' | 'waiting' | 'completed' | 'failed' | 'cancelled';
export type DeliveryStatus = 'queued' | 'sending' | 'delivered' | 'failed' | 'cancelled' | 'dropped';

export interface ToldEvent {
  seq: number;
  /** The frame's data, unchanged. */
  text: string;
}

export interface ToldStream {
  events: ToldEvent[];
  /** `cut`: the connection was lost. `timeout`: the client left. */
  ending: 'whole' | 'cut' | 'timeout';
}

/** What one answer says about a run. */
export interface ToldRun {
  runId: string;
  status: RunStatus;
  /** Null unless the answer has it. */
  output: Record<string, unknown> | null;
}

export interface ToldDelivery {
  deliveryId: string;
  runId: string;
  status: DeliveryStatus;
}

/** Each operation: what a client asks, and what the server tells when it does it. */
export interface Operations {
  /** `marker` names the request's body: the same marker is the same body. `after` is the Last-Event-ID, if one is sent. */
  trigger: {
    asked: { sink: string; mode: 'stream' | 'wait' | 'async'; key: string | null; marker: string; after: number | null };
    told: { runId: string; run: ToldRun | null } & ToldStream;
  };
  events: { asked: { runId: string; after: number }; told: ToldStream };
  lookup: { asked: { runId: string }; told: ToldRun };
  list: { asked: { limit: number }; told: { runs: ToldRun[] } };
  cancel: { asked: { runId: string }; told: null };
  replay: { asked: { runId: string }; told: { runId: string } };
  readDelivery: { asked: { deliveryId: string }; told: ToldDelivery };
  listDeliveries: { asked: { status: DeliveryStatus }; told: { deliveries: ToldDelivery[] } };
  /** `isBulk`: by the route that takes a list of ids. */
  retry: { asked: { deliveryId: string; isBulk: boolean }; told: { retried: string[] } };
  /** `edition` is unique to this edit. `base` is the version that If-Match names. */
  edit: { asked: { workflow: string; edition: string; base: number | null }; told: { version: number } };
  readWorkflow: { asked: { workflow: string }; told: { version: number; edition: string } };
}

export type OperationName = keyof Operations;

/** `refused`: the server said no. `unknown`: the connection was lost, or no answer came in time. */
export type Outcome<Told> =
  | { kind: 'ok'; told: Told }
  | { kind: 'refused'; status: number; message: string }
  | { kind: 'unknown'; reason: string };

/** The reason of an unknown outcome begins with it if the server answered 500. */
export const INTERNAL_ERROR = 'internal error';

export interface Entry<Name extends OperationName = OperationName> {
  id: number;
  client: number;
  operation: Name;
  asked: Operations[Name]['asked'];
  /** Times in ms, by one monotonic clock. */
  invokedAt: number;
  returnedAt: number;
  outcome: Outcome<Operations[Name]['told']>;
}

export interface Fault {
  name: string;
  detail: string;
  beganAt: number;
  endedAt: number;
}

/** A request at the receiver of deliveries. */
export interface Arrival {
  /** Its Idempotency-Key: run id and step. */
  key: string;
  deliveryId: string;
  marker: string;
  at: number;
  /** What the receiver answered. */
  status: number;
}

export interface History {
  seed: number;
  /** In the order in which they returned. */
  entries: Entry[];
  faults: Fault[];
  arrivals: Arrival[];
}

export interface FinalRun extends ToldRun {
  sink: string;
  marker: string;
  /** The version of the workflow that it started with. */
  version: number;
  events: ToldEvent[];
}

export interface FinalDelivery extends ToldDelivery {
  attempts: { attempt: number; kind: string; status: number | null }[];
}

/** What the server has when the faults are over and everything has ended. */
export interface FinalState {
  runs: FinalRun[];
  deliveries: FinalDelivery[];
  /** By workflow: the edition of each version, the first one first. */
  editions: Record<string, string[]>;
}

export interface Violation {
  rule: string;
  /** Names the operations by their ids. */
  message: string;
}

export function entriesOf<Name extends OperationName>({ entries }: Pick<History, 'entries'>, name: Name): Entry<Name>[] {
  return entries.filter((entry) => entry.operation === name) as unknown as Entry<Name>[];
}

export function toldOf<Name extends OperationName>({ outcome }: Entry<Name>): Operations[Name]['told'] | undefined {
  return outcome.kind === 'ok' ? outcome.told : undefined;
}

export function isEnded(status: RunStatus): boolean {
  return status === 'completed' || status === 'failed' || status === 'cancelled';
}

/** The status that an event brings; null for progress. */
export function endOf({ text }: ToldEvent): RunStatus | null {
  const { type, error } = JSON.parse(text) as { type: string; error?: { code: string } };
  if (type === 'complete') return 'completed';
  if (type !== 'error') return null;
  return error?.code === 'cancelled' ? 'cancelled' : 'failed';
}

/** Shows an entry in a violation: `#12 cancel run_… by client 3 -> ok`. */
export function shown({ id, client, operation, asked, outcome }: Entry): string {
  const fields = Object.values(asked).filter((value) => value !== null);
  const answer = outcome.kind === 'refused' ? `refused ${outcome.status}` : outcome.kind;
  return `#${id} ${operation} ${fields.join(' ')} by client ${client} -> ${answer}`;
}
