// JSON by lines (NDJSON): one document per line; blank lines are ignored.

import { parseJson } from './json.ts';

export interface JsonLine {
  /** From 1. */
  number: number;
  text: string;
}

export function splitJsonLines(text: string): JsonLine[] {
  return text
    .split('\n')
    .map((line, index) => ({ number: index + 1, text: line }))
    .filter((line) => line.text.trim() !== '');
}

/** Throws SyntaxError when a line is not JSON. */
export function parseJsonLines(text: string): unknown[] {
  return splitJsonLines(text).map((line) => parseJson(line.text));
}
