// Rewrites the head of an answer so that undici's strict parser accepts it. The parser refuses some answers that HTTP
// allows a client to accept, and the message would be sent again. Ambiguous heads stay as they are, and are refused.

const STATUS_LINE = /^HTTP\/1\.[01] (\d{3})(?: [^\r\n]*)?\r\n/;
/** A quick check for more than one length or a transfer coding, which few heads have. */
const UNUSUAL = /\ntransfer-encoding:|\ncontent-length:(?![ \t]*\d+[ \t]*\r)|\ncontent-length:[\s\S]*\ncontent-length:/i;
const HAS_NO_CONTENT = new Set([204, 205, 304]);
const LENGTH = /^content-length:([^\r\n]*)\r$/gim;
const ENCODING = /^transfer-encoding:/im;
/** The fields that decide where an answer ends, and whether another may follow on its connection. */
const FRAMING_FIELDS = /^(?:content-length|transfer-encoding|connection|keep-alive):[^\r\n]*\r\n/gim;
const LENGTH_FIELDS = /^(?:content-length|connection|keep-alive):[^\r\n]*\r\n/gim;

/**
 * `head` ends with its empty line. Returns null for an interim answer (RFC 9110, 15.2), requested or not; the same text
 * when it needs no change; otherwise a new head, after whose answer the connection closes:
 * - 204 and 304 end with their head, whatever length it states (RFC 9112, 6.3), and a 205 has no content;
 * - equal repeated lengths count as one (RFC 9110, 8.6);
 * - a transfer coding overrides any length (RFC 9112, 6.3).
 */
export function settleHead(head: string): string | null {
  const status = Number(STATUS_LINE.exec(head)?.[1]);
  if (Number.isNaN(status)) return head;
  if (status < 200) return status === 101 ? head : null;
  if (!HAS_NO_CONTENT.has(status) && !UNUSUAL.test(head)) return head;
  const lengths = [...head.matchAll(LENGTH)].flatMap(([, value]) => (value as string).split(',').map((part) => part.trim()));
  const isCoded = ENCODING.test(head);
  if (HAS_NO_CONTENT.has(status) && status !== 205) return isEmpty(lengths) && !isCoded ? head : framedBy(head, FRAMING_FIELDS, '');
  if (status === 205 && !isCoded) return lengths.length === 1 && lengths[0] === '0' ? head : framedBy(head, FRAMING_FIELDS, NO_CONTENT);
  if (lengths.length === 0) return head;
  if (isCoded) return framedBy(head, LENGTH_FIELDS, '');
  const [length] = lengths;
  const isOne = lengths.length > 1 && /^\d+$/.test(length as string) && lengths.every((other) => other === length);
  return isOne ? framedBy(head, FRAMING_FIELDS, `Content-Length: ${length}\r\n`) : head;
}

const NO_CONTENT = 'Content-Length: 0\r\n';

const isEmpty = (lengths: readonly string[]): boolean => lengths.length === 0 || (lengths.length === 1 && lengths[0] === '0');

function framedBy(head: string, removed: RegExp, framing: string): string {
  return `${head.replaceAll(removed, '').slice(0, -2)}${framing}Connection: close\r\n\r\n`;
}
