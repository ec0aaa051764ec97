// Wire types of the server's requests and answers.

export type ManagedBy = 'api' | 'config' | 'demo';
export type RunStatus = 'queued' | 'running' | 'waiting' | 'completed' | 'failed' | 'cancelled';
/** ISO 8601. */
export type Time = string;

/** Fields of a sink in a request. The description of the HTTP API has further ones. */
export interface SinkFields {
  path: string;
  method: string;
  auth_token?: string | null;
  workflow_id?: string | null;
  [field: string]: unknown;
}

export interface SinkInfo {
  id: string;
  app_id: string;
  path: string;
  method: string;
  workflow_id: string | null;
  /** Of a sink that starts several. */
  workflows?: { workflow_id: string; when?: unknown; inputs?: Record<string, string> }[];
  /** Only the scheme: tokens are never returned. */
  auth: string;
  /** True when anyone may trigger it. */
  public: boolean;
  url: string;
  /** Of a sink with flow control: its runs that are in flight, and those that are held. */
  flow_state?: { in_flight: number; held: number };
  managed_by: ManagedBy;
  created_at: Time;
  updated_at: Time;
  [field: string]: unknown;
}

/** A schedule of a sink, with its times. */
export interface ScheduleInfo {
  app_id: string;
  sink_id: string;
  path: string;
  name: string;
  cron: string;
  time_zone?: string;
  catch_up?: string;
  /** Null: no further time comes. */
  next_at: Time | null;
  /** The latest scheduled time that started a run. */
  last_at: Time | null;
}

export interface DefinitionChange {
  action: 'create' | 'update' | 'delete';
  kind: 'app' | 'workflow' | 'sink';
  name: string;
}

export interface RunFault {
  code: string;
  message: string;
  step?: string;
}

export interface RunSummary {
  run_id: string;
  app_id: string;
  sink_id: string;
  workflow_id: string | null;
  workflow_version: number | null;
  status: RunStatus;
  progress: number;
  error?: RunFault;
  /** Of a run that is a replay. */
  replay?: { of: string; mode: string; job_id?: string };
  created_at: Time;
  finished_at: Time | null;
}

export interface StepInfo {
  step: string;
  type: string;
  /** From 1; counts up when transitions lead back to the step. */
  visit: number;
  status: string;
  attempt: number;
  outputs?: unknown;
  error?: RunFault;
  started_at: Time | null;
  finished_at: Time | null;
  due_at?: Time;
  /** Set while the step waits for a reply, until `due_at`. */
  waits_for?: 'reply';
}

export interface RunDetails extends RunSummary {
  output?: unknown;
  steps: StepInfo[];
  deliveries: { delivery_id: string; step: string; status: string; attempt_count: number }[];
  /** `body` is null unless it was text. */
  request: RequestInfo & { body: string | null };
}

/** The request that started a run. */
export interface RequestInfo {
  method: string;
  path: string;
  query: Record<string, string | string[]>;
  /** Empty for a run of a schedule. */
  client_ip: string;
  schedule?: { name: string; at: Time };
  /** How the body was read, as `json` or `form`. */
  body_kind: string;
  [field: string]: unknown;
}

/** A run without its body and outputs. Sizes are in bytes. */
export interface RunHead extends RunSummary {
  workflow: { id: string; version: number; latest_version: number | null } | null;
  output_size: number | null;
  steps: (StepInfo & { output_size: number | null })[];
  deliveries: { delivery_id: string; step: string; status: string; attempt_count: number }[];
  request: RequestInfo & { body_size: number };
  /** What the lists do not show, and where they go on. */
  left_out: Record<'steps' | 'deliveries' | 'files', { count: number; next_cursor: number | null }>;
}

export interface RunFilter {
  app_id?: string;
  sink_id?: string;
  /** One, or several separated by commas; as `in`. */
  status?: string;
  since?: Time;
  until?: Time;
  workflow_id?: string;
  client_ip?: string;
  idempotency_key?: string;
  delivery_id?: string;
  replay_of?: string;
  text?: string;
  /** The parts in which `text` is searched. */
  in?: string;
  limit?: number;
  cursor?: string;
}

export interface RunPage {
  runs: RunSummary[];
  next_cursor: string | null;
  /** Of a search: how many runs this slice looked at. */
  scanned?: number;
  /** When the last of them was created; null once all were looked at. */
  scanned_to?: Time | null;
}

export interface Rejection {
  position: number;
  app_id: string | null;
  /** Null when no sink matched, or the entry covers more than one. */
  sink_id: string | null;
  method: string;
  path: string;
  status: number;
  code: string;
  /** Finer than the code, as `missing_token`. */
  reason: string;
  message: string;
  client_ip: string;
  /** Null when the `count` refusals are alike. Else they differ in `requests`, or also in `clients`, and the latest is shown. */
  folded: 'requests' | 'clients' | null;
  count: number;
  first_at: Time;
  last_at: Time;
}

export interface RejectionDetails extends Rejection {
  /** The request, if it was captured. The values of secrets are masked. */
  capture: {
    captured_at: Time;
    headers: Record<string, string>;
    /** Null when the sender puts its secret into the body. */
    body: { text?: string; base64?: string; size: number; is_truncated: boolean } | null;
  } | null;
}

export interface RejectionFilter {
  app_id?: string;
  sink_id?: string;
  reason?: string;
  client_ip?: string;
  since?: Time;
  limit?: number;
  cursor?: number;
}

export interface BlockedClient {
  /** An address or a CIDR. */
  address: string;
  blocked_at: Time;
  ends_at: Time;
}

/** An event of a run's stream. `complete` or `error` is the last one. */
export type RunEvent = { seq: number; run_id: string } & (
  | { type: 'progress'; progress: number; step?: string; message?: string }
  | { type: 'complete'; output: unknown }
  | { type: 'error'; error: RunFault }
);

/** A request of a sink, as its live stream gives it: without its body. */
export interface ReceivedRequest {
  type: 'request';
  run_id: string;
  body_kind: string;
  /** In bytes; 0 for a body that is a file. */
  body_size: number;
  request: {
    method: string;
    /** Below the app, percent-encoded, without the query. */
    path: string;
    params: Record<string, string>;
    query: Record<string, string | string[]>;
    headers: Record<string, string>;
    files: { name: string; filename: string | null; content_type: string; size: number; sha256: string }[];
    received_at: number;
  };
}
