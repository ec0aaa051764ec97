// Creates a request body of `sluice send` from its flags.

import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { ExitError, FAILED, WRONG_USAGE } from '../exit-error.ts';

export interface BodyFlags {
  data?: string;
  json?: string;
  form?: string[];
  file?: string[];
}

export interface SendBody {
  body: NonNullable<RequestInit['body']>;
  /** Null when fetch sets it, as for forms. */
  contentType: string | null;
}

/** Null when no flag sets a body. */
export async function readSendBody({ data, json, form, file }: BodyFlags, stdin: AsyncIterable<Uint8Array>): Promise<SendBody | null> {
  if ([data, json, form ?? file].filter((flag) => flag !== undefined).length > 1)
    throw new ExitError('a request has only one body: give --data, or --json, or --form and --file', WRONG_USAGE);
  if (json !== undefined) return { body: await readContent('--json', json, stdin), contentType: 'application/json' };
  if (data !== undefined) {
    const body = await readContent('--data', data, stdin);
    return { body, contentType: guessContentType(body) };
  }
  if (file !== undefined) return { body: await readForm(form ?? [], file), contentType: null };
  if (form !== undefined) return { body: new URLSearchParams(form.map((field) => splitField('--form', field))), contentType: null };
  return null;
}

/** Returns the flag's text, the file for `@path`, or standard input for `@-`. */
async function readContent(flag: string, text: string, stdin: AsyncIterable<Uint8Array>): Promise<Uint8Array<ArrayBuffer>> {
  if (!text.startsWith('@')) return Buffer.from(text);
  if (text !== '@-') return await readPath(flag, text.slice(1));
  const chunks: Uint8Array[] = [];
  for await (const chunk of stdin) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function readForm(fields: string[], files: string[]): Promise<FormData> {
  const form = new FormData();
  for (const field of fields) form.append(...splitField('--form', field));
  for (const file of files) {
    const [name, value] = splitField('--file', file);
    const path = value.replace(/^@/, '');
    form.append(name, new Blob([await readPath('--file', path)]), basename(path));
  }
  return form;
}

function splitField(flag: string, text: string): [name: string, value: string] {
  const sign = text.indexOf('=');
  if (sign < 1) throw new ExitError(`${flag} "${text}": write it as name=${flag === '--file' ? '@path' : 'value'}`, WRONG_USAGE);
  return [text.slice(0, sign), text.slice(sign + 1)];
}

async function readPath(flag: string, path: string): Promise<Buffer<ArrayBuffer>> {
  return await readFile(path).catch((error: unknown) => {
    throw new ExitError(`${flag}: ${path} cannot be read (${(error as NodeJS.ErrnoException).code})`, FAILED);
  });
}

function guessContentType(body: Uint8Array): string {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(body);
  } catch {
    return 'application/octet-stream';
  }
  return /^\s*[[{]/.test(text) ? 'application/json' : 'text/plain; charset=utf-8';
}
