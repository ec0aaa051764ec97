// Truncates caller-supplied text to a number of bytes before it is stored.

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/**
 * Returns the start of the text, at most `maxBytes` in UTF-8, without a partial character. The result is a copy: a slice
 * in JavaScript keeps the whole text in memory.
 */
export function cutText(text: string, maxBytes: number): string {
  const bytes = new Uint8Array(Math.min(maxBytes, text.length * 3));
  const { written } = encoder.encodeInto(text, bytes);
  return decoder.decode(bytes.subarray(0, written));
}
