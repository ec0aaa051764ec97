// Samples in SQLite. A sample is a row beside its run.

import type { Database } from 'better-sqlite3';
import { parseJson } from '../../../core/json/json.ts';
import type { RequestHead } from '../../../core/run/request.ts';
import { parseRunId } from '../../../core/run/run-id.ts';
import { MAX_SAMPLE_BYTES, MAX_SAMPLES_BYTES, MAX_SAMPLES_OF_SINK } from '../../../core/run/sample-limits.ts';
import type { NewSample, Sample, SaveSampleResult } from '../../samples/sample-store.ts';
import type { Stamp } from '../stamp.ts';
import { given, type Row, table } from '../table.ts';
import { toRunId } from './run-rows.ts';

export const samples = table('samples').columns({
  run_id: given<number>(),
  sink_no: given<number>(),
  name: given<string | null>(),
  bytes: given<number>(),
  saved_at: given<number>(),
});

type SampleRow = Row<typeof samples> & { nonce: string; sink_id: string };
interface RequestRow {
  sink_no: number;
  request: string;
  body_bytes: number;
}

const SELECT = `SELECT samples.*, runs.nonce, sinks.id AS sink_id FROM samples
  JOIN runs ON runs.id = samples.run_id JOIN sinks ON sinks.no = samples.sink_no`;

export function createSampleOperations(database: Database) {
  const selectRequest = database.prepare(
    `SELECT sink_no, request, octet_length(body) AS body_bytes FROM runs
     WHERE runs.id = ? AND nonce = ? AND sink_no = (SELECT no FROM sinks WHERE id = ? AND deleted_at IS NULL)`,
  );
  const selectOne = database.prepare(`${SELECT} WHERE samples.run_id = ?`);
  const countOfSink = database.prepare('SELECT count(*) FROM samples WHERE sink_no = ?').pluck();
  const sumOfAll = database.prepare('SELECT total(bytes) FROM samples').pluck();
  const insert = samples.insert(database);
  const rename = database.prepare('UPDATE samples SET name = ? WHERE run_id = ?');
  const remove = database.prepare(
    `DELETE FROM samples WHERE run_id = ? AND sink_no = (SELECT no FROM sinks WHERE id = ?)
       AND EXISTS (SELECT 1 FROM runs WHERE id = run_id AND nonce = ?)`,
  );
  const find = (runNumber: number): Sample | null => {
    const row = selectOne.get(runNumber) as SampleRow | undefined;
    return row === undefined ? null : toSample(row);
  };
  return {
    saveSample({ now }: Stamp, sinkId: string, { runId, name }: NewSample): SaveSampleResult {
      const key = parseRunId(runId);
      const run = key && (selectRequest.get(key.runNumber, key.nonce, sinkId) as RequestRow | undefined);
      if (!run) return { kind: 'no_run' };
      if (find(key.runNumber) === null) {
        const { sink_no } = run;
        const bytes = bytesOf(run);
        if (bytes > MAX_SAMPLE_BYTES) return { kind: 'too_large' };
        if ((countOfSink.get(sink_no) as number) >= MAX_SAMPLES_OF_SINK) return { kind: 'too_many' };
        if ((sumOfAll.get() as number) + bytes > MAX_SAMPLES_BYTES) return { kind: 'full' };
        insert({ run_id: key.runNumber, sink_no, name, bytes, saved_at: now });
      } else rename.run(name, key.runNumber);
      return { kind: 'saved', sample: find(key.runNumber) as Sample };
    },
    deleteSample(sinkId: string, runId: string): boolean {
      const key = parseRunId(runId);
      return key !== null && remove.run(key.runNumber, sinkId, key.nonce).changes > 0;
    },
  };
}

export function createSampleQueries(database: Database) {
  const selectOfSink = database.prepare(
    `${SELECT} WHERE samples.sink_no = (SELECT no FROM sinks WHERE id = ?) ORDER BY samples.run_id DESC`,
  );
  return { listSamples: (sinkId: string): Sample[] => (selectOfSink.all(sinkId) as SampleRow[]).map(toSample) };
}

function bytesOf({ request, body_bytes: bodyBytes }: RequestRow): number {
  const { files = [] } = parseJson(request) as Partial<RequestHead>;
  return files.reduce((bytes, { size }) => bytes + size, Buffer.byteLength(request) + bodyBytes);
}

function toSample({ run_id, nonce, sink_id: sinkId, name, bytes, saved_at: savedAt }: SampleRow): Sample {
  return { runId: toRunId({ run_number: run_id, nonce }), sinkId, name, bytes, savedAt };
}
