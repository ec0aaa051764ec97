// Removes fields from the bytes of an urlencoded form; all other bytes stay as they came.

const BYTE_ORDER_MARK = /^\xef\xbb\xbf/;

/** `names` are ASCII. The form is in a character set that contains ASCII. */
export function withoutFields(form: Uint8Array, names: readonly string[]): Uint8Array {
  const text = Buffer.from(form.buffer, form.byteOffset, form.byteLength).toString('latin1').replace(BYTE_ORDER_MARK, '');
  const kept = text.split('&').filter((pair) => !names.includes(nameOf(pair)));
  return Buffer.from(kept.join('&'), 'latin1');
}

function nameOf(pair: string): string {
  const [name = ''] = pair.split('=', 1);
  return name.replaceAll('+', ' ').replaceAll(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}
