// How long a lease lasts.

/** The lease of a run or a delivery ends after this time unless it is renewed; then it can be claimed again. */
export const LEASE_MS = 15_000;
