// Keywords that combine schemas of the same value, and `$ref`.

import { cutText } from '../../values/cut-text.ts';
import type { Evaluation, Report, SchemaNode } from '../evaluation.ts';
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
    const failed: Report[] = [];
    for (const node of nodes) {
      const report = evaluation.attempt(node, given);
      if (report.count === 0) return;
      failed.push(report);
    }
    faultNone(evaluation, failed, site.schema);
  };
};

export const oneOf: Keyword = (value, site) => {
  const nodes = compileList(value, site);
  if (nodes === null) return null;
  return (given, evaluation) => {
    const reports = nodes.map((node) => evaluation.attempt(node, given));
    const fitting = reports.flatMap(({ count }, index) => (count === 0 ? [index + 1] : []));
    if (fitting.length === 0) faultNone(evaluation, reports, site.schema);
    else if (fitting.length > 1) evaluation.fault(`must fit one alternative only, and fits number ${cutText(fitting.join(' and '), 64)}`);
  };
};

/** With the faults of the nearest alternative: that with the fewest. */
function faultNone(evaluation: Evaluation, reports: readonly Report[], { title, description }: Readonly<Record<string, unknown>>): void {
  const words = [title, description].find((text) => typeof text === 'string');
  if (words !== undefined) return evaluation.fault(`must be ${cutText(words as string, 256)}`);
  const fewest = Math.min(...reports.map(({ count }) => count));
  const nearest = reports.findIndex(({ count }) => count === fewest);
  const report = reports[nearest] as Report;
  if (reports.length > 1)
    evaluation.fault(`must fit one of ${reports.length} alternatives; the nearest is number ${nearest + 1}, with the faults that follow`);
  evaluation.include(report);
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
