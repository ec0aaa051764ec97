// A secret that a receiver sends back is found however it was escaped, cut or put in another case, and nothing else is.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createSecretHider } from '../../src/core/secrets/hide-echo.ts';
import { quotePlus } from '../../src/core/values/percent-encoding.ts';

const latin1 = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');
const html = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;').replaceAll("'", '&#039;');
const asciiJson = (text: string): string =>
  JSON.stringify(text).replace(/[^ -~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}`);
const slashed = (text: string): string => JSON.stringify(text).replaceAll('/', '\\/');

const WAYS: [name: string, (text: string) => string][] = [
  ['as it is', (text) => text],
  ['for a URL', encodeURIComponent],
  ['for a URL in lower case', (text) => encodeURIComponent(text).toLowerCase()],
  ['for a form', quotePlus],
  ['for JSON', (text) => JSON.stringify(text)],
  ['for JSON in ASCII', asciiJson],
  ['for JSON with slashes escaped', slashed],
  ['for JSON within JSON', (text) => JSON.stringify(JSON.stringify(text))],
  ['for ASCII JSON within JSON', (text) => JSON.stringify(asciiJson(text))],
  ['for JSON within a URL', (text) => encodeURIComponent(JSON.stringify(text))],
  ['for a URL within a URL', (text) => encodeURIComponent(encodeURIComponent(text))],
  ['for HTML', html],
  ['for JSON within HTML', (text) => html(JSON.stringify(text))],
];

describe('a secret is hidden', () => {
  test.each(WAYS)('written %s', (_name, write) => {
    const secret = `S3cret "q" \\ / & <b> 'x' größe € 😀 %41+100%`;
    const hide = createSecretHider([secret]);
    const expected = write('<<0mark0>>').replace('0mark0', '********');
    for (const text of [write(`<<${secret}>>`), latin1(write(`<<${secret}>>`))]) expect(hide(text)).toBe(expected);
  });

  test('in base64, as of a login, and in another case', () => {
    const hide = createSecretHider(['s3cret of größe']);
    expect(hide(`Basic ${Buffer.from('s3cret of größe').toString('base64')}`)).toBe('Basic ********');
    expect(hide('S3CRET OF GRößE, s3CRET+oF+gR%c3%B6%c3%9Fe')).toBe('********, ********');
  });

  test('whatever its characters, however it was written, and as often as it occurs', () => {
    // Quotes around the whole are taken for those of JSON below.
    const secret = fc.string({ unit: 'grapheme', minLength: 4, maxLength: 40 }).filter((text) => !/^"|"$/.test(text));
    fc.assert(
      fc.property(secret, fc.constantFrom(...WAYS), (text, [, write]) => {
        const written = latin1(write(text)).replace(/^"|"$/g, '');
        const hidden = createSecretHider([text])(`<< ${written} >> ${written}`);
        expect(hidden.match(/\*{8}/g)?.length ?? 0).toBeGreaterThanOrEqual(2);
      }),
      { numRuns: 300 },
    );
  });

  test('among others, the longest where two begin at one place', () => {
    const hide = createSecretHider(['token', 'token-and-more', 'other']);
    expect(hide('a token, token-and-more, another other')).toBe('a ********, ********, an******** ********');
  });

  test.each([
    ['its path and query', '/services/T0/B1?token=u&x=a%20b'],
    ['its path and query, decoded', '/services/T0/B1?token=u&x=a b'],
    ['its path', '/services/T0/B1'],
    ['its password', 'p@ss-word'],
    ['its credentials as a header', Buffer.from('user:p@ss-word').toString('base64')],
    ['the whole, as a client normalises it', 'http://user:p%40ss-word@host/services/T0/B1?token=u&x=a%20b'],
  ])('that is an address, when only %s is there', (_what, text) => {
    const hide = createSecretHider(['HTTP://user:p%40ss-word@HOST:80/services/T0/B1?token=u&x=a b']);
    expect(hide(`cannot POST ${text} here`)).toBe('cannot POST ******** here');
  });

  test('in half, where the text was cut off in the middle of it, and only there', () => {
    const hide = createSecretHider(['canary "quoted" secret']);
    expect(hide('so it is canary \\"quo', true)).toBe('so it is ********');
    expect(hide('so it is canary \\', true)).toBe('so it is ********');
    expect(hide('so it is canary \\"quo')).toBe('so it is canary \\"quo');
    expect(hide('so it is can', true)).toBe('so it is can');
    expect(hide('canary "quo of nothing', true)).toBe('canary "quo of nothing');
  });
});

describe('a text without one', () => {
  test('stays as it is, byte for byte', () => {
    const hide = createSecretHider(['s3cret-of-mine', 'https://host.example/hook/1']);
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, index) => index)).toString('latin1');
    for (const text of ['', bytes, 'my s3cret-of-min is', 'https://host.example/ is up', '%', '\\', '&#'])
      expect(hide(text, true)).toBe(text);
  });

  test('is not searched for what is too short to tell anything', () => {
    expect(createSecretHider(['', 'a', 'abc', 'http://h/'])('abc a /')).toBe('abc a /');
  });
});
