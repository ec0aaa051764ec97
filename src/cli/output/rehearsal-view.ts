// Formats a rehearsed run for people and for programs: its steps, deliveries, file writes and output.

import { type BodyPart, isRequestPart, type OutboundMessage } from '../../core/delivery/outbound.ts';
import { parseJson } from '../../core/json/json.ts';
import type { Rehearsal } from '../../engine/rehearsal.ts';

export function presentRehearsal({ status, output, error, steps, deliveries, writes }: Rehearsal): object {
  return {
    status,
    output: output === null ? null : parseJson(output),
    ...(error === null ? {} : { error }),
    steps: steps.map(({ step, visit, status: stepStatus, outputs }) => ({
      step,
      visit,
      status: stepStatus,
      outputs: outputs === null ? null : parseJson(outputs),
    })),
    sends: deliveries.map(({ step, isAwaited, message }) => ({ step, awaited: isAwaited, ...presentMessage(message) })),
    writes: writes.map(({ step, write: { path, mode, content } }) => ({ step, path, mode, content })),
  };
}

function presentMessage(message: OutboundMessage): object {
  if (message.transport === 'smtp') {
    const { host, port, from, to, cc, bcc, subject, text, html, attachments } = message;
    return { mail: { host, port, from, to, cc, bcc, subject, text, html, attachments: attachments.map(({ filename }) => filename) } };
  }
  const { method, url, headers, body } = message;
  return { method, url, headers, body: body === null ? null : body.map(partText).join('') };
}

/** Text if the part is UTF-8, else its size. */
function partText(part: BodyPart): string {
  if (isRequestPart(part)) return `<the body of the request, ${part.size} bytes>`;
  if (!(part instanceof Uint8Array)) return `<file ${part.sha256.slice(0, 12)}, ${part.size} bytes>`;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(part);
  } catch {
    return `<${part.byteLength} bytes>`;
  }
}

export function printRehearsal(rehearsal: Rehearsal, out: { print: (text: string) => void; hint: (text: string) => void }): void {
  const { status, output, error, steps, deliveries, writes } = rehearsal;
  for (const { step, visit, status: stepStatus, outputs } of steps)
    out.hint(`${stepStatus.padEnd(9)} ${step}${visit > 1 ? `, visit ${visit}` : ''}${outputs === null ? '' : `  ${outputs}`}`);
  for (const { step, isAwaited, message } of deliveries) {
    out.hint('');
    out.hint(`${step} would send${isAwaited ? '' : ' in the background'}:`);
    for (const line of messageLines(message)) out.hint(`  ${line}`);
  }
  for (const { step, write } of writes) {
    out.hint('');
    out.hint(`${step} would ${write.mode === 'create' ? 'write' : 'append to'} ${write.path}:`);
    for (const line of write.content.split('\n')) out.hint(`  ${line}`);
  }
  if (deliveries.length + writes.length > 0) out.hint('');
  if (status === 'failed') out.hint(`failed${error?.step === undefined ? '' : ` at ${error.step}`}: ${error?.message}`);
  else out.print(output ?? 'null');
}

function messageLines(message: OutboundMessage): string[] {
  if (message.transport === 'smtp') {
    const { host, port, to, subject, text, html } = message;
    return [`MAIL ${host}:${port} to ${to.join(', ')}`, `Subject: ${subject}`, '', ...(text ?? html ?? '').split('\n')];
  }
  const { method, url, headers, body } = message;
  const head = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  return [`${method} ${url}`, ...head, '', ...(body ?? []).map(partText).join('').split('\n')];
}
