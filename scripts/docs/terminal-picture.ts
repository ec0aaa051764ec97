// Draws a recording as an SVG that plays it: each line appears at its time, and disappears when it was overwritten. Without
// animation, or for a reader who prefers reduced motion, it shows the last screen.

import type { Recording } from './recording.ts';

/** A line of the screen, from the moment when it had this text. */
interface Drawn {
  row: number;
  text: string;
  from: number;
  /** When it was overwritten; null for a line that stays. */
  until: number | null;
}

const FONT_SIZE = 13;
const CHARACTER_WIDTH = 7.83;
const LINE_HEIGHT = 18;
const MARGIN = 16;
const BAR_HEIGHT = 30;

export function drawTerminal(recording: Recording): string {
  const screen = new Screen(recording.columns);
  for (const [at, text] of recording.output) screen.write(text, at);
  const drawn = screen.drawn.filter(({ from, until }) => until === null || until > from);
  const rows = Math.max(...drawn.map(({ row }) => row)) + 1;
  const width = Math.ceil(recording.columns * CHARACTER_WIDTH) + 2 * MARGIN;
  const height = BAR_HEIGHT + rows * LINE_HEIGHT + MARGIN;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" xml:space="preserve">
<title>A request with curl streams a run back; sluice send shows the same as a progress bar</title>
<style>
text { font: ${FONT_SIZE}px ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; white-space: pre; fill: #c9d1d9 }
.command { fill: #ffffff; font-weight: 600 }
.quiet { fill: #7d8590 }
.bar { fill: #56d364 }
.gone { visibility: hidden }
@keyframes appear { from { visibility: hidden } to { visibility: visible } }
@keyframes pass { from { visibility: visible } to { visibility: hidden } }
@media (prefers-reduced-motion: reduce) { text { animation: none !important } }
</style>
<rect width="${width}" height="${height}" rx="8" fill="#0d1117"/>
<circle cx="20" cy="16" r="5" fill="#ff5f57"/><circle cx="38" cy="16" r="5" fill="#febc2e"/><circle cx="56" cy="16" r="5" fill="#28c840"/>
${drawn.map(drawLine).join('\n')}
</svg>
`;
}

function drawLine({ row, text, from, until }: Drawn): string {
  const y = BAR_HEIGHT + (row + 1) * LINE_HEIGHT - 5;
  const classes = [classOf(text), until === null ? '' : 'gone'].filter((name) => name !== '').join(' ');
  const animation = until === null ? `appear ${from}s step-end backwards` : `pass ${round(until - from)}s ${from}s step-end`;
  return `<text x="${MARGIN}" y="${y}" class="${classes}" style="animation: ${animation}">${escapeXml(text)}</text>`;
}

function classOf(text: string): string {
  if (text.startsWith('$ ') || text.startsWith('    -H')) return 'command';
  if (text.startsWith('id: ')) return 'quiet';
  return text.startsWith('[') ? 'bar' : 'line';
}

/** Renders the output like a terminal: lines wrap, and a carriage return overwrites the line. */
class Screen {
  readonly drawn: Drawn[] = [];
  readonly #columns: number;
  #row = 0;
  #line = '';

  constructor(columns: number) {
    this.#columns = columns;
  }

  write(text: string, at: number): void {
    for (const part of text.replaceAll(ERASE_TO_END_OF_LINE, '').split(/(\r\n|\r)/)) {
      if (part === '\r\n') this.#nextRow();
      else if (part === '\r') this.#line = '';
      else if (part !== '') this.#type(part, at);
    }
  }

  #type(text: string, at: number): void {
    const free = this.#columns - this.#line.length;
    this.#line += text.slice(0, free);
    this.#show(at);
    if (text.length <= free) return;
    this.#nextRow();
    this.#type(text.slice(free), at);
  }

  #nextRow(): void {
    this.#row += 1;
    this.#line = '';
  }

  #show(at: number): void {
    const before = this.drawn.findLast(({ row }) => row === this.#row);
    if (before !== undefined) before.until = at;
    this.drawn.push({ row: this.#row, text: this.#line, from: at, until: null });
  }
}

const ERASE_TO_END_OF_LINE = '\u001b[K';

const round = (seconds: number): number => Math.round(seconds * 1000) / 1000;

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
