// sluice/read_file@v1: reads a received file as text or JSON. A workflow has only handles of received files, so that
// without this step it can forward their content but not read it.

import { parseJson } from '../../core/json/json.ts';
import { decodeText } from '../../core/values/charset.ts';
import { receivedFile } from '../shared/received-file.ts';
import type { EffectResult, StepOutcome, StepPlan, StepType } from '../step-type.ts';

interface ReadFileManifest {
  file: unknown;
  as?: 'text' | 'json';
  charset?: unknown;
  max_bytes?: number;
}

const DEFAULT_MAX_BYTES = 2 ** 20;
const MOST_BYTES = 10 * 2 ** 20;

export const readFile: StepType<ReadFileManifest> = {
  type: 'sluice/read_file@v1',
  summary: 'Reads a received file as text, such as XML or CSV, or parses it as JSON.',
  properties: {
    file: {
      description: 'a selector of a received file, such as "$request.body" or "$request.files.0"',
      anyOf: [{ type: 'string', pattern: '^\\$(?!steps\\.[^.]*$)[a-z]' }],
    },
    as: { enum: ['text', 'json'], default: 'text', description: 'the output: the text of the file, or the JSON value in it' },
    charset: {
      type: 'string',
      description:
        'the character set of the text, or a selector of it; by default the character set that the file declares (byte order mark or XML declaration), else UTF-8',
    },
    max_bytes: {
      type: 'integer',
      minimum: 1,
      maximum: MOST_BYTES,
      default: DEFAULT_MAX_BYTES,
      description: 'the largest file that the step accepts; a larger one fails it',
    },
  },
  required: ['file'],
  outputs: () => ['content'],
  plan({ file, max_bytes: maxBytes = DEFAULT_MAX_BYTES }, context): StepPlan {
    const received = receivedFile(file, context);
    if (received === null) return failed('no_file', 'file must be a file that came with the request');
    if (received.size > maxBytes)
      return failed('file_too_large', `${shown(received)} has ${received.size} bytes, but max_bytes is ${maxBytes}`);
    return { kind: 'read', sha256: received.sha256 };
  },
  interpret(manifest, result, context) {
    const name = shown(receivedFile(manifest.file, context));
    if (result.kind === 'read') return contentOf(result.bytes, manifest, name);
    return failed('file_unreadable', `${name}: ${reasonOf(result)}`);
  },
};

function reasonOf(result: EffectResult): string {
  if (result.kind !== 'not_read') throw new Error(`reading a file cannot have the result "${result.kind}"`);
  return result.error;
}

function contentOf(bytes: Uint8Array, { as = 'text', charset: given = null }: ReadFileManifest, name: string): StepOutcome {
  const charset = given === null ? ((as === 'text' ? declaredCharset(bytes) : null) ?? 'utf-8') : String(given).trim().toLowerCase();
  let text: string;
  try {
    text = decodeText(bytes, charset);
  } catch (error) {
    if (error instanceof RangeError) return failed('invalid_file', `${name}: "${charset}" is not a known character set`);
    return failed('invalid_file', `${name} is not ${charset} text; set charset to its character set`);
  }
  try {
    return { kind: 'completed', outputs: { content: as === 'json' ? parseJson(text) : text } };
  } catch (error) {
    // RangeError: nested deeper than the stack allows.
    if (!(error instanceof SyntaxError || error instanceof RangeError)) throw error;
    return failed('invalid_file', `${name} is not valid JSON: ${error.message}`);
  }
}

/** XML declares its encoding in ASCII (XML 1.0, 4.3.3). UTF-16 begins with a mark, so its declaration never matches. */
function declaredCharset(bytes: Uint8Array): string | null {
  const start = String.fromCharCode(...bytes.subarray(0, 256));
  const declared =
    /^(?:\u00ef\u00bb\u00bf)?<\?xml[^>]*?\sencoding\s*=\s*["']([A-Za-z][\w.:-]*)["']/.exec(start)?.[1]?.toLowerCase() ?? null;
  return declared?.startsWith('utf-16') === true ? null : declared;
}

function shown(file: { name: string; filename: string | null } | null): string {
  return file === null ? 'the file' : `file "${file.filename ?? file.name}"`;
}

function failed(code: string, message: string): Extract<StepOutcome, { kind: 'failed' }> {
  return { kind: 'failed', retryable: false, error: { code, message } };
}
