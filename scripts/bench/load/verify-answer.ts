// Reads an answer in full and says what is wrong with it. A sample of all answers goes through here, so that the
// bench counts no run that did not do its work.

import { isDeepStrictEqual } from 'node:util';
import { bareAnswer, type Webhook } from '../baselines/bare-answer.ts';
import { AWAITED_OUTPUT } from '../deliveries/workload.ts';
import { EXPECTED_OUTPUT, requestBody } from '../workload.ts';

/** The stream of a run of three steps, that of one which waited for its delivery, a run's id, the bare handler's answer. */
export type AnswerKind = 'stream' | 'awaited' | 'accepted' | 'json';

/** Returns null for an answer as it should be. */
export function answerFault(kind: AnswerKind, bytes: Buffer): string | null {
  const text = bytes.toString('utf8');
  const end = text.indexOf('\r\n\r\n');
  const head = text.slice(0, end);
  const body = /\r\ntransfer-encoding: *chunked/i.test(head) ? joinChunks(text.slice(end + 4)) : text.slice(end + 4);
  switch (kind) {
    case 'stream':
      return streamFault(head, body, EXPECTED_OUTPUT);
    case 'awaited':
      return streamFault(head, body, AWAITED_OUTPUT);
    case 'accepted':
      return /^\{"run_id":"run_\w+","status":"queued"\}$/.test(body) ? null : `the sink answered ${body}`;
    case 'json':
      return jsonFault(body);
  }
}

function jsonFault(body: string): string | null {
  const expected = bareAnswer(JSON.parse(requestBody()) as Webhook);
  return isDeepStrictEqual(JSON.parse(body), expected) ? null : `the bare handler answered ${body}`;
}

interface StreamEvent {
  type: string;
  run_id: string;
  progress?: number;
  output?: unknown;
}

function streamFault(head: string, body: string, expected: object): string | null {
  const runId = /\r\nx-run-id: *(\S+)/i.exec(head)?.[1];
  // A run that takes longer than a moment may have a heartbeat, which is a comment, between its events.
  const frames = body
    .split('\n\n')
    .slice(0, -1)
    .filter((frame) => frame !== ': heartbeat');
  let progress = -1;
  for (const [index, frame] of frames.entries()) {
    const [, seq, data] = /^id: (\d+)\ndata: (.+)$/.exec(frame) ?? [];
    if (data === undefined || Number(seq) !== index + 1) return `event ${index + 1} reads "${frame}"`;
    const event = JSON.parse(data) as StreamEvent;
    if (event.run_id !== runId) return `an event of ${event.run_id} in the stream of ${runId}`;
    if (index === frames.length - 1) return endFault(event, progress, expected);
    if (event.type !== 'progress' || !((event.progress ?? -1) >= progress)) return `after progress ${progress} came "${frame}"`;
    progress = event.progress ?? -1;
  }
  return `the stream holds no event: "${body}"`;
}

function endFault({ type, output }: StreamEvent, progress: number, expected: object): string | null {
  if (type !== 'complete' || progress !== 100) return `the stream ended with "${type}" at progress ${progress}`;
  return isDeepStrictEqual(output, expected) ? null : `the output is ${JSON.stringify(output)}`;
}

/** ASCII only, so that a chunk's bytes are its characters. */
function joinChunks(text: string): string {
  let body = '';
  for (let at = 0; ; ) {
    const end = text.indexOf('\r\n', at);
    const size = Number.parseInt(text.slice(at, end), 16);
    if (!(size > 0)) return body;
    body += text.slice(end + 2, end + 2 + size);
    at = end + 2 + size + 2;
  }
}
