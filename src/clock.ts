// Wall-clock time, injected so that tests own it. The only reader of Date.now in src.

/** Returns the present as integer milliseconds since the Unix epoch. */
export type Clock = () => number;

export const systemClock: Clock = () => Date.now();
