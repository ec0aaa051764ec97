// Deliveries as they stand on the wire.

import type { Time } from './wire-types.ts';

export type DeliveryStatus = 'queued' | 'sending' | 'delivered' | 'failed' | 'cancelled' | 'dropped';

/** What came of an attempt; `status` only of an answer, `error` of all else. */
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
  /** Of mail. */
  to?: string[];
  attempt_count: number;
  max_attempts: number;
  last_result: AttemptResult | null;
  next_attempt_at: Time | null;
  created_at: Time;
  finished_at: Time | null;
  dropped_reason: string | null;
}

/** Text where the bytes are UTF-8, base64 where not. */
export type ShownBody = ({ text: string } | { base64: string }) & { size: number; is_truncated: boolean };

/** Where the status led, and with which method. */
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
  /** What is sent, its secrets hidden. */
  message: Record<string, unknown>;
  attempts: DeliveryAttempt[];
}

export interface DeliveryFilter {
  app_id?: string;
  sink_id?: string;
  run_id?: string;
  status?: string;
}

/** Which failed or dropped deliveries to try again: these, or those that fit; `status` alone is all of them. */
export type RetryWish = { ids: string[] } | (Omit<DeliveryFilter, 'status'> & { status?: 'failed' | 'dropped'; cursor?: number });

export interface RetriedDeliveries {
  retried: number;
  ids: string[];
  next_cursor: number | null;
}
