// Results on standard output: aligned columns for people, JSON for programs. Hints go to standard error.

import { type Command, Option } from 'commander';
import { stringify } from 'lossless-json';
import { ExactNumber } from '../../core/json/json.ts';
import type { Io } from '../io.ts';
import { printable, printableJson } from './printable.ts';

export interface OutputOptions {
  output: string;
}

/** Adds `-o`; the first format is the default. */
export function addOutputOption(command: Command, formats: readonly [string, ...string[]] = ['table', 'json']): Command {
  return command.addOption(new Option('-o, --output <format>', 'output format').choices(formats).default(formats[0]));
}

/** Numbers keep the server's spelling. */
export function printJson({ stdout }: Io, value: unknown): void {
  const text = stringify(value, null, 2, [{ test: (item) => item instanceof ExactNumber, stringify: String }]);
  stdout.write(`${printableJson(text ?? 'null')}\n`);
}

export function printLine({ stdout }: Io, text: string): void {
  stdout.write(`${printable(text)}\n`);
}

export function printHint({ stderr }: Io, text: string): void {
  stderr.write(`${printable(text)}\n`);
}

/** Prints rows below the column names; null is shown as "-". */
export function printTable({ stdout }: Io, columns: readonly string[], rows: readonly (readonly Cell[])[]): void {
  const texts = [columns, ...rows].map((row) => row.map((cell) => (cell === null || cell === '' ? '-' : printable(String(cell)))));
  const widths = columns.map((_name, column) => Math.max(...texts.map((row) => widthOf(row[column] ?? ''))));
  const lines = texts.map((row) => row.map((text, column) => text + ' '.repeat((widths[column] ?? 0) - widthOf(text))).join('  '));
  stdout.write(lines.map((line) => `${line.trimEnd()}\n`).join(''));
}

export type Cell = string | number | null;

function widthOf(text: string): number {
  return [...text].length;
}
