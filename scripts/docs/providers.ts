// The tables of providers and of generic schemes, from the presets.

import { GENERIC_SCHEMES } from '../../src/presets/generic.ts';
import type { Handshake, HandshakeKind, Place, Preset, Proof } from '../../src/presets/preset.ts';
import { listPresets } from '../../src/presets/table.ts';
import { code, markdownTable } from './markdown-table.ts';

const CERTAINTY: Readonly<Record<Preset['certainty'], string>> = {
  primary: 'from the provider',
  secondary: 'from others',
  memory: 'unconfirmed',
};

/** One line per provider, with its notes below the table. */
export function providersTable(): string {
  const presets = [...listPresets()].sort((a, b) => a.name.localeCompare(b.name, 'en'));
  const rows = presets.map((preset) => [
    code(preset.id),
    preset.name,
    proofText(preset.proof),
    timeText(preset.proof),
    nameText(preset),
    handshakesText(preset.handshakes),
    answerText(preset.answer),
    CERTAINTY[preset.certainty],
  ]);
  const table = markdownTable(['`type`', 'Provider', 'Proof', 'Time', 'A message is named by', 'Handshake', 'Answer', 'Facts'], rows);
  const notes = presets.filter(({ notes: text }) => text !== undefined).map(({ id, notes: text }) => `- ${code(id)}: ${text}`);
  return `${table}\n\nNotes:\n\n${notes.join('\n')}`;
}

function proofText(proof: Proof): string {
  switch (proof.kind) {
    case 'signature':
      return `${proof.algorithm} of ${code(proof.signed)} in ${code(proof.header)}`;
    case 'equal':
      return `a secret at ${placeText(proof.place)}`;
    case 'basic':
      return 'user and password';
    case 'jwt':
      return `a token (${proof.algorithms.join(', ')}) in ${code(proof.header)}`;
    case 'code':
      return 'its own scheme';
  }
}

function timeText(proof: Proof): string {
  if (proof.kind !== 'signature') return '';
  return proof.timestamp === undefined ? 'not signed' : `within ${proof.toleranceSeconds} s`;
}

/** As http/trigger/idempotency.ts decides. */
function nameText({ proof, deliveryId, unconfirmed }: Preset): string {
  if (proof.kind === 'signature' && deliveryId?.startsWith('body:') === true && !unconfirmed.includes('deliveryId'))
    return placeText(deliveryId);
  if (proof.kind === 'signature' && proof.timestamp === undefined) return 'its bytes';
  return deliveryId === null ? 'nothing' : placeText(deliveryId);
}

function placeText(place: Place): string {
  const [root, ...name] = place.split(':');
  return root === 'body' ? `${code(name.join(':'))} of the body` : root === 'query' ? code(`?${name.join(':')}`) : code(name.join(':'));
}

const HANDSHAKES: Readonly<Record<HandshakeKind, string>> = {
  acknowledge: 'is acknowledged',
  answer: 'a fixed answer',
  'echo-body': 'a value of the body',
  'echo-query': 'a value of the query',
  'echo-header': 'a header',
  'hmac-answer': 'an HMAC',
  options: 'CloudEvents, by OPTIONS',
  'fetch-url': 'a URL is fetched',
  'capture-secret': 'brings the secret',
};

function handshakesText(handshakes: readonly Handshake[]): string {
  return [...new Set(handshakes.map(({ kind }) => HANDSHAKES[kind]))].join('; ');
}

function answerText({ status, text, withinSeconds }: Preset['answer']): string {
  return `${status}${text === undefined ? '' : ` ${code(text)}`}${withinSeconds === null ? '' : `, within ${withinSeconds} s`}`;
}

/** The settings of each scheme that an operator describes in the sink. */
export function genericSchemes(): string {
  return GENERIC_SCHEMES.filter(({ settings }) => settings.length > 0)
    .map(({ id, settings }) => {
      const rows = settings.map(({ name, isRequired, choices, description }) => [
        code(name),
        isRequired ? 'yes' : 'no',
        `${description}${choices === undefined ? '' : `; one of ${choices.map(code).join(', ')}`}`,
      ]);
      return `### ${code(id)}\n\n${markdownTable(['Setting', 'Required', 'Meaning'], rows)}`;
    })
    .join('\n\n');
}
