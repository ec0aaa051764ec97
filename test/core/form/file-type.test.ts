// What a file is taken for whose sender did not say.

import { expect, test } from 'vitest';
import { guessFileType } from '../../../src/core/form/file-type.ts';

test.each<[string, string, string]>([
  ['image.jpeg', '\xff\xd8\xff\xdb', 'image/jpeg'],
  ['image', '\xff\xd8\xff\xdb', 'image/jpeg'],
  ['', '\x89PNG\r\n\x1a\n', 'image/png'],
  ['MASK.PNG', '\x89PNG\r\n\x1a\n\0\0\0\r', 'image/png'],
  ['a', 'GIF89a', 'image/gif'],
  ['a', 'RIFF\x24\0\0\0WEBPVP8 ', 'image/webp'],
  ['a', 'RIFF\x24\0\0\0WAVE', 'application/octet-stream'],
  ['a.pdf', '%PDF-1.7', 'application/pdf'],
  ['predictions.json', '{"a":1}', 'application/json'],
  ['notes.txt', '', 'text/plain'],
  ['image.jpeg', 'no picture', 'application/octet-stream'],
  ['mask.png', '\xff\xd8\xff\xdb', 'application/octet-stream'],
  ['data.json', '%PDF-1.7', 'application/octet-stream'],
  ['json', '{}', 'application/octet-stream'],
  ['a.constructor', '', 'application/octet-stream'],
])('%j that begins with %j is %s', (filename, beginning, type) => {
  expect(guessFileType(filename, Buffer.from(beginning, 'latin1'))).toBe(type);
});
