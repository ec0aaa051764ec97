// Keywords for objects.

import { cutText } from '../../values/cut-text.ts';
import { similarNames } from '../../values/similar-names.ts';
import { type Evaluation, type SchemaNode, textOf } from '../evaluation.ts';
import { isObject } from '../json-type.ts';
import { isCount, isTextList, type Keyword, type Site, schemasByName } from '../keyword.ts';
import type { LinearPattern } from '../linear-pattern.ts';

/** To list them is work too. */
function namesOf(given: object, evaluation: Evaluation): string[] {
  const names = Object.keys(given);
  evaluation.spend(names.length / 8);
  return names;
}

function size(fits: (count: number, limit: number) => boolean, words: string): Keyword {
  return (value, site) => {
    if (!isCount(value)) return site.fault('must be a whole number from 0');
    return (given, evaluation) => {
      if (!isObject(given)) return;
      const count = namesOf(given, evaluation).length;
      if (!fits(count, value)) evaluation.fault(`must have ${words} ${value} fields, and has ${count}`);
    };
  };
}

export const minProperties = size((count, limit) => count >= limit, 'at least');
export const maxProperties = size((count, limit) => count <= limit, 'at most');

export const required: Keyword = (value, site) => {
  if (!isTextList(value)) return site.fault('must be a list of names');
  return (given, evaluation) => {
    if (isObject(given)) faultMissing(given, value, evaluation, '');
  };
};

function faultMissing(given: object, names: readonly string[], evaluation: Evaluation, why: string): void {
  evaluation.spend(names.length);
  for (const name of names) if (!Object.hasOwn(given, name)) evaluation.fault(() => `field "${cutText(name, MAX_NAME)}" is missing${why}`);
}

export const dependentRequired: Keyword = (value, site) => {
  if (!isObject(value) || !Object.values(value).every(isTextList)) return site.fault('must hold a list of names for each name');
  const entries = Object.entries(value as Record<string, string[]>);
  return (given, evaluation) => {
    if (!isObject(given)) return;
    for (const [name, names] of entries)
      if (Object.hasOwn(given, name)) faultMissing(given, names, evaluation, `, which must come with "${cutText(name, MAX_NAME)}"`);
  };
};

export const dependentSchemas: Keyword = (value, site) => {
  const nodes = schemasByName(value, site, (schema, name) => site.inPlace(schema, name));
  if (nodes === null) return null;
  return (given, evaluation) => {
    if (!isObject(given)) return;
    for (const [name, node] of nodes) if (Object.hasOwn(given, name)) node.visit(given, evaluation);
  };
};

export const properties: Keyword = (value, site) => {
  const nodes = schemasByName(value, site, (schema, name) => site.inside(schema, name));
  if (nodes === null) return null;
  return (given, evaluation) => {
    if (!isObject(given)) return;
    evaluation.spend(nodes.size);
    for (const [name, node] of nodes) if (Object.hasOwn(given, name)) evaluation.within(name, node, given[name]);
  };
};

export const patternProperties: Keyword = (value, site) => {
  const nodes = schemasByName(value, site, (schema, name) => site.inside(schema, name));
  if (nodes === null) return null;
  const patterns = patternsOf(nodes.keys(), site);
  return (given, evaluation) => {
    if (!isObject(given)) return;
    for (const name of namesOf(given, evaluation))
      for (const [text, pattern] of patterns)
        if (pattern.test(name, evaluation)) evaluation.within(name, nodes.get(text) as SchemaNode, given[name]);
  };
};

function patternsOf(texts: Iterable<string>, site: Site): [string, LinearPattern][] {
  return [...texts].flatMap((text) => {
    const pattern = site.pattern(text, text);
    return pattern === null ? [] : [[text, pattern]];
  });
}

/** In bytes. */
const MAX_NAME = 64;
/** A name is compared with each of these. */
const MAX_COMPARED = 30;
const MAX_COMPARED_LENGTH = 40;

export const additionalProperties: Keyword = (value, site) => {
  const { properties: named, patternProperties: byPattern } = site.schema;
  const known = isObject(named) ? Object.keys(named) : [];
  const names = new Set(known);
  const patterns = isObject(byPattern) ? patternsOf(Object.keys(byPattern), site) : [];
  const node = site.inside(value);
  return (given, evaluation) => {
    if (!isObject(given)) return;
    for (const name of namesOf(given, evaluation)) {
      if (names.has(name) || patterns.some(([, pattern]) => pattern.test(name, evaluation))) continue;
      if (value !== false) evaluation.within(name, node, given[name]);
      else {
        evaluation.spend(1);
        evaluation.fault(() => `unknown field "${cutText(name, MAX_NAME)}"${meant(name, known)}`);
      }
    }
  };
};

function meant(name: string, known: readonly string[]): string {
  if (known.length === 0 || known.length > MAX_COMPARED || name.length > MAX_COMPARED_LENGTH) return '';
  const near = similarNames(name, known);
  return near.length === 0
    ? `; known are ${cutText(known.join(', '), 256)}`
    : `; did you mean ${near.map((text) => `"${text}"`).join(' or ')}?`;
}

export const propertyNames: Keyword = (value, site) => {
  const node = site.inside(value);
  return (given, evaluation) => {
    if (!isObject(given)) return;
    for (const name of namesOf(given, evaluation)) {
      const [fault] = evaluation.attempt(node, name).faults;
      if (fault !== undefined) evaluation.fault(() => `the name "${cutText(name, MAX_NAME)}" ${textOf(fault.message)}`);
    }
  };
};
