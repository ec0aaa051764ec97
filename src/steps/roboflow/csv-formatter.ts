// roboflow_core/csv_formatter@v1: writes values as CSV text of one row, with its time.

import { kindOf } from '../../core/python/kind.ts';
import { strOf } from '../../core/python/text.ts';
import { Timestamp } from '../../core/values/timestamp.ts';
import { withOperations } from '../shared/operations-outcome.ts';
import { literals, operationChains } from '../shared/property-schemas.ts';
import type { StepType } from '../step-type.ts';
import { chainFaults, type OperationsByName, transformValues, type Values } from './parts/named-operations.ts';

interface CsvFormatterManifest {
  columns_data: Values;
  columns_operations?: OperationsByName;
}

const RESERVED = 'timestamp';

export const csvFormatter: StepType<CsvFormatterManifest> = {
  type: 'roboflow_core/csv_formatter@v1',
  summary: 'Writes values as CSV text: a header and one row. The last column is the time.',
  properties: {
    columns_data: literals('the value of each column; "timestamp" is reserved for the time in UTC'),
    columns_operations: operationChains('operations on values before they are written, by column'),
  },
  required: ['columns_data'],
  ignoresUnknown: true,
  findFaults: ({ columns_data: columns, columns_operations: chains = {} }) => [
    ...(Object.hasOwn(columns, RESERVED) || Object.hasOwn(chains, RESERVED)
      ? [{ path: 'columns_data', message: 'Attempted to register column with reserved name `timestamp`.' }]
      : []),
    ...chainFaults('columns_operations', chains, columns),
  ],
  outputs: () => ['csv_content'],
  plan: ({ columns_data: columns, columns_operations: chains = {} }, context) =>
    withOperations(() => {
      const values = transformValues(columns, chains, context);
      const header = [...Object.keys(values), RESERVED];
      const row = [...Object.values(values).map(cellText), Timestamp.ofEpoch(context.wallNow).isoFormat()];
      return { kind: 'completed', outputs: { csv_content: `${csvLine(header)}${csvLine(row)}` } };
    }),
};

/** Null is an empty cell, as pandas writes it. */
function cellText(value: unknown): string {
  if (kindOf(value) === 'NoneType') return '';
  return typeof value === 'string' ? guarded(value) : strOf(value);
}

/** Escapes text that spreadsheets would run as a formula. */
function guarded(text: string): string {
  return /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
}

function csvLine(cells: readonly string[]): string {
  return `${cells.map((cell) => (/[,"\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell)).join(',')}\n`;
}
