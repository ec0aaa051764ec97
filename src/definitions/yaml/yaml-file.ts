// One YAML file as a JSON value, every fault of it with file and line.

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
  /** Null for an empty file, and where there are faults. */
  value: unknown;
  /** A line of text each. */
  faults: string[];
  /** A fault of the value as a line of text: `file:line: place: what is wrong`. */
  locate(fault: Fault): string;
  /** Whether nothing at all is written for a field that is there. */
  isBlank(path: string): boolean;
}

const MAX_BYTES = 4 * 2 ** 20;

/** Never rejects: that a file cannot be read is a fault of it. */
export async function readYamlFile(file: string, environment: Environment): Promise<YamlFile> {
  let bytes: Buffer;
  try {
    bytes = await buffer(createReadStream(file, { end: MAX_BYTES }));
  } catch (error) {
    return unread(file, `${file} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown error'})`);
  }
  if (bytes.length > MAX_BYTES) return unread(file, `${file} is larger than ${MAX_BYTES} bytes`);
  const tell = ({ line, message }: LineFault): string => `${file}:${line}: ${message}`;
  if (!isUtf8(bytes)) return unread(file, tell({ line: firstLineNotUtf8(bytes), message: 'is not UTF-8' }));
  const { yaml, fault } = parseYamlText(new TextDecoder().decode(bytes));
  if (yaml === null) return unread(file, tell(fault));
  const { value, faults } = readYamlValue(yaml, environment);
  return {
    file,
    value: faults.length > 0 ? null : value,
    faults: faults.map(tell),
    locate: ({ path, message }) =>
      tell({ line: findPlace(yaml, path, message).line, message: path === '' ? message : `${path}: ${message}` }),
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
