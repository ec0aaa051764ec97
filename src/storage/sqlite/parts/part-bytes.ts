// Reads the bytes of a run's body and outputs from SQLite, from any of them on.

import type { Database, Statement } from 'better-sqlite3';
import { parseRunId } from '../../../core/run/run-id.ts';
import type { RunPart } from '../../runs/part-store.ts';
import { FIRST_STEPS, member } from './first-steps.ts';

export class PartBytesReader {
  readonly #find: Record<Exclude<RunPart['kind'], 'body'>, Statement>;
  readonly #read: Record<RunPart['kind'], Statement>;

  constructor(database: Database) {
    const { body, output, outputs } = PARTS;
    this.#find = { output: prepareFind(database, output), outputs: prepareFind(database, outputs) };
    this.#read = { body: prepareRead(database, body), output: prepareRead(database, output), outputs: prepareRead(database, outputs) };
  }

  findOutput(runId: string, part: Exclude<RunPart, { kind: 'body' }>, text: string): { size: number; hasText: boolean } | null {
    const found = this.#find[part.kind].get({ ...placeOf(runId, part), text }) as { size: number | null; hasText: 0 | 1 } | undefined;
    return typeof found?.size === 'number' ? { size: found.size, hasText: found.hasText === 1 } : null;
  }

  readPart(runId: string, part: RunPart, from: number, length: number): Uint8Array | null {
    return (this.#read[part.kind].get({ ...placeOf(runId, part), from: from + 1, length }) as Uint8Array | null | undefined) ?? null;
  }
}

/** The parameters of the columns of PARTS. */
function placeOf(runId: string, part: RunPart): object {
  const { runNumber = null, nonce = null } = parseRunId(runId) ?? {};
  return { runNumber, nonce, ...(part.kind === 'outputs' ? { step: part.step, visit: part.visit } : {}) };
}

/** Of `runs`, as columns. A visit is either in `first_steps` or has a row. */
const PARTS: Record<RunPart['kind'], string> = {
  body: 'body',
  output: 'output',
  outputs: `coalesce(
    (SELECT outputs FROM step_records WHERE run_id = runs.id AND step = @step AND visit = @visit),
    (WITH RECURSIVE ${FIRST_STEPS} SELECT nullif(${member(6, '->')}, 'null') FROM n
     WHERE ${member(0, '->>')} = @step AND coalesce(${member(9, '->>')}, 1) = @visit))`,
};
const OF_RUN = 'FROM runs WHERE id = @runNumber AND nonce = @nonce';

function prepareFind(database: Database, part: string): Statement {
  return database.prepare(
    `WITH found AS MATERIALIZED (SELECT ${part} AS part ${OF_RUN})
     SELECT octet_length(part) AS size, instr(part, @text) > 0 AS hasText FROM found`,
  );
}

function prepareRead(database: Database, part: string): Statement {
  return database.prepare(`SELECT substr(CAST(${part} AS BLOB), @from, @length) ${OF_RUN}`).pluck();
}
