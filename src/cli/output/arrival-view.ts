// Formats a received request for people. Text from the sender is escaped for the terminal.

import type { Arrival, ArrivalAnswer, ArrivedBody, ArrivedContent, ArrivedPart, PixelSize } from '../../receiver/arrival.ts';
import { jsonLines } from './json-lines.ts';
import type { Paint } from './paint.ts';
import { printable } from './printable.ts';

const MAX_LINES = 200;
const MAX_LINE_LENGTH = 1000;
const DIGEST_LENGTH = 12;

export function arrivalText(arrival: Arrival, paint: Paint): string {
  const { number, method, path, query, client, headers, body, idempotency, answer, tookMs } = arrival;
  const fact = (name: string, value: string): string => `    ${paint.faint(name.padEnd(12))} ${value}`;
  const lines = [
    `#${number} ${paint.strong(shown(`${method} ${path}`))} ${paint.faint(`from ${client}`)}`,
    ...query.map(([name, value]) => fact('query', shown(`${name} = ${value}`))),
    ...headers.map(([name, value]) => `    ${paint.faint(shown(`${name}:`))} ${shown(value)}`),
    fact('signature', signatureText(arrival, paint)),
    ...(idempotency === null ? [] : [fact('idempotency', `${shown(idempotency.key)}${repetitionText(idempotency.seen)}`)]),
    fact('body', bodyText(body)),
    ...body.faults.map((fault) => fact('', paint.bad(shown(fault)))),
    ...atMost(contentLines(body.content)).map((line) => `      ${line}`),
    fact('answered', answerText(answer, tookMs, paint)),
  ];
  return `${lines.map((line) => line.trimEnd()).join('\n')}\n\n`;
}

function signatureText({ signature: { verdict, reason } }: Arrival, paint: Paint): string {
  const text = verdict === 'unchecked' ? 'not checked' : verdict;
  const painted = verdict === 'valid' ? paint.good(text) : verdict === 'invalid' ? paint.bad(text) : text;
  return reason === null ? painted : `${painted}: ${shown(reason)}`;
}

function repetitionText(seen: number): string {
  return seen === 1 ? '' : ` (again, ${ordinal(seen)} time)`;
}

function ordinal(number: number): string {
  const isTeen = number % 100 >= 11 && number % 100 <= 13;
  return `${number}${(isTeen ? undefined : ['th', 'st', 'nd', 'rd'][number % 10]) ?? 'th'}`;
}

const KINDS: Readonly<Record<Exclude<ArrivedContent['kind'], 'empty' | 'bytes'>, string>> = {
  json: 'JSON',
  text: 'text',
  form: 'form',
  multipart: 'multipart form',
};

function bodyText({ size, sha256, content, saved }: ArrivedBody): string {
  if (content.kind === 'empty' && size === 0) return 'none';
  const kind = content.kind === 'bytes' || content.kind === 'empty' ? [] : [KINDS[content.kind]];
  const image = content.kind === 'bytes' ? imageText(content.image) : [];
  return [...kind, ...image, ...sizeText(size, sha256), ...savedText(saved)].join(', ');
}

function contentLines(content: ArrivedContent): Iterable<string> {
  switch (content.kind) {
    case 'json':
      return jsonLines(content.text);
    case 'text':
      return content.text.split('\n');
    case 'form':
      return content.fields.map(([name, value]) => `${name} = ${value}`);
    case 'multipart':
      return content.parts.flatMap(partLines);
    default:
      return [];
  }
}

function partLines({ name, filename, contentType, size, sha256, image, text, saved }: ArrivedPart): string[] {
  const title = [name ?? '(no name)', ...(filename === null ? [] : [`"${filename}"`]), contentType];
  const head = [title.join(' '), ...imageText(image), ...sizeText(size, sha256), ...savedText(saved)].join(', ');
  return [head, ...(text === null ? [] : text.split('\n').map((line) => `  ${line}`))];
}

function imageText(image: PixelSize | null): string[] {
  return image === null ? [] : [`image of ${image.width} x ${image.height}`];
}

function sizeText(size: number, sha256: string): string[] {
  return [`${size} ${size === 1 ? 'byte' : 'bytes'}`, `sha256 ${sha256.slice(0, DIGEST_LENGTH)}`];
}

function savedText(saved: string | null): string[] {
  return saved === null ? [] : [`saved as ${saved}`];
}

function answerText(answer: ArrivalAnswer, tookMs: number, paint: Paint): string {
  switch (answer.kind) {
    case 'status': {
      const { status } = answer;
      return `${status < 300 ? paint.good(String(status)) : paint.bad(String(status))} after ${tookMs} ms`;
    }
    case 'hang':
      return paint.bad('never: left waiting');
    case 'reset':
      return paint.bad(`with a reset connection after ${tookMs} ms`);
    case 'gone':
      return paint.bad('never: the connection was closed before');
  }
}

/** Escapes the text for a terminal, and cuts it when it is long. */
function shown(text: string): string {
  const more = text.length - MAX_LINE_LENGTH;
  return more > 0 ? `${printable(text.slice(0, MAX_LINE_LENGTH))}… (${more} more characters)` : printable(text);
}

function atMost(lines: Iterable<string>): string[] {
  const taken: string[] = [];
  for (const line of lines) {
    if (taken.length === MAX_LINES) return [...taken, '… (and more)'];
    taken.push(shown(line));
  }
  return taken;
}
