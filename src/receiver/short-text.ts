// Decodes the beginning of bytes as text.

const MAX_CHARACTERS = 4096;

/** Null when the bytes are not UTF-8. An ellipsis marks a cut text. */
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
