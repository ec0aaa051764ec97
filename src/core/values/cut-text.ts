// Texts that a caller chose, cut to a number of bytes before they are kept.

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/**
 * The beginning of the text, of at most so many bytes in UTF-8 and never half a character. Always a text of its own: what
 * JavaScript cuts out of a long text holds on to all of it.
 */
export function cutText(text: string, maxBytes: number): string {
  const bytes = new Uint8Array(Math.min(maxBytes, text.length * 3));
  const { written } = encoder.encodeInto(text, bytes);
  return decoder.decode(bytes.subarray(0, written));
}
