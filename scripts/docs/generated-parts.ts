// The parts of the documents that are generated from the code. Two comments enclose each part; the text around it is
// written by hand.

import { comparatorsTable, ownOperationsTable, roboflowOperationsTable, unaryOperatorsTable } from './operations.ts';
import { genericSchemes, providersTable } from './providers.ts';
import { refusalReasonsTable } from './refusal-reasons.ts';
import { settingsTable } from './settings.ts';
import { sinkLimitsTable } from './sink-limits.ts';
import { retryTable, stepTypeSections } from './step-types.ts';

interface Part {
  document: string;
  name: string;
  render: () => string;
}

const parts: readonly Part[] = [
  { document: 'docs/configuration.md', name: 'settings', render: settingsTable },
  { document: 'docs/configuration.md', name: 'sink limits', render: sinkLimitsTable },
  { document: 'docs/operations-uql.md', name: 'operations', render: roboflowOperationsTable },
  { document: 'docs/operations-uql.md', name: 'own operations', render: ownOperationsTable },
  { document: 'docs/operations-uql.md', name: 'comparators', render: comparatorsTable },
  { document: 'docs/operations-uql.md', name: 'unary operators', render: unaryOperatorsTable },
  { document: 'docs/providers.md', name: 'generic schemes', render: genericSchemes },
  { document: 'docs/providers.md', name: 'providers', render: providersTable },
  { document: 'docs/step-types.md', name: 'retry', render: retryTable },
  { document: 'docs/step-types.md', name: 'step types', render: stepTypeSections },
  { document: 'docs/troubleshooting.md', name: 'refusal reasons', render: refusalReasonsTable },
];

export const documentsWithParts = [...new Set(parts.map(({ document }) => document))];

/** Returns the document with its parts generated again. Throws if the comments of a part are missing. */
export function fillParts(document: string, markdown: string): string {
  return parts
    .filter((part) => part.document === document)
    .reduce((text, { name, render }) => {
      const start = `<!-- ${name}: made by "npm run docs" -->\n`;
      const end = '\n<!-- end -->';
      const from = text.indexOf(start);
      const to = text.indexOf(end, from);
      if (from === -1 || to === -1) throw new Error(`${document} has no place for "${name}": write ${start}…${end}`);
      return `${text.slice(0, from + start.length)}\n${render()}\n${text.slice(to)}`;
    }, markdown);
}
