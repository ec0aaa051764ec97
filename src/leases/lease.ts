// How long a lease lasts, and how leases are counted.

/** The lease of a run or a delivery ends after this time unless it is renewed; then it can be claimed again. */
export const LEASE_MS = 15_000;
/** The epoch of the lease that the creator of a run or a delivery gets. Each later lease has the next one. */
export const FIRST_EPOCH = 1;
