// Exports deliveries as a file: JSON lines, or CSV (RFC 4180) that spreadsheets do not read as formulas.

import { stringifyJson } from '../../core/json/json.ts';
import type { PresentedDelivery } from './present-delivery.ts';

export interface ExportFormat {
  contentType: string;
  fileName: string;
  /** Written before the first delivery. */
  head: string;
  line: (delivery: PresentedDelivery) => string;
}

const COLUMNS: readonly (readonly [name: string, cell: (delivery: PresentedDelivery) => string | number | null])[] = [
  ['delivery_id', ({ delivery_id }) => delivery_id],
  ['status', ({ status }) => status],
  ['app_id', ({ app_id }) => app_id],
  ['sink_id', ({ sink_id }) => sink_id],
  ['run_id', ({ run_id }) => run_id],
  ['step', ({ step }) => step],
  ['transport', ({ transport }) => transport],
  ['method', ({ method }) => method],
  ['url', ({ url }) => url],
  ['to', ({ to }) => to?.join(', ') ?? null],
  ['attempt_count', ({ attempt_count }) => attempt_count],
  ['max_attempts', ({ max_attempts }) => max_attempts],
  ['last_result', ({ last_result }) => last_result?.kind ?? null],
  ['last_status', ({ last_result }) => last_result?.status ?? null],
  ['last_error', ({ last_result }) => last_result?.error ?? null],
  ['next_attempt_at', ({ next_attempt_at }) => next_attempt_at],
  ['created_at', ({ created_at }) => created_at],
  ['finished_at', ({ finished_at }) => finished_at],
  ['dropped_reason', ({ dropped_reason }) => dropped_reason],
];

export const EXPORT_FORMATS: Readonly<Record<'ndjson' | 'csv', ExportFormat>> = {
  ndjson: {
    contentType: 'application/x-ndjson',
    fileName: 'deliveries.ndjson',
    head: '',
    line: (delivery) => `${stringifyJson(delivery)}\n`,
  },
  csv: {
    contentType: 'text/csv; charset=utf-8; header=present',
    fileName: 'deliveries.csv',
    head: record(COLUMNS.map(([name]) => name)),
    line: (delivery) => record(COLUMNS.map(([, cell]) => cell(delivery))),
  },
};

function record(cells: readonly (string | number | null)[]): string {
  return `${cells.map(cellText).join(',')}\r\n`;
}

/** A leading apostrophe keeps spreadsheets from evaluating a cell. */
function cellText(cell: string | number | null): string {
  if (typeof cell !== 'string') return cell === null ? '' : String(cell);
  const guarded = /^[=+\-@\t\r\n]/.test(cell) ? `'${cell}` : cell;
  return /[",\r\n]/.test(guarded) ? `"${guarded.replaceAll('"', '""')}"` : guarded;
}
