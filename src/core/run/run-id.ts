// Public run ids: `run_`, a time-ordered number that is the run's primary key, and a random nonce. The id is secret
// because anyone who has the id of a public sink's run may read it. Crockford's base32, lower case.

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';
const NUMBER_LENGTH = 11;
const NONCE_LENGTH = 20;
const RUN_ID = new RegExp(`^run_([${ALPHABET}]{${NUMBER_LENGTH}})([${ALPHABET}]{${NONCE_LENGTH}})$`);

/** Bytes of randomness in a nonce; five bits of each byte are used. */
export const NONCE_BYTES = NONCE_LENGTH;
/** Owners of runs that can create runs in the same millisecond, each with numbers of its own. */
export const SLOTS = 64;
/** Run numbers per slot and millisecond; further runs borrow from the next one. */
const NUMBERS_PER_SLOT = 64;
const NUMBERS_PER_MS = SLOTS * NUMBERS_PER_SLOT;

/** Run numbers count from 2024-01-01, so that they stay below 2^53 until 2093. */
const EPOCH_MS = 1_704_067_200_000;

export interface RunKey {
  /** Below 2^53; later runs have greater numbers. */
  runNumber: number;
  nonce: string;
}

export function formatRunId(runNumber: number, randomBytes: Uint8Array): string {
  return joinRunId({ runNumber, nonce: encodeNonces(randomBytes.subarray(0, NONCE_BYTES)) });
}

/** Returns concatenated nonces of NONCE_BYTES characters each; the caller slices them. */
export function encodeNonces(randomBytes: Uint8Array): string {
  const ascii = new Uint8Array(randomBytes.length);
  for (let index = 0; index < ascii.length; index += 1) ascii[index] = ALPHABET.charCodeAt((randomBytes[index] as number) & 31);
  return new TextDecoder().decode(ascii);
}

export function joinRunId({ runNumber, nonce }: RunKey): string {
  return `run_${formatNumber(runNumber)}${nonce}`;
}

/** Returns null for a text that cannot be a run id. */
export function parseRunId(text: string): RunKey | null {
  const match = RUN_ID.exec(text);
  if (match === null) return null;
  let runNumber = 0;
  for (const digit of match[1] as string) runNumber = runNumber * 32 + ALPHABET.indexOf(digit);
  return Number.isSafeInteger(runNumber) ? { runNumber, nonce: match[2] as string } : null;
}

/** The smallest number that a run created at `ms` can have. */
export function runNumberAt(ms: number): number {
  return Math.max(0, ms - EPOCH_MS) * NUMBERS_PER_MS;
}

/** Returns the least number of the slot that is greater than `last`, and no less than that of a run created at `ms`. */
export function nextRunNumber(last: number, ms: number, slot: number): number {
  const first = runNumberAt(ms) + slot * NUMBERS_PER_SLOT;
  if (first > last) return first;
  const isLastOfMs = last % NUMBERS_PER_SLOT === NUMBERS_PER_SLOT - 1;
  return isLastOfMs ? last + 1 + (SLOTS - 1) * NUMBERS_PER_SLOT : last + 1;
}

/** Returns when the run of this number was created, and its index within that millisecond. */
export function timeOfRunNumber(runNumber: number): { ms: number; index: number } {
  return { ms: EPOCH_MS + Math.floor(runNumber / NUMBERS_PER_MS), index: runNumber % NUMBERS_PER_MS };
}

function formatNumber(runNumber: number): string {
  const codes = new Array<number>(NUMBER_LENGTH);
  let rest = runNumber;
  for (let digit = NUMBER_LENGTH - 1; digit >= 0; digit -= 1) {
    codes[digit] = ALPHABET.charCodeAt(rest % 32);
    rest = Math.floor(rest / 32);
  }
  return String.fromCharCode(...codes);
}
