// Wire types of deliveries.

import type { Time } from './wire-types.ts';

export type DeliveryStatus = 'queued' | 'sending' | 'delivered' | 'failed' | 'cancelled' | 'dropped' | 'recorded';

/** `status` is set for a response, `error` for every other result. */
export interface AttemptResult {
  kind: 'response' | 'timeout' | 'refused' | 'network';
  status: number | null;
  error: string | null;
}

export interface DeliverySummary {
  delivery_id: string;
  run_id: string;
  app_id: string;
  sink_id: string;
  step: string;
  status: DeliveryStatus;
  transport: 'http' | 'smtp';
  /** Null for mail. */
  method: string | null;
  url: string;
  /** Only for mail. */
  to?: string[];
  attempt_count: number;
  max_attempts: number;
  last_result: AttemptResult | null;
  next_attempt_at: Time | null;
  created_at: Time;
  finished_at: Time | null;
  dropped_reason: string | null;
}

/** Text if the bytes are UTF-8, else base64. */
export type ShownBody = ({ text: string } | { base64: string }) & { size: number; is_truncated: boolean };

/** The redirect's target, and the method used for it. */
export interface FollowedRedirect {
  status: number;
  url: string;
  method: string;
  is_body_lost: boolean;
}

export interface DeliveryAttempt extends AttemptResult {
  attempt: number;
  started_at: Time;
  duration_ms: number;
  response?: { reason: string; url: string; headers: Record<string, string>; body: ShownBody; redirects?: FollowedRedirect[] };
}

export interface DeliveryDetails extends DeliverySummary {
  /** Secrets are masked. */
  message: Record<string, unknown>;
  attempts: DeliveryAttempt[];
}

export interface DeliveryFilter {
  app_id?: string;
  sink_id?: string;
  run_id?: string;
  status?: string;
}

/** Selects failed or dropped deliveries to retry, by ids or a filter; `status` alone selects all of them. */
export type RetrySelection = { ids: string[] } | (Omit<DeliveryFilter, 'status'> & { status?: 'failed' | 'dropped'; cursor?: number });

export interface RetriedDeliveries {
  retried: number;
  ids: string[];
  next_cursor: number | null;
}
