// Every handshake of the table: which request it is, what it answers, and what it repeats to just anyone.

import { describe, expect, test } from 'vitest';
import { answerHandshake, isHandshake, possibleHandshakes, type ReadyAnswer } from '../../src/presets/handshakes.ts';
import type { Handshake, Preset } from '../../src/presets/preset.ts';
import { findPreset, listPresets } from '../../src/presets/table.ts';
import { COMPARED, type HandshakeRequest, meetHandshake, promisedAnswer, put, termsOf } from '../support/meet-handshake.ts';

const SINK_METHODS = ['POST'];
const SECRET = 'secret-1';
const VALUE = 'Token_1.~+/-==';

const rows = listPresets().flatMap((preset) =>
  preset.handshakes.map((handshake, position) => ({ name: `${preset.id} ${position + 1} (${handshake.kind})`, preset, handshake })),
);

describe.each(rows)('the handshake $name', ({ preset, handshake }) => {
  test('is recognised, before the other ones of its row', () => {
    expect(recognised(preset, meetHandshake(handshake, VALUE))[0]).toBe(handshake);
  });

  test('is not recognised in a request that lacks a condition', () => {
    for (const [place, wanted] of Object.entries(handshake.when)) {
      const request = meetHandshake(handshake, VALUE);
      put(request, place === 'content-type' ? 'header:content-type' : place, wanted === '*' ? '' : 'other');
      if (wanted === '*') remove(request, place);
      expect(recognised(preset, request)).not.toContain(handshake);
    }
  });

  test('needs its method', () => {
    const request = { ...meetHandshake(handshake, VALUE), method: 'PUT' };
    expect(recognised(preset, request)).not.toContain(handshake);
  });

  test('is answered as its row says', () => {
    const { headers, body, type } = promisedAnswer(handshake, VALUE, SECRET);
    expect(answerTo(handshake, VALUE)).toEqual({
      status: handshake.answer.status,
      headers: {
        ...headers,
        ...(body === '' ? {} : { 'content-type': type }),
        'x-content-type-options': 'nosniff',
        'content-security-policy': 'sandbox',
      },
      body,
    });
  });
});

const comparing = rows.filter(({ handshake }) => handshake.compare !== undefined);

describe.each(comparing)('the handshake $name', ({ handshake }) => {
  test('is refused with another value than that of the setting', () => {
    const settings = Object.fromEntries([[handshake.compare?.setting, 'another']]);
    const request = meetHandshake(handshake, VALUE);
    expect(answerHandshake(handshake, request, { secrets: [SECRET], settings })).toMatchObject({ kind: 'refused' });
    expect(answerHandshake(handshake, request, { secrets: [SECRET], settings: {} })).toMatchObject({ kind: 'refused' });
  });
});

test('an event of Discord is not a PING, although both have the type 1', () => {
  const event = { version: 1, application_id: '1', type: 1, event: { type: 'APPLICATION_AUTHORIZED', data: {} } };
  const ping = { version: 1, application_id: '1', type: 1, id: '2', token: 'aW50ZXJhY3Rpb24' };
  const discord = findPreset('discord') as Preset;
  const kinds = [event, ping].map((body) =>
    recognised(discord, { method: 'POST', headers: {}, query: {}, body }).map(({ answer }) => answer.json),
  );
  expect(kinds).toEqual([[], [{ type: 1 }]]);
});

const repeating = rows.filter(({ handshake }) => !handshake.isSigned && termsOf(handshake).length > 0);
const plain = repeating.filter(({ handshake }) => !termsOf(handshake).some((term) => term.startsWith('hmac-')));
const signing = repeating.filter(({ handshake }) => termsOf(handshake).some((term) => term.startsWith('hmac-')));

describe.each(repeating)('the unsigned handshake $name', ({ handshake }) => {
  test.each([
    { name: 'a control character', value: 'a\u0007b' },
    { name: 'a line break', value: 'a\nb' },
    { name: 'a character beyond ASCII', value: 'ü' },
    { name: '1025 characters', value: 'x'.repeat(1025) },
    { name: 'no character', value: '' },
  ])('is refused with $name', ({ value }) => {
    expect(outcomeOf(handshake, value)).toEqual({ kind: 'refused', reason: expect.stringContaining(' of the request must be ') });
  });

  test('takes 1024 characters', () => {
    expect(outcomeOf(handshake, 'x'.repeat(1024))).toMatchObject({ kind: 'answer' });
  });
});

describe.each(plain)('the unsigned handshake $name', ({ handshake }) => {
  test('repeats a script as text that no browser runs', () => {
    const script = '<script>alert(1)</script>';
    const { headers, body } = answerTo(handshake, script);
    expect(headers).toMatchObject({ 'x-content-type-options': 'nosniff', 'content-security-policy': 'sandbox' });
    expect(headers['content-type'] ?? 'none').toMatch(body === '' ? /^none$/ : /^(?:text\/plain|application\/json); charset=utf-8$/);
    expect([body, ...Object.values(headers)].some((text) => text.includes(script))).toBe(true);
  });
});

test('some handshakes sign a value of just anyone', () => {
  expect(signing.map(({ preset }) => preset.id)).toEqual(['x-twitter']);
});

describe.each(signing)('the unsigned handshake $name', ({ handshake }) => {
  test.each(['{"tweet_create_events":[]}', '["a"]', '"a"', 'a=b&c=d', 'a=b', '<script>'])('signs no body of someone else: %s', (value) => {
    expect(outcomeOf(handshake, value)).toMatchObject({ kind: 'refused' });
  });
});

function recognised(preset: Preset, request: HandshakeRequest): Handshake[] {
  const { body: _body, ...head } = request;
  return possibleHandshakes(preset, head, SINK_METHODS).filter((handshake) => isHandshake(handshake, request));
}

function remove(request: HandshakeRequest, place: string): void {
  const [kind, name] = [place.slice(0, place.indexOf(':')), place.slice(place.indexOf(':') + 1)];
  if (kind === 'header') delete request.headers[name];
  else if (kind === 'query') delete request.query[name];
  else request.body = {};
}

function outcomeOf(handshake: Handshake, value: string) {
  const settings = Object.fromEntries([[handshake.compare?.setting ?? 'none', COMPARED]]);
  return answerHandshake(handshake, meetHandshake(handshake, value), { secrets: [SECRET, 'older'], settings });
}

function answerTo(handshake: Handshake, value: string): ReadyAnswer {
  const outcome = outcomeOf(handshake, value);
  if (outcome.kind === 'refused') throw new Error(outcome.reason);
  return outcome.answer;
}
