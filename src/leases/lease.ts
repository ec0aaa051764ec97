// How long a claim lasts.

/** A run or a delivery whose lease is not renewed for so long is claimed by whoever looks for due work next. */
export const LEASE_MS = 15_000;
