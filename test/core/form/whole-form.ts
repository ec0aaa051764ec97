// Another reader of multipart forms: the whole body at once, by one regular expression, to hold the parser against.

export interface WholePart {
  head: string;
  content: string;
}

/** A character for each byte. Null for a form that has no end, or whose boundary lines end with a bare line feed. */
export function readWhole(body: string, boundary: string): WholePart[] | null {
  const text = `\r\n${body}`;
  const parts: WholePart[] = [];
  const pattern = new RegExp(`(\\r?)\\n--${boundary.replaceAll(/[^\w]/g, '\\$&')}(--)?[ \\t]*(\\r\\n|\\n|$)`, 'g');
  let head: string | null = null;
  let contentStart = 0;
  for (;;) {
    const line = pattern.exec(text);
    if (line === null) return null;
    const [whole, carriageReturn, last, end] = line;
    if (carriageReturn === '' || end === '\n' || (end === '' && last === undefined)) return null;
    if (head !== null) parts.push({ head, content: text.slice(contentStart, Math.max(contentStart, line.index)) });
    if (last !== undefined) return parts;
    const headStart = line.index + whole.length - 2;
    const headEnd = text.indexOf('\r\n\r\n', headStart);
    if (headEnd === -1) return null;
    head = text.slice(headStart + 2, Math.max(headStart + 2, headEnd));
    contentStart = headEnd + 4;
    pattern.lastIndex = headEnd + 2;
  }
}
