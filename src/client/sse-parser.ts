// Parses server-sent events (WHATWG HTML, 9.2.6) from chunks that may be cut anywhere.

export interface SseEvent {
  /** The last `id:` of the stream; empty when there was none. */
  id: string;
  /** The `data:` lines, joined by line feeds. */
  data: string;
}

/** Returns the events that the chunk completes. An event that is cut off is never returned. */
export type SseParser = (chunk: Uint8Array) => SseEvent[];

export function createSseParser(): SseParser {
  const decoder = new TextDecoder();
  let line = '';
  let endedWithCr = false;
  let id = '';
  let data: string[] = [];

  function addLine(completed: SseEvent[]): void {
    if (line === '') {
      if (data.length > 0) completed.push({ id, data: data.join('\n') });
      data = [];
      return;
    }
    const colon = line.indexOf(':');
    const field = colon === -1 ? line : line.slice(0, colon);
    const value = colon === -1 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1);
    if (field === 'data') data.push(value);
    else if (field === 'id' && !value.includes('\0')) id = value;
  }

  return (chunk) => {
    let text = decoder.decode(chunk, { stream: true });
    if (text === '') return [];
    if (endedWithCr && text.startsWith('\n')) text = text.slice(1);
    endedWithCr = text.endsWith('\r');
    const completed: SseEvent[] = [];
    const pieces = text.split(/\r\n|\r|\n/);
    const rest = pieces.pop() as string;
    for (const piece of pieces) {
      line += piece;
      addLine(completed);
      line = '';
    }
    line += rest;
    return completed;
  };
}
