// Keywords that combine schemas of the same value, and `$ref`.

import { cutText } from '../../values/cut-text.ts';
import type { Evaluation, Report, SchemaNode } from '../evaluation.ts';
import { isOfType, typeOf } from '../json-type.ts';
import type { Keyword, Site } from '../keyword.ts';

function compileList(value: unknown, site: Site): SchemaNode[] | null {
  if (!Array.isArray(value) || value.length === 0) return site.fault('must be a list of schemas');
  return value.map((schema, index) => site.inPlace(schema, index));
}

export const allOf: Keyword = (value, site) => {
  const nodes = compileList(value, site);
  if (nodes === null) return null;
  return (given, evaluation) => {
    for (const node of nodes) node.visit(given, evaluation);
  };
};

export const anyOf: Keyword = (value, site) => {
  const nodes = compileList(value, site);
  if (nodes === null) return null;
  return (given, evaluation) => {
    const failed: Attempt[] = [];
    for (const [index, node] of nodes.entries()) {
      if (isOfOtherType(node, given)) continue;
      const report = evaluation.attempt(node, given);
      if (report.count === 0) return;
      failed.push({ number: index + 1, report });
    }
    faultNone(given, evaluation, failed, nodes, site.schema);
  };
};

export const oneOf: Keyword = (value, site) => {
  const nodes = compileList(value, site);
  if (nodes === null) return null;
  return (given, evaluation) => {
    const attempts: Attempt[] = [];
    for (const [index, node] of nodes.entries())
      if (!isOfOtherType(node, given)) attempts.push({ number: index + 1, report: evaluation.attempt(node, given) });
    const fitting = attempts.filter(({ report }) => report.count === 0).map(({ number }) => number);
    if (fitting.length === 0) faultNone(given, evaluation, attempts, nodes, site.schema);
    else if (fitting.length > 1) evaluation.fault(`must fit one alternative only, and fits number ${cutText(fitting.join(' and '), 64)}`);
  };
};

interface Attempt {
  /** From 1, among all alternatives. */
  number: number;
  report: Report;
}

/** Most alternatives differ in their types, which is cheap to see. */
function isOfOtherType({ types }: SchemaNode, value: unknown): boolean {
  return types !== null && !types.some((type) => isOfType(value, type));
}

/** With the faults of the nearest alternative of its type: that with the fewest. */
function faultNone(
  given: unknown,
  evaluation: Evaluation,
  attempts: readonly Attempt[],
  nodes: readonly SchemaNode[],
  { title, description }: Site['schema'],
): void {
  evaluation.spend(nodes.length);
  const words = [title, description].find((text) => typeof text === 'string');
  if (words !== undefined) return evaluation.fault(`must be ${cutText(words as string, 256)}`);
  const [first, ...others] = attempts;
  if (first === undefined) return evaluation.fault(() => `must be ${typesOf(nodes)}, and is ${typeOf(given)}`);
  const nearest = others.reduce((best, attempt) => (attempt.report.count < best.report.count ? attempt : best), first);
  if (others.length > 0)
    evaluation.fault(`must fit one of ${nodes.length} alternatives; the nearest is number ${nearest.number}, with the faults that follow`);
  evaluation.include(nearest.report);
}

function typesOf(nodes: readonly SchemaNode[]): string {
  return [...new Set(nodes.flatMap(({ types }) => types ?? []))].join(' or ');
}

export const not: Keyword = (value, site) => {
  const node = site.inPlace(value);
  return (given, evaluation) => {
    if (evaluation.attempt(node, given).count === 0) evaluation.fault('must not fit the schema of "not"');
  };
};

/** With `then` and `else` beside it. */
export const condition: Keyword = (value, site) => {
  const tested = site.inPlace(value);
  const { then, else: otherwise } = site.schema;
  const fits = then === undefined ? null : site.inPlace(then, '..', 'then');
  const fails = otherwise === undefined ? null : site.inPlace(otherwise, '..', 'else');
  return (given, evaluation) => {
    const chosen = evaluation.attempt(tested, given).count === 0 ? fits : fails;
    chosen?.visit(given, evaluation);
  };
};

export const reference: Keyword = (value, site) => {
  if (typeof value !== 'string' || !/^#(?:\/|$)/.test(value))
    return site.fault('must name a schema of the same document, such as "#/$defs/address"');
  const node = site.reference(value);
  return (given, evaluation) => node.visit(given, evaluation);
};

export const definitions: Keyword = (value, site) => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return site.fault('must be an object of schemas');
  for (const [name, schema] of Object.entries(value)) site.inside(schema, name);
  return null;
};
