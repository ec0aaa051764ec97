// What stands for a secret in everything that a run plans and stores: text that survives being put into a URL, a header,
// JSON or HTML. It is signed for its run, so that nobody can have a secret sent by writing one into a request.

const PREFIX = 'sluice-secret.';
const SIGNATURE_LENGTH = 32;
const PLACEHOLDER = new RegExp(`sluice-secret\\.([A-Za-z_][A-Za-z0-9_]{0,127})\\.([0-9a-f]{${SIGNATURE_LENGTH}})`, 'g');

/** Shown in a secret's place. */
export const MASKED_SECRET = '********';

export function formatPlaceholder(name: string, signature: string): string {
  return `${PREFIX}${name}.${signature.slice(0, SIGNATURE_LENGTH)}`;
}

/** Whether the text is, or begins with, something that looks like a placeholder. */
export function beginsWithPlaceholder(text: string): boolean {
  return text.startsWith(PREFIX);
}

/** False of what surely holds none, which costs less than to look for them. */
export function mayHoldPlaceholder(text: string): boolean {
  return text.includes(PREFIX);
}

/** `replace` gets each placeholder whose signature may be valid, and returns null to leave it as it is. */
export function replacePlaceholders(text: string, replace: (name: string, signature: string) => string | null): string {
  if (!mayHoldPlaceholder(text)) return text;
  return text.replace(PLACEHOLDER, (whole, name: string, signature: string) => replace(name, signature) ?? whole);
}
