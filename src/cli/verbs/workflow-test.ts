// `sluice workflow test`: runs a definition once, without a server. Deliveries are shown instead of sent.

import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import type { Command } from 'commander';
import { systemClock } from '../../clock.ts';
import { parseJson } from '../../core/json/json.ts';
import type { Request } from '../../core/run/request.ts';
import type { CliContext } from '../context.ts';
import { ExitError, FAILED, WRONG_USAGE } from '../exit-error.ts';
import { addOutputOption, type OutputOptions } from '../output/output.ts';
import { type GivenFile, rehearseAndPrint } from '../rehearsing/rehearse-file.ts';

interface TestOptions extends OutputOptions {
  input?: string;
  file?: string[];
  answer: string;
}

export function defineTest(command: Command, context: CliContext): void {
  const test = command
    .command('test')
    .description('run a definition once, without a server; prints its messages instead of sending them')
    .argument('<file>', 'YAML or JSON file with one definition: version, inputs, steps, outputs')
    .option('-i, --input <json>', 'the body of the request as JSON, or @file', '{}')
    .option('-f, --file <name=@path...>', 'add a file to the request')
    .option('--answer <status>', 'HTTP status that every receiver is assumed to return', '200');
  addOutputOption(test, ['text', 'json']).action(async (file: string, options: TestOptions) => {
    const files = await Promise.all((options.file ?? []).map(readGivenFile));
    const request = requestOf(await readInput(options.input ?? '{}'), files);
    const given = { request, bodyKind: 'json', inputMapping: {}, files, answer: readStatus(options.answer) } as const;
    await rehearseAndPrint(file, given, options.output, context);
  });
}

async function readInput(text: string): Promise<unknown> {
  const json = text.startsWith('@') ? Buffer.from(await readPath('--input', text.slice(1))).toString('utf8') : text;
  try {
    return parseJson(json);
  } catch (error) {
    throw new ExitError(`--input is not JSON: ${(error as Error).message}`, WRONG_USAGE);
  }
}

async function readGivenFile(text: string): Promise<GivenFile> {
  const sign = text.indexOf('=');
  if (sign < 1) throw new ExitError(`--file "${text}": write it as name=@path`, WRONG_USAGE);
  const path = text.slice(sign + 1).replace(/^@/, '');
  const bytes = await readPath('--file', path);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const handle = {
    name: text.slice(0, sign),
    filename: basename(path),
    content_type: 'application/octet-stream',
    size: bytes.length,
    sha256,
  };
  return { handle, bytes };
}

async function readPath(flag: string, path: string): Promise<Uint8Array> {
  return await readFile(path).catch((error: unknown) => {
    throw new ExitError(`${flag}: ${path} cannot be read (${(error as NodeJS.ErrnoException).code})`, FAILED);
  });
}

function requestOf(body: unknown, files: readonly GivenFile[]): Request {
  return {
    method: 'POST',
    path: '/',
    params: {},
    query: {},
    headers: {},
    content_type: 'application/json',
    files: files.map(({ handle }) => handle),
    client_ip: '127.0.0.1',
    received_at: systemClock(),
    body,
  };
}

function readStatus(text: string): number {
  const status = Number(text);
  if (!/^\d{3}$/.test(text) || status < 200 || status > 599)
    throw new ExitError('--answer must be an HTTP status from 200 to 599', WRONG_USAGE);
  return status;
}
