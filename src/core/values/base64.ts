// Base64 and base64url (RFC 4648, 4 and 5). Reading is strict: text that decoders read differently is refused.

export const BASE64_VARIANTS = ['base64', 'base64url'] as const;
export type Base64Variant = (typeof BASE64_VARIANTS)[number];

const DIGITS: Readonly<Record<Base64Variant, RegExp>> = { base64: /^[A-Za-z0-9+/]*/, base64url: /^[A-Za-z0-9_-]*/ };
/** Characters that stand for three bytes. */
const GROUP = 4;

/** The message is the end of a sentence, as `holds "!" at index 5, …`. */
export class Base64Fault extends Error {}

/** base64url without padding. */
export function encodeBase64(bytes: Uint8Array, variant: Base64Variant): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString(variant);
}

/** Throws Base64Fault. The padding of base64url may be absent. */
export function decodeBase64(text: string, variant: Base64Variant): Uint8Array {
  const digits = (DIGITS[variant].exec(text) as RegExpExecArray)[0];
  checkEnd(digits.length, text, variant);
  const bytes = Buffer.from(digits, variant);
  const lastGroup = digits.slice(digits.length - (digits.length % GROUP));
  if (encodeBase64(Buffer.from(lastGroup, variant), variant).replace(/=+$/, '') !== lastGroup)
    throw new Base64Fault('ends with a character that stands for more bits than the last byte has: it was cut or altered');
  return bytes;
}

/** Checks the text after its digits: nothing, or the padding. */
function checkEnd(length: number, text: string, variant: Base64Variant): void {
  const missing = (GROUP - (length % GROUP)) % GROUP;
  const padding = (/^=*/.exec(text.slice(length, length + GROUP)) as RegExpExecArray)[0];
  const [stray] = text.slice(length + padding.length, length + padding.length + 2);
  if (stray !== undefined) throw new Base64Fault(strayText(stray, length + padding.length, padding !== '', variant));
  if (missing === GROUP - 1) throw new Base64Fault(`has ${length} characters, which ends within a group of four: it was cut`);
  if (padding.length === missing || (padding === '' && variant === 'base64url')) return;
  throw new Base64Fault(`ends with ${padding.length} "=" where ${missing} belong`);
}

function strayText(stray: string, index: number, isAfterPadding: boolean, variant: Base64Variant): string {
  const found = `holds ${JSON.stringify(stray)} at index ${index}`;
  if (isAfterPadding) return `${found}, after its padding`;
  const other = BASE64_VARIANTS.find((name) => name !== variant && DIGITS[name].exec(stray)?.[0] === stray);
  return `${found}, which is not a character of ${variant}${other === undefined ? '' : ` but of ${other}`}`;
}
