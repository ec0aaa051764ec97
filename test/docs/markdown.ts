// Parses the project's documents: their fenced blocks in order, their headings and their links.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export const ROOT = join(import.meta.dirname, '../..');

export interface Block {
  line: number;
  /** The first word after the fence: the kind of the block. */
  language: string;
  /** The words after it, such as `exit=1`. */
  options: ReadonlyMap<string, string>;
  text: string;
  /** Only blank lines separate it from the block before. */
  isDirectlyAfter: boolean;
}

/** Every document of the project, by path from its root. */
export function listDocuments(): string[] {
  const below = readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' }).map((path) => join('docs', path));
  return [...readdirSync(ROOT), ...below].filter((path) => path.endsWith('.md')).sort();
}

export function readDocument(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

/** Fenced blocks. Blocks inside lists lose the list's indentation. */
export function blocksOf(markdown: string): Block[] {
  const blocks: Block[] = [];
  let open: { indent: string; lines: string[]; block: Omit<Block, 'text'> } | null = null;
  let onlyBlanks = false;
  for (const [index, line] of markdown.split('\n').entries()) {
    const [, indent = '', language = '', rest = ''] = /^( *)```(\S*)(.*)$/.exec(line) ?? [];
    const isFence = /^ *```/.test(line);
    if (open === null && isFence) {
      const options = new Map(rest.trim().split(/\s+/).filter(Boolean).map(readOption));
      open = { indent, lines: [], block: { line: index + 1, language, options, isDirectlyAfter: onlyBlanks } };
    } else if (open !== null && isFence) {
      blocks.push({ ...open.block, text: open.lines.join('\n') });
      open = null;
      onlyBlanks = true;
    } else if (open !== null) open.lines.push(line.startsWith(open.indent) ? line.slice(open.indent.length) : line);
    else if (line.trim() !== '') onlyBlanks = false;
  }
  return blocks;
}

function readOption(word: string): [string, string] {
  const [name = '', value = ''] = word.split('=');
  return [name, value];
}

/** Targets of links and pictures outside code, as written. */
export function linksOf(markdown: string): string[] {
  const prose = withoutBlocks(markdown).replaceAll(/`[^`\n]*`/g, '');
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target as string);
}

/** The anchors that GitHub derives from the headings. */
export function anchorsOf(markdown: string): string[] {
  return [...withoutBlocks(markdown).matchAll(/^#+ (.+)$/gm)].map(([, heading]) =>
    (heading as string)
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

function withoutBlocks(markdown: string): string {
  return markdown.replaceAll(/^ *```[\s\S]*?^ *```$/gm, '');
}
