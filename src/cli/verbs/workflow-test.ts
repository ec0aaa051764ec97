// `sluice workflow test`: runs a definition once, without a server. Deliveries are shown instead of sent.

import { createHash, randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import type { Command } from 'commander';
import { systemClock } from '../../clock.ts';
import type { OutboundMessage, OutboundResult } from '../../core/delivery/outbound.ts';
import { parseJson, stringifyJson } from '../../core/json/json.ts';
import type { FileHandle, Request } from '../../core/run/request.ts';
import { ImageFault } from '../../core/uql/image.ts';
import type { WorkflowDocument } from '../../core/workflow/document.ts';
import { workflowFaults } from '../../core/workflow/faults.ts';
import { bindInputs } from '../../core/workflow/inputs.ts';
import { planWorkflow } from '../../core/workflow/plan.ts';
import { createSecretVault, type SecretVault } from '../../delivery/secret-vault.ts';
import { REHEARSED_RUN_ID, type Rehearsal, rehearse } from '../../engine/rehearsal.ts';
import { builtinStepTypes } from '../../steps/builtin.ts';
import { createStepTypes } from '../../steps/registry.ts';
import type { ReadResult } from '../../steps/step-type.ts';
import type { CliContext } from '../context.ts';
import { ExitError, FAILED, WRONG_USAGE } from '../exit-error.ts';
import { addOutputOption, type OutputOptions, printHint, printJson, printLine } from '../output/output.ts';
import { presentRehearsal, printRehearsal } from '../output/rehearsal-view.ts';
import { readWorkflowFile } from '../workflow-file.ts';

interface TestOptions extends OutputOptions {
  input?: string;
  file?: string[];
  answer: string;
}

interface GivenFile {
  handle: FileHandle;
  bytes: Uint8Array;
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
    const { io, environment } = context;
    const key = randomBytes(32).toString('hex');
    const vault = createSecretVault({ environment, allowed: ['*'], key, replyUrl: () => '' });
    const mask = (text: string): string => vault.mask(REHEARSED_RUN_ID, text);
    const rehearsal = await rehearseFile(file, options, context, vault);
    if (options.output === 'json') printJson(io, parseJson(mask(stringifyJson(presentRehearsal(rehearsal)))));
    else printRehearsal(rehearsal, { print: (text) => printLine(io, mask(text)), hint: (text) => printHint(io, mask(text)) });
    if (rehearsal.status === 'failed') throw new ExitError('', FAILED);
  });
}

async function rehearseFile(file: string, options: TestOptions, context: CliContext, vault: SecretVault): Promise<Rehearsal> {
  const { definition, faultLines } = await readWorkflowFile(file, context);
  const stepTypes = createStepTypes(builtinStepTypes);
  const faults = workflowFaults(definition, stepTypes.inspect);
  if (faults.length > 0) throw new ExitError(faultLines(faults), FAILED);
  const workflow = planWorkflow(basename(file), 1, definition as WorkflowDocument);
  const files = await Promise.all((options.file ?? []).map(readGivenFile));
  const request = requestOf(await readInput(options.input ?? '{}'), files);
  const status = readStatus(options.answer);
  return await rehearse({
    stepTypes,
    workflow,
    request,
    inputs: bindInputs(workflow, {}, request, 'json'),
    bodyKind: 'json',
    bodySize: Buffer.byteLength(stringifyJson(request.body)),
    now: systemClock(),
    placeholder: vault.placeholder,
    mask: vault.mask,
    answer: (message) => answerOf(message, status),
    readFile: ({ sha256 }) => Promise.resolve(readFileOf(files, sha256)),
    async loadImages(wants) {
      const { createImageLoader } = await import('../../images/image-loader.ts');
      const bytesOf = new Map(files.map(({ handle, bytes }) => [handle.sha256, bytes]));
      const readBlob = (sha256: string): Promise<Uint8Array> => {
        const bytes = bytesOf.get(sha256);
        return bytes === undefined ? Promise.reject(new ImageFault('the image is not one of the given files')) : Promise.resolve(bytes);
      };
      return await createImageLoader({ readBlob }).load(wants);
    },
  });
}

function readFileOf(files: readonly GivenFile[], sha256: string): ReadResult {
  const bytes = files.find(({ handle }) => handle.sha256 === sha256)?.bytes;
  return bytes === undefined ? { kind: 'not_read', error: 'it is not one of the given files' } : { kind: 'read', bytes };
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

function answerOf(message: OutboundMessage, status: number): OutboundResult {
  const url = message.transport === 'http' ? message.url : `smtp://${message.host}`;
  return { kind: 'response', status, reason: '', url, headers: {}, body: new Uint8Array(), isTruncated: false };
}
