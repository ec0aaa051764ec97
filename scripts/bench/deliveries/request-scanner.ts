// Finds where HTTP/1.1 requests end, at the least cost: by Content-Length. What their bodies say is not looked at.

const HEAD_END = Buffer.from('\r\n\r\n');

export interface RequestScanner {
  /** Takes bytes as they came. Returns the heads of the requests that they end. Throws when there is no length. */
  take(bytes: Buffer): string[];
}

export function createRequestScanner(): RequestScanner {
  /** Of the request whose body has not come whole. */
  let head: string | null = null;
  let remaining = 0;
  /** The begin of a head whose end has not come. */
  let unread: Buffer | null = null;

  return {
    take(chunk) {
      const bytes = unread === null ? chunk : Buffer.concat([unread, chunk]);
      unread = null;
      const ended: string[] = [];
      for (let at = 0; ; ) {
        if (head === null) {
          const end = bytes.indexOf(HEAD_END, at);
          if (end === -1) {
            unread = Buffer.from(bytes.subarray(at));
            return ended;
          }
          head = bytes.toString('latin1', at, end);
          remaining = bodyLength(head);
          at = end + HEAD_END.length;
        }
        const taken = Math.min(remaining, bytes.length - at);
        at += taken;
        remaining -= taken;
        if (remaining > 0) return ended;
        ended.push(head);
        head = null;
      }
    },
  };
}

function bodyLength(head: string): number {
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
  if (length === undefined) throw new Error(`a request without a length: ${head.slice(0, 80)}`);
  return Number(length);
}
