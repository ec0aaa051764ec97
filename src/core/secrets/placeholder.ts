// Placeholders for secrets in all data that a run plans and stores: text that is safe in a URL, a header, JSON or HTML. A
// placeholder is signed for its run, so that a request cannot forge one to have a secret sent.

const PREFIX = 'sluice-secret.';
const SIGNATURE_LENGTH = 32;
const LONGEST_NAME = 128;
const LONGEST = PREFIX.length + LONGEST_NAME + 1 + SIGNATURE_LENGTH;
const PLACEHOLDER = new RegExp(`sluice-secret\\.([A-Za-z_][A-Za-z0-9_]{0,${LONGEST_NAME - 1}})\\.([0-9a-f]{${SIGNATURE_LENGTH}})`, 'g');

/** Replaces a secret in displayed text. */
export const MASKED_SECRET = '********';

export function formatPlaceholder(name: string, signature: string): string {
  return `${PREFIX}${name}.${signature.slice(0, SIGNATURE_LENGTH)}`;
}

/** Whether the text begins with what looks like a placeholder. */
export function beginsWithPlaceholder(text: string): boolean {
  return text.startsWith(PREFIX);
}

/** A cheap pre-check: false when the text contains no placeholder. */
export function mayHoldPlaceholder(text: string): boolean {
  return text.includes(PREFIX);
}

/** `replace` is called with each well-formed placeholder, and returns null to keep it. */
export function replacePlaceholders(text: string, replace: (name: string, signature: string) => string | null): string {
  if (!mayHoldPlaceholder(text)) return text;
  return text.replace(PLACEHOLDER, (whole, name: string, signature: string) => replace(name, signature) ?? whole);
}

/** Of the beginning of a longer text: without a placeholder that the cut may have split. */
export function withoutSplitPlaceholder(text: string): string {
  const at = text.lastIndexOf(PREFIX);
  return at >= 0 && at > text.length - LONGEST ? text.slice(0, at) : text;
}
