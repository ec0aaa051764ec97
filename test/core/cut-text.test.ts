// Texts are cut by bytes, and never through a character.

import { expect, test } from 'vitest';
import { cutText } from '../../src/core/values/cut-text.ts';

test.each([
  ['', 4, ''],
  ['abc', 4, 'abc'],
  ['abcd', 4, 'abcd'],
  ['abcde', 4, 'abcd'],
  ['ééé', 4, 'éé'],
  ['aéé', 4, 'aé'],
  ['€€', 4, '€'],
  ['a\u{1f4a9}b', 4, 'a'],
  ['\u{1f4a9}b', 4, '\u{1f4a9}'],
  ['\u{feff}a', 4, '\u{feff}a'],
  ['a\ud800b', 9, 'a\u{fffd}b'],
])('%j in %d bytes is %j', (text, maxBytes, cut) => {
  expect(cutText(text, maxBytes)).toBe(cut);
});
