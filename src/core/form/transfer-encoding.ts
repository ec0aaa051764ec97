// Streaming decoder for Content-Transfer-Encoding of a part (RFC 2045, 6). RFC 7578 deprecates it, but mail gateways
// send it. Input that violates the encoding is rejected, because it would decode to something else.

/** Both throw the error of `refuse`, which accepts the end of a sentence, as `says that it is base64, and is not`. */
export interface TransferDecoder {
  push(bytes: Uint8Array): Uint8Array;
  /** Ends the part. Returns its buffered bytes. */
  end(): Uint8Array;
}

export type Refuse = (why: string) => Error;

/** Null for a part without an encoding. */
export function createTransferDecoder(encoding: string | null, refuse: Refuse): TransferDecoder | null {
  switch (encoding) {
    case null:
    case '7bit':
    case '8bit':
    case 'binary':
      return null;
    case 'base64':
      return createBase64Decoder(refuse);
    case 'quoted-printable':
      return createQuotedPrintableDecoder(refuse);
    default:
      throw refuse(
        `has the Content-Transfer-Encoding ${JSON.stringify(encoding.slice(0, 40))}, which is not known; send its bytes as they are`,
      );
  }
}

const NOTHING = new Uint8Array(0);
/** Characters that stand for up to three bytes. */
const QUANTUM = 4;

function createBase64Decoder(refuse: Refuse): TransferDecoder {
  // Buffers the last quantum, because only the final one may have padding.
  let pending = '';
  return {
    push(bytes) {
      const text = pending + latin1(bytes).replaceAll(/[ \t\r\n]+/g, '');
      if (!/^[A-Za-z0-9+/]*={0,2}$/.test(text)) throw refuse('says that it is base64, and is not');
      const whole = text === '' ? 0 : text.length - (text.length % QUANTUM || QUANTUM);
      pending = text.slice(whole);
      return Buffer.from(text.slice(0, whole), 'base64');
    },
    end() {
      if (pending !== '' && (pending.length !== QUANTUM || pending.startsWith('=', 1)))
        throw refuse('says that it is base64, and ends within a group of four');
      return Buffer.from(pending, 'base64');
    },
  };
}

/** A byte, or a soft line break. */
const ESCAPE = /=(?:([0-9A-Fa-f]{2})|[ \t]{0,100}\r\n)?/g;
/** An incomplete escape at the end of a chunk. */
const OPEN_ESCAPE = /^=(?:[0-9A-Fa-f]|[ \t]{0,100}\r?)$/;
const MAX_OPEN_ESCAPE = 102;

function createQuotedPrintableDecoder(refuse: Refuse): TransferDecoder {
  let pending = '';
  return {
    push(bytes) {
      const text = pending + latin1(bytes);
      const last = text.lastIndexOf('=');
      const isOpen = last !== -1 && text.length - last <= MAX_OPEN_ESCAPE && OPEN_ESCAPE.test(text.slice(last));
      pending = isOpen ? text.slice(last) : '';
      const whole = isOpen ? text.slice(0, last) : text;
      const decoded = whole.replaceAll(ESCAPE, (escaped, hex: string | undefined) => {
        if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16));
        if (escaped === '=') throw refuse('says that it is quoted-printable, and holds a "=" that begins no escape');
        return '';
      });
      return Buffer.from(decoded, 'latin1');
    },
    end() {
      // A soft break whose line feed belongs to the boundary line.
      if (!/^(?:=[ \t]*)?$/.test(pending)) throw refuse('says that it is quoted-printable, and ends within an escape');
      return NOTHING;
    },
  };
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}
