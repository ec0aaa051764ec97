// Apps: the namespaces that sinks and workflows belong to.

export interface App {
  id: string;
  name: string | null;
}

/** First path segments that the server keeps for itself, so that no app can hide behind them. */
const RESERVED_SEGMENTS: ReadonlySet<string> = new Set(['api', 'sink', 'runs', 'console', 'healthz', 'readyz', 'metrics', 'docs']);

export function isReservedSegment(segment: string): boolean {
  return RESERVED_SEGMENTS.has(segment);
}

const APP_ID = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/;

/** The text has the form of an app's id. */
export function isAppId(text: string): boolean {
  return APP_ID.test(text);
}

/** Returns what is wrong with the id, or null when it is a good one. */
export function appIdFault(appId: unknown): string | null {
  if (typeof appId !== 'string' || !isAppId(appId)) {
    return 'must be 1 to 64 letters, digits, "_" or "-", and start with a letter or a digit';
  }
  return isReservedSegment(appId) ? `"${appId}" is reserved for the server itself` : null;
}
