// Keywords for lists.

import { canonicalText } from '../json-values.ts';
import { isCount, type Keyword } from '../keyword.ts';

function size(fits: (length: number, limit: number) => boolean, words: string): Keyword {
  return (value, site) => {
    if (!isCount(value)) return site.fault('must be a whole number from 0');
    return (given, evaluation) => {
      if (Array.isArray(given) && !fits(given.length, value))
        evaluation.fault(`must have ${words} ${value} items, and has ${given.length}`);
    };
  };
}

export const minItems = size((length, limit) => length >= limit, 'at least');
export const maxItems = size((length, limit) => length <= limit, 'at most');

export const prefixItems: Keyword = (value, site) => {
  if (!Array.isArray(value) || value.length === 0) return site.fault('must be a list of schemas');
  const nodes = value.map((schema, index) => site.inside(schema, index));
  return (given, evaluation) => {
    if (!Array.isArray(given)) return;
    for (const [index, node] of nodes.slice(0, given.length).entries()) evaluation.within(index, node, given[index]);
  };
};

export const items: Keyword = (value, site) => {
  if (Array.isArray(value)) return site.fault('must be one schema; "prefixItems" takes a list of them');
  const node = site.inside(value);
  const { prefixItems: prefix } = site.schema;
  const from = Array.isArray(prefix) ? prefix.length : 0;
  return (given, evaluation) => {
    if (!Array.isArray(given)) return;
    for (let index = from; index < given.length; index += 1) evaluation.within(index, node, given[index]);
  };
};

export const contains: Keyword = (value, site) => {
  const node = site.inside(value);
  const { minContains = 1, maxContains = Number.POSITIVE_INFINITY } = site.schema;
  if (!isCount(minContains) || (maxContains !== Number.POSITIVE_INFINITY && !isCount(maxContains)))
    return site.fault('stands beside "minContains" or "maxContains" that is no whole number from 0');
  return (given, evaluation) => {
    if (!Array.isArray(given)) return;
    const found = given.filter((item, index) => evaluation.attemptWithin(index, node, item).count === 0).length;
    if (found < minContains) evaluation.fault(`must have at least ${minContains} items that fit "contains", and has ${found}`);
    if (found > (maxContains as number))
      evaluation.fault(`must have at most ${maxContains as number} items that fit "contains", and has ${found}`);
  };
};

export const uniqueItems: Keyword = (value, site) => {
  if (typeof value !== 'boolean') return site.fault('must be true or false');
  if (!value) return null;
  return (given, evaluation) => {
    if (!Array.isArray(given)) return;
    const places = new Map<string, number>();
    for (const [index, item] of given.entries()) {
      const text = canonicalText(item, evaluation);
      const earlier = places.get(text);
      if (earlier !== undefined) return evaluation.fault(`must have different items; items ${earlier} and ${index} are equal`);
      places.set(text, index);
    }
  };
};
