// Estimates the memory of a decoded JSON or text body from its bytes, without decoding it.

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** V8's memory per object or list, per value and per string, rounded up. */
const CONTAINER_BYTES = 64;
const VALUE_BYTES = 24;
const TEXT_BYTES = 24;

/** An upper bound for ordinary JSON, and close to the real size for the worst case, lists of empty objects. */
export function decodedBytes(bytes: Uint8Array): number {
  let containers = 0;
  let values = 0;
  let quotes = 0;
  for (let at = 0; at < bytes.length; at += 1) {
    switch (bytes[at]) {
      case QUOTE:
        quotes += 1;
        // Skips the string.
        for (at += 1; at < bytes.length && bytes[at] !== QUOTE; at += 1) if (bytes[at] === BACKSLASH) at += 1;
        break;
      case 0x7b:
      case 0x5b:
        containers += 1;
        break;
      case 0x2c:
      case 0x3a:
        values += 1;
        break;
      default:
    }
  }
  return bytes.length + containers * CONTAINER_BYTES + values * VALUE_BYTES + quotes * TEXT_BYTES;
}
