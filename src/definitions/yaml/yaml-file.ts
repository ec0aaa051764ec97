// Reads a YAML file as a JSON value, and reports every fault with file and line.

import { isUtf8 } from 'node:buffer';
import { createReadStream } from 'node:fs';
import { buffer } from 'node:stream/consumers';
import { isScalar } from 'yaml';
import type { Fault } from '../../core/fault.ts';
import { findPlace } from './yaml-place.ts';
import { type LineFault, parseYamlText } from './yaml-text.ts';
import { type Environment, readYamlValue } from './yaml-value.ts';

export interface YamlFile {
  file: string;
  /** Null for an empty file or one with faults. */
  value: unknown;
  /** One line of text each. */
  faults: string[];
  /** Formats a fault of the value as a line of text: `file:line: path: message`. */
  locate(fault: Fault): string;
  /** True when the field exists and nothing is written as its value. */
  isBlank(path: string): boolean;
}

const MAX_BYTES = 4 * 2 ** 20;

/** Never rejects: an unreadable file is a fault. */
export async function readYamlFile(file: string, environment: Environment): Promise<YamlFile> {
  let bytes: Buffer;
  try {
    bytes = await buffer(createReadStream(file, { end: MAX_BYTES }));
  } catch (error) {
    return unread(file, `${file} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown error'})`);
  }
  if (bytes.length > MAX_BYTES) return unread(file, `${file} is larger than ${MAX_BYTES} bytes`);
  const format = ({ line, message }: LineFault): string => `${file}:${line}: ${message}`;
  if (!isUtf8(bytes)) return unread(file, format({ line: firstLineNotUtf8(bytes), message: 'is not UTF-8' }));
  const { yaml, fault } = parseYamlText(new TextDecoder().decode(bytes));
  if (yaml === null) return unread(file, format(fault));
  const { value, faults } = readYamlValue(yaml, environment);
  return {
    file,
    value: faults.length > 0 ? null : value,
    faults: faults.map(format),
    locate: ({ path, message }) =>
      format({ line: findPlace(yaml, path, message).line, message: path === '' ? message : `${path}: ${message}` }),
    isBlank(path) {
      const { value: node } = findPlace(yaml, path);
      return node === null || (isScalar(node) && node.source === '');
    },
  };
}

function unread(file: string, fault: string): YamlFile {
  return {
    file,
    value: null,
    faults: [fault],
    locate: ({ path, message }) => [file, path, message].filter((part) => part !== '').join(': '),
    isBlank: () => false,
  };
}

function firstLineNotUtf8(bytes: Buffer): number {
  let line = 1;
  for (let start = 0; ; line += 1) {
    const end = bytes.indexOf('\n', start);
    if (end === -1 || !isUtf8(bytes.subarray(start, end))) return line;
    start = end + 1;
  }
}
