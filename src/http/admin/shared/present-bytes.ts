// Presents bytes as text where they are text.

const SHOWN_BYTES = 65_536;

/** Text if the bytes are UTF-8, else base64. A character cut at the end is left out. */
export function presentBytes(bytes: Uint8Array, isCut = false): object {
  const shown = bytes.subarray(0, SHOWN_BYTES);
  const isTruncated = isCut || shown.byteLength < bytes.byteLength;
  const rest = { size: bytes.byteLength, is_truncated: isTruncated };
  try {
    return { text: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(shown, { stream: isTruncated }), ...rest };
  } catch {
    return { base64: Buffer.from(shown).toString('base64'), ...rest };
  }
}
