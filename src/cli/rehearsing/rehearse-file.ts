// Runs a definition file once in memory, on a given request, and prints what it does.

import { randomBytes } from 'node:crypto';
import { basename } from 'node:path';
import { systemClock } from '../../clock.ts';
import type { OutboundMessage, OutboundResult } from '../../core/delivery/outbound.ts';
import { parseJson, stringifyJson } from '../../core/json/json.ts';
import type { BodyKind, FileHandle, Request } from '../../core/run/request.ts';
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
import { ExitError, FAILED } from '../exit-error.ts';
import { printHint, printJson, printLine } from '../output/output.ts';
import { presentRehearsal, printRehearsal } from '../output/rehearsal-view.ts';
import { readWorkflowFile } from '../workflow-file.ts';

export interface GivenFile {
  handle: FileHandle;
  bytes: Uint8Array;
}

export interface RehearsedRequest {
  request: Request;
  bodyKind: BodyKind;
  /** By input, a selector, as the sink maps them. */
  inputMapping: Readonly<Record<string, string>>;
  files: readonly GivenFile[];
  /** The HTTP status of every receiver. */
  answer: number;
}

/** Rejects with ExitError when the definition has faults, or the run fails. */
export async function rehearseAndPrint(file: string, given: RehearsedRequest, output: string, context: CliContext): Promise<void> {
  const { io, environment } = context;
  const key = randomBytes(32).toString('hex');
  const vault = createSecretVault({ environment, allowed: ['*'], key, replyUrl: () => '' });
  const mask = (text: string): string => vault.mask(REHEARSED_RUN_ID, text);
  const rehearsal = await rehearseFile(file, given, context, vault);
  if (output === 'json') printJson(io, parseJson(mask(stringifyJson(presentRehearsal(rehearsal)))));
  else printRehearsal(rehearsal, { print: (text) => printLine(io, mask(text)), hint: (text) => printHint(io, mask(text)) });
  if (rehearsal.status === 'failed') throw new ExitError('', FAILED);
}

async function rehearseFile(file: string, given: RehearsedRequest, context: CliContext, vault: SecretVault): Promise<Rehearsal> {
  const { request, bodyKind, inputMapping, files, answer } = given;
  const { definition, faultLines } = await readWorkflowFile(file, context);
  const stepTypes = createStepTypes(builtinStepTypes);
  const faults = workflowFaults(definition, stepTypes.inspect);
  if (faults.length > 0) throw new ExitError(faultLines(faults), FAILED);
  const workflow = planWorkflow(basename(file), 1, definition as WorkflowDocument);
  return await rehearse({
    stepTypes,
    workflow,
    request,
    inputs: bindInputs(workflow, inputMapping, request, bodyKind),
    bodyKind,
    bodySize: Buffer.byteLength(stringifyJson(request.body)),
    now: systemClock(),
    placeholder: vault.placeholder,
    mask: vault.mask,
    answer: (message) => answerOf(message, answer),
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

function answerOf(message: OutboundMessage, status: number): OutboundResult {
  const url = message.transport === 'http' ? message.url : `smtp://${message.host}`;
  return { kind: 'response', status, reason: '', url, headers: {}, body: new Uint8Array(), isTruncated: false };
}
