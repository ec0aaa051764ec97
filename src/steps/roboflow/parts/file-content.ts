// The text of a file entry: unchanged in its own file, or formatted for appending to a log.

import { parseJson } from '../../../core/json/json.ts';
import { pythonJsonWithNaN } from '../../../core/python/json-text.ts';

export type FileType = 'csv' | 'json' | 'txt';

export function withNewline(content: string): string {
  return content.endsWith('\n') ? content : `${content}\n`;
}

/** JSON on one line, CSV without its header after the first entry. Null for invalid JSON. */
export function logEntry(content: string, type: FileType, isFirst: boolean): string | null {
  switch (type) {
    case 'json':
      return inOneLine(content);
    case 'csv':
      return withNewline(isFirst ? content : content.split('\n').slice(1).join('\n'));
    case 'txt':
      return withNewline(content);
  }
}

function inOneLine(content: string): string | null {
  try {
    return withNewline(pythonJsonWithNaN(parseJson(content)));
  } catch (error) {
    // RangeError: nested deeper than the stack allows.
    if (error instanceof SyntaxError || error instanceof RangeError) return null;
    throw error;
  }
}
