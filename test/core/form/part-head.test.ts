// Heads of parts as all kinds of senders write them: what is understood, and what is refused because its part would be lost.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MalformedForm } from '../../../src/core/form/malformed-form.ts';
import { type PartHead, readPartHead, shownPart } from '../../../src/core/form/part-head.ts';
import { decodePartText, type PartText } from '../../../src/core/form/part-name.ts';

const read = (...lines: string[]): PartHead => readPartHead(Buffer.from(lines.join('\r\n')), 3);
const shown = (text: PartText | null, charset = 'utf-8'): string | null => (text === null ? null : decodePartText(text, charset));

function names(disposition: string): [string | null, string | null] {
  const { name, filename } = read(`Content-Disposition: ${disposition}`);
  return [shown(name), shown(filename)];
}

describe('a disposition', () => {
  test.each<[string, string, string | null, string | null]>([
    ['of a field', 'form-data; name="a"', 'a', null],
    ['of a file', 'form-data; name="a"; filename="b.txt"', 'a', 'b.txt'],
    ['in any case and order', 'Form-Data;FILENAME="b";Name="a"', 'a', 'b'],
    ['of an older sender', 'attachment; name="a"; filename="b"', 'a', 'b'],
    ['without a name', 'form-data', null, null],
    ['that is empty', '', null, null],
    ['without quotes', 'form-data; name=a b ; filename=my file.txt', 'a b', 'my file.txt'],
    ['with a semicolon at its end', 'form-data; name="a";', 'a', null],
    ['with semicolons in its quotes', 'form-data; name="a;b=c"; filename="d; e.txt"', 'a;b=c', 'd; e.txt'],
    ['with backslashes before quotes, as older curl', String.raw`form-data; name="a\"b"; filename="c\\d"`, 'a"b', String.raw`c\d`],
    ['with a path, as Windows', String.raw`form-data; name="a"; filename="C:\dir\new.txt"`, 'a', String.raw`C:\dir\new.txt`],
    ['with escapes, as browsers', 'form-data; name="a%22b%0D%0Ac"; filename="100%25.txt"', 'a"b\r\nc', '100%25.txt'],
    ['with brackets', 'form-data; name="a[b][]"', 'a[b][]', null],
    ['in UTF-8', 'form-data; name="naïve"; filename="été.pdf"', 'naïve', 'été.pdf'],
    ['with filename*, which counts', 'form-data; name=f; filename="=?utf-8?B?w6kucGRm?="; filename*=utf-8\'\'%C3%A9.pdf', 'f', 'é.pdf'],
    ['with filename* alone, of another set', "form-data; name=f; filename*=iso-8859-1'en'%E9.pdf", 'f', 'é.pdf'],
    ['with filename* first', "form-data; filename*=UTF-8''na%C3%AFve%20%22q%22.txt; filename=x; name=f", 'f', 'naïve "q".txt'],
    ['with a filename* that is broken beside one that is not', "form-data; name=f; filename=b.txt; filename*=utf-8''%E9", 'f', 'b.txt'],
    ['with encoded words, as .NET', 'form-data; name="=?utf-8?B?bmHDr3Zl?="; filename="=?UTF-8?Q?=C3=A9_1.pdf?="', 'naïve', 'é 1.pdf'],
    ['with what only begins as an encoded word', 'form-data; name="=?utf-8?B"; filename="=?x?="', '=?utf-8?B', '=?x?='],
  ])('%s', (_title, disposition, name, filename) => {
    expect(names(disposition)).toEqual([name, filename]);
  });

  test('over several lines, as mail programs write it', () => {
    expect(shown(read('Content-Disposition: form-data;', '\tname="a";', ' filename="b"').filename)).toBe('b');
  });

  test('in the character set of the form, unless it is UTF-8', () => {
    const { name, filename } = readPartHead(Buffer.from('Content-Disposition: form-data; name="caf\xe9"; filename="b"', 'latin1'), 1);
    expect([shown(name, 'windows-1252'), shown(name), shown(filename)]).toEqual(['café', null, 'b']);
    expect(shown(read('Content-Disposition: form-data; name="café"').name, 'windows-1252')).toBe('café');
  });

  test.each([
    'form-data; name="a',
    'form-data; name="a"b',
    'form-data; name=a"b"',
    'form-data name="a"',
    'name="a"',
    '; name="a"',
    'form-data; name',
    'form-data; name="a"; name="b"',
    "form-data; name=f; filename*=utf-8''%E9",
    'form-data; name=f; filename*=é.pdf',
    'form-data; name=f; filename*0="long"; filename*1=".txt"',
    `form-data; name="${'x'.repeat(1025)}"`,
    'form-data; name="a\0"',
  ])('that is broken is refused with its part: %j', (disposition) => {
    expect(() => names(disposition)).toThrow(MalformedForm);
    expect(() => names(disposition)).toThrow(/^the multipart form is malformed: part 3 has /);
  });

  test('of any bytes is read or refused, and quickly', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary-ascii' }),
      fc.constantFrom('; ', 'name', '="', '"', '\\"', "*=utf-8''%", '=?utf-8?B?', '?='),
    );
    fc.assert(
      fc.property(fc.array(text, { maxLength: 12 }), (pieces) => {
        try {
          names(`form-data; ${pieces.join('')}`);
        } catch (error) {
          expect(error).toBeInstanceOf(MalformedForm);
        }
      }),
      { numRuns: 2000 },
    );
    const start = performance.now();
    for (const hostile of [
      `name=${' '.repeat(16_000)}"`,
      `name="${'\\'.repeat(16_000)}`,
      `${';'.repeat(16_000)}"`,
      `name="=?${'a?'.repeat(8000)}"`,
    ])
      expect(() => names(`form-data; ${hostile}`)).toThrow(MalformedForm);
    expect(performance.now() - start).toBeLessThan(1000);
  });
});

describe('a head', () => {
  test('says a type, a character set and an encoding, or nothing', () => {
    expect(read('content-type: Text/Plain; Charset="Windows-1252"', 'CONTENT-TRANSFER-ENCODING : Base64')).toMatchObject({
      contentType: { type: 'text/plain', charset: 'windows-1252' },
      transferEncoding: 'base64',
    });
    expect(read()).toEqual({ number: 3, name: null, filename: null, contentType: null, transferEncoding: null });
    expect(read('Content-Type:', 'X-Other: 1', 'X-Other: 2').contentType).toBeNull();
  });

  test.each([
    'Content-Disposition',
    'no header at all',
    ': empty',
    'Content Disposition: form-data',
    ' Content-Type: text/plain',
    'X: bare\nContent-Type: text/plain',
    'X: bare\rreturn',
    'X: \0',
    'Content-Type: image',
    'Content-Type: text/plain; charset',
    'Content-Type: text/plain\r\nContent-Type: image/png',
    'Content-Disposition: form-data\r\ncontent-disposition: attachment',
  ])('that is broken is refused with its part: %j', (line) => {
    expect(() => read(line)).toThrow(/^the multipart form is malformed: part 3 has /);
  });

  test('is shown by its name, or by its place', () => {
    expect(shownPart(read('Content-Disposition: form-data; name="a"'))).toBe('a');
    expect(shownPart(read('Content-Disposition: form-data; name=""'))).toBe('part 3');
    expect(shownPart(read())).toBe('part 3');
    expect(shownPart(read(`Content-Disposition: form-data; name="${'x'.repeat(1000)}"`))).toBe('x'.repeat(100));
  });
});
