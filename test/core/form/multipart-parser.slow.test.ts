// The parser of multipart forms: the same parts in whatever pieces a form comes, and of a form that was damaged either
// every byte or a refusal. What is right is told by a second reader that takes the whole form at once.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MalformedForm } from '../../../src/core/form/malformed-form.ts';
import { MultipartParser } from '../../../src/core/form/multipart-parser.ts';
import { decodePartText } from '../../../src/core/form/part-name.ts';
import { readWhole, type WholePart } from './whole-form.ts';

const BOUNDARY = 'b-7';

interface ReadPart {
  name: string | null;
  content: string;
}

/** A character for each byte; `cuts` are places at which the body is cut into pieces. */
function parse(body: string, cuts: readonly number[] = [], boundary = BOUNDARY): ReadPart[] {
  const parser = new MultipartParser(boundary);
  const bytes = Buffer.from(body, 'latin1');
  const parts: ReadPart[] = [];
  let isOpen = false;
  const take = (tokens: ReturnType<MultipartParser['push']>): void => {
    for (const token of tokens) {
      if (token.kind === 'part') {
        expect(isOpen).toBe(false);
        isOpen = true;
        parts.push({ name: token.head.name === null ? null : decodePartText(token.head.name, 'utf-8'), content: '' });
      } else if (token.kind === 'content') {
        expect(isOpen).toBe(true);
        expect(token.bytes.length).toBeGreaterThan(0);
        (parts.at(-1) as ReadPart).content += Buffer.from(token.bytes).toString('latin1');
      } else isOpen = false;
    }
  };
  let start = 0;
  for (const end of [...cuts, bytes.length]) {
    // A copy, so that nothing may lean on what lies around a piece.
    take(parser.push(Uint8Array.from(bytes.subarray(start, end))));
    start = end;
  }
  take(parser.end());
  expect(isOpen).toBe(false);
  return parts;
}

/** The parts, or the refusal's text. */
function parseOrRefuse(body: string, cuts: readonly number[] = []): ReadPart[] | string {
  try {
    return parse(body, cuts);
  } catch (error) {
    if (!(error instanceof MalformedForm)) throw error;
    return error.message;
  }
}

const part = (name: string, content: string): string =>
  `--${BOUNDARY}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${content}\r\n`;
const form = (...parts: string[]): string => `${parts.join('')}--${BOUNDARY}--\r\n`;
const contentsOf = (parts: ReadPart[] | WholePart[]): string[] => parts.map(({ content }) => content);

/** What may be taken for a boundary line, among other things. */
const PIECES = [
  '\r',
  '\n',
  '\r\n',
  '-',
  '--',
  `--${BOUNDARY}`,
  `\r\n--${BOUNDARY}`,
  `\r\n--${BOUNDARY}-`,
  `\r\n--${BOUNDARY}--`,
  'x',
  ' ',
  '\t',
  '\0',
  'é',
  ':',
  '\r\n\r\n',
];
const piece = fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...PIECES) }, { weight: 1, arbitrary: fc.string({ unit: 'binary-ascii' }) });
const content = fc
  .array(piece, { maxLength: 8 })
  .map((pieces) => pieces.join(''))
  .filter((text) => !new RegExp(`\\n--${BOUNDARY}(--)?[ \\t]*\\r?\\n`).test(`\r\n${text}\r\n`));
const wellFormed = fc.array(content, { maxLength: 4 }).map((contents) => ({
  contents,
  body: form(...contents.map((text, index) => part(`f${index}`, text))),
}));

describe('a well-formed form', () => {
  test('gives the same parts wherever it is cut', () => {
    const contents = ['one', '', `x\r\n--${BOUNDARY}\rnot yet`, `\r\n--${BOUNDARY}-`, `--${BOUNDARY}x\r\n`, '\r', '\n', '\r\n\r\n', 'é\0'];
    const body = form(...contents.map((text, index) => part(`f${index}`, text)));
    const expected = contents.map((text, index) => ({ name: `f${index}`, content: text }));
    for (let cut = 0; cut <= body.length; cut += 1) expect(parse(body, [cut]), `cut at ${cut}`).toEqual(expected);
    expect(
      parse(
        body,
        Array.from({ length: body.length }, (_, index) => index),
      ),
    ).toEqual(expected);
  });

  test('gives every byte of every part, in any pieces', () => {
    fc.assert(
      fc.property(wellFormed, fc.array(fc.nat(400), { maxLength: 12 }), ({ body, contents }, at) => {
        const cuts = at.filter((cut) => cut <= body.length).toSorted((a, b) => a - b);
        expect(contentsOf(parse(body, cuts))).toEqual(contents);
        expect(contentsOf(readWhole(body, BOUNDARY) as WholePart[])).toEqual(contents);
      }),
      { numRuns: 500 },
    );
  });

  test.each<[string, string, string[]]>([
    ['without CR LF behind its last line', form(part('a', '1')).slice(0, -2), ['1']],
    ['with blanks behind its boundaries', form(part('a', '1')).replaceAll(BOUNDARY, `${BOUNDARY} \t`).replace(' \t--', '-- \t'), ['1']],
    ['with a line before it and one behind it', `\r\nThis is a form.\r\n${form(part('a', '1'))}That was it.\r\n`, ['1']],
    ['without a part', form(), []],
    ['with a part that has neither head nor content', `--${BOUNDARY}\r\n\r\n--${BOUNDARY}--`, ['']],
    ['with a part whose empty line is its content too', `--${BOUNDARY}\r\nX: y\r\n\r\n--${BOUNDARY}--`, ['']],
  ])('may be one %s', (_title, body, expected) => {
    expect(contentsOf(parse(body))).toEqual(expected);
    for (let cut = 0; cut <= body.length; cut += 1) expect(contentsOf(parse(body, [cut])), `cut at ${cut}`).toEqual(expected);
  });

  test('may have any boundary that a header can carry', () => {
    for (const boundary of ["'()+_,-./:=?", 'a b', '----=_Part_1_2.3', '-'.repeat(70), 'x'.repeat(200)])
      expect(parse(form(part('a', '1')).replaceAll(BOUNDARY, boundary), [], boundary)).toEqual([{ name: 'a', content: '1' }]);
  });
});

describe('a damaged form', () => {
  test('that ends anywhere is refused', () => {
    const body = form(part('a', 'one'), part('b', 'two'));
    for (let length = 0; length < body.length - 2; length += 1) {
      const refusal = parseOrRefuse(body.slice(0, length));
      expect(refusal, `${length}`).toEqual(expect.stringMatching(/does not begin with its boundary line|ends in the/));
      expect(parseOrRefuse(body.slice(0, length), [Math.floor(length / 2)])).toBe(refusal);
    }
  });

  /** Takes out, puts in, doubles or changes something of the form. */
  const damage = fc.record({ at: fc.nat(), length: fc.nat(12), text: fc.oneof(fc.constant(''), piece) });

  test('gives every byte or a refusal, and the same one in any pieces', () => {
    let kept = 0;
    let refused = 0;
    fc.assert(
      fc.property(wellFormed, fc.array(damage, { minLength: 1, maxLength: 3 }), fc.nat(400), ({ body }, damages, cut) => {
        let damaged = body;
        for (const { at, length, text } of damages) {
          const start = at % damaged.length;
          damaged = damaged.slice(0, start) + text + damaged.slice(start + length);
          if (damaged === '') damaged = '-';
        }
        const read = parseOrRefuse(damaged);
        const pieces = parseOrRefuse(damaged, [Math.min(cut, damaged.length)]);
        expect(typeof read === 'string' ? 'refused' : read).toEqual(typeof pieces === 'string' ? 'refused' : pieces);
        if (typeof read === 'string') {
          refused += 1;
          return;
        }
        kept += 1;
        const whole = readWhole(damaged, BOUNDARY);
        expect(whole).not.toBeNull();
        expect(contentsOf(read)).toEqual(contentsOf(whole as WholePart[]));
      }),
      { numRuns: 2000 },
    );
    // Neither side of the property is empty.
    expect(Math.min(kept, refused)).toBeGreaterThan(200);
  });

  test.each<[string, string, string]>([
    [
      'a boundary line that is damaged',
      form(part('a', '1'), part('b', '2')).replace('--b', '--c'),
      'before its first boundary line looks like a part: "--c-7',
    ],
    ['a last line before its parts', form() + form(part('a', '1')), 'behind its last boundary line looks like a part: "--b-7'],
    ['bytes before it that are no text', `\0\0${'\r\n'}${form()}`, 'before its first boundary line looks like a part'],
    ['another boundary', form(part('a', 'x'.repeat(2000))).replaceAll(BOUNDARY, 'other'), 'does not begin with its boundary line "--b-7"'],
    ['much behind it', form() + 'x'.repeat(2000), 'more than 1024 bytes follow its last boundary line'],
    ['lines that end with a line feed', form(part('a', '1')).replaceAll('\r\n', '\n'), 'lines of a form end with CR LF'],
    ['a boundary line behind a line feed', form(part('a', '1\n--b-7')), 'lines of a form end with CR LF'],
    ['a boundary line that a line feed ends', form(part('a', '1\r\n--b-7\n2')), 'lines of a form end with CR LF'],
    [
      'a head that ends with a line feed',
      form(part('a', '1'), part('b', '2')).replace('\r\n\r\n', '\n\n'),
      'part 1 has a line in its head that is not a header',
    ],
    ['a head without an end', `--${BOUNDARY}\r\n${'X: y\r\n'.repeat(4000)}`, 'the head of part 1 is larger than 16384 bytes'],
    ['a head of many lines', `--${BOUNDARY}\r\n${'X: y\r\n'.repeat(60)}\r\n`, 'part 1 has 60 header lines'],
    ['blanks without an end', `--${BOUNDARY}${' '.repeat(500)}`, 'more than 128 blanks follow the boundary'],
  ])('says what is wrong: %s', (_title, body, expected) => {
    expect(parseOrRefuse(body)).toEqual(expect.stringContaining(expected));
    expect(parseOrRefuse(body)).toMatch(/^the multipart form is malformed: /);
    for (let cut = 0; cut <= Math.min(body.length, 200); cut += 1) expect(typeof parseOrRefuse(body, [cut])).toBe('string');
  });
});
