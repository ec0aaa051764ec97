// Placeholders for secrets in all data that a run plans and stores: text that is safe in a URL, a header, JSON or HTML. A
// placeholder is signed for its run, so that a request cannot forge one to have a secret sent.

/** Each placeholder begins with it. */
export const PLACEHOLDER_PREFIX = 'sluice-secret.';
const SIGNATURE_LENGTH = 32;
const LONGEST_NAME = 128;
const PLACEHOLDER = new RegExp(`sluice-secret\\.([A-Za-z_][A-Za-z0-9_]{0,${LONGEST_NAME - 1}})\\.([0-9a-f]{${SIGNATURE_LENGTH}})`, 'g');

/** Replaces a secret in displayed text. */
export const MASKED_SECRET = '********';

export function formatPlaceholder(name: string, signature: string): string {
  return `${PLACEHOLDER_PREFIX}${name}.${signature.slice(0, SIGNATURE_LENGTH)}`;
}

/** Whether the text begins with what looks like a placeholder. */
export function beginsWithPlaceholder(text: string): boolean {
  return text.startsWith(PLACEHOLDER_PREFIX);
}

/** A cheap pre-check: false when the text contains no placeholder. */
export function mayHoldPlaceholder(text: string): boolean {
  return text.includes(PLACEHOLDER_PREFIX);
}

const CUT_PLACEHOLDER = new RegExp(`sluice-secret\\.[A-Za-z0-9_]*(?:\\.[0-9a-f]{0,${SIGNATURE_LENGTH - 1}})?$`);

/** Of a text that was cut: without the placeholder that the cut went through, which cannot be recognised any more. */
export function withoutCutPlaceholder(text: string): string {
  return text.replace(CUT_PLACEHOLDER, '');
}

/** `replace` is called with each well-formed placeholder, and returns null to keep it. */
export function replacePlaceholders(text: string, replace: (name: string, signature: string) => string | null): string {
  if (!mayHoldPlaceholder(text)) return text;
  return text.replace(PLACEHOLDER, (whole, name: string, signature: string) => replace(name, signature) ?? whole);
}
