// Keywords for texts.

import { cutText } from '../../values/cut-text.ts';
import { isOfFormat } from '../formats.ts';
import { isCount, type Keyword } from '../keyword.ts';

function length(fits: (length: number, limit: number) => boolean, words: string): Keyword {
  return (value, site) => {
    if (!isCount(value)) return site.fault('must be a whole number from 0');
    return (given, evaluation) => {
      if (typeof given !== 'string') return;
      const characters = countCharacters(given);
      if (!fits(characters, value)) evaluation.fault(`must have ${words} ${value} characters, and has ${characters}`);
    };
  };
}

/** A character outside of the basic plane takes two places. */
function countCharacters(text: string): number {
  let count = text.length;
  for (let at = 0; at < text.length - 1; at += 1) {
    if ((text.charCodeAt(at) & 0xfc00) === 0xd800 && (text.charCodeAt(at + 1) & 0xfc00) === 0xdc00) count -= 1;
  }
  return count;
}

export const minLength = length((characters, limit) => characters >= limit, 'at least');
export const maxLength = length((characters, limit) => characters <= limit, 'at most');

export const pattern: Keyword = (value, site) => {
  if (typeof value !== 'string') return site.fault('must be a regular expression');
  const compiled = site.pattern(value);
  if (compiled === null) return null;
  const message = `must match ${cutText(value, 256)}`;
  return (given, evaluation) => {
    if (typeof given === 'string' && !compiled.test(given, evaluation)) evaluation.fault(message);
  };
};

export const format: Keyword = (value, site) => {
  if (typeof value !== 'string') return site.fault('must be the name of a format');
  return (given, evaluation) => {
    if (typeof given === 'string' && !isOfFormat(given, value)) evaluation.fault(`must be of the format "${value}"`);
  };
};
