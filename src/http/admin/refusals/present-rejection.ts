// Presents rejections, and the refused requests that were captured for an operator.

import type { Rejection } from '../../../storage/refusals/rejection-store.ts';
import type { RefusedCapture } from '../../trigger/rejections/refused-captures.ts';
import { presentBytes } from '../shared/present-bytes.ts';

const iso = (ms: number): string => new Date(ms).toISOString();

export function presentRejection(rejection: Rejection & { position: number }): object {
  const { position, sinkId, appId, method, path, status, code, reason, message, clientIp, folded, count, firstAt, lastAt } = rejection;
  return {
    position,
    app_id: appId,
    sink_id: sinkId,
    method,
    path,
    status,
    code,
    reason,
    message,
    client_ip: clientIp,
    folded,
    count,
    first_at: iso(firstAt),
    last_at: iso(lastAt),
  };
}

export function presentCapture({ headers, body, isTruncated, at }: RefusedCapture): object {
  return { captured_at: iso(at), headers, body: body === null ? null : presentBytes(body, isTruncated) };
}
