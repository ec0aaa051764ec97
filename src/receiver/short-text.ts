// The beginning of bytes as text, where they are text.

const MAX_CHARACTERS = 4096;

/** Null where the bytes are no UTF-8. What was left out is told by a sign at the end. */
export function shortText(bytes: Buffer): string | null {
  const text = decodeUtf8(bytes);
  if (text === null || text.length <= MAX_CHARACTERS) return text;
  return `${text.slice(0, MAX_CHARACTERS)}…`;
}

export function decodeUtf8(bytes: Buffer): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}
