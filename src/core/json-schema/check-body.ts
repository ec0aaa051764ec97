// Checks the body of a request against the schema of its sink.

import { AppError } from '../../errors.ts';
import { memoizeByIdentity } from '../values/memoize.ts';
import { compileSchema } from './compile-schema.ts';
import { Evaluation, WorkExceeded } from './evaluation.ts';
import { readFormTexts } from './form-texts.ts';

/** Visits of values by parts of the schema, for each byte of the body; a value takes at least two bytes. */
const WORK_PER_BYTE = 6;
const LEAST_WORK = 100_000;
/** Faults that the message itself says. */
const MAX_SAID = 5;

/** Compiled once for each version of a sink: its schema is the same object for every request. */
const compiled = memoizeByIdentity((schema: Readonly<Record<string, unknown>>) => compileSchema(schema, 'schema').root);

export interface CheckedBody {
  /** Decoded; null for none. */
  value: unknown;
  /** In bytes. */
  size: number;
  kind: string;
}

/** Throws `unprocessable` with the reason `schema_mismatch` and the faults. */
export function checkBody(schema: Readonly<Record<string, unknown>>, { value, size, kind }: CheckedBody): void {
  const evaluation = new Evaluation(Math.max(LEAST_WORK, size * WORK_PER_BYTE));
  const isWhole = visit(() => compiled(schema).visit(isForm(kind) ? readFormTexts(value, schema) : value, evaluation));
  const { faults, count } = evaluation.found();
  if (isWhole && count === 0) return;
  const said = faults.slice(0, MAX_SAID).map(({ path, message }) => (path === '' ? message : `${path}: ${message}`));
  if (count > said.length) said.push(`and ${count - said.length} more`);
  if (!isWhole) said.push(`the check ended early, because it took too much work for a body of ${size} bytes`);
  const details = { faults, ...(count > faults.length ? { more_faults: count - faults.length } : {}) };
  const what = kind === 'empty' ? 'is empty, and does not fit' : 'does not fit';
  throw new AppError('unprocessable', `the body ${what} the schema of this sink: ${said.join('; ')}`, {
    reason: 'schema_mismatch',
    details,
  });
}

/** False if the work ran out. */
function visit(check: () => void): boolean {
  try {
    check();
    return true;
  } catch (error) {
    if (error instanceof WorkExceeded) return false;
    throw error;
  }
}

function isForm(kind: string): boolean {
  return kind === 'form' || kind === 'nested-form' || kind === 'multipart';
}
