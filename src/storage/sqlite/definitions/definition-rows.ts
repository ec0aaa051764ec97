// Apps, workflow versions and sinks as rows, and their conversion to records.

import type { ManagedBy, Sink } from '../../../core/sink/sink.ts';
import type { WorkflowRecord } from '../../definition-store.ts';
import { given, preset, type Row, table } from '../table.ts';

export const apps = table('apps').columns({
  no: preset<number>(),
  id: given<string>(),
  name: given<string | null>(),
  managed_by: given<ManagedBy>(),
  created_at: given<number>(),
});

export const workflows = table('workflows').columns({
  app_no: given<number>(),
  id: given<string>(),
  version: given<number>(),
  document: given<string>(),
  managed_by: given<ManagedBy>(),
  created_at: given<number>(),
  deleted_at: preset<number | null>(),
});

export const sinks = table('sinks').columns({
  no: preset<number>(),
  id: given<string>(),
  app_no: given<number>(),
  method: given<Sink['method']>(),
  path: given<string>(),
  pattern_key: given<string>(),
  workflow_id: given<string | null>(),
  settings: given<string>(),
  managed_by: given<ManagedBy>(),
  created_at: given<number>(),
  updated_at: given<number>(),
  deleted_at: preset<number | null>(),
});

export type SinkRow = Row<typeof sinks> & { app_id: string };
export type WorkflowRow = Omit<Row<typeof workflows>, 'app_no' | 'deleted_at'> & { app_id: string };

export function toSink(row: SinkRow): Sink {
  return {
    id: row.id,
    appId: row.app_id,
    method: row.method,
    path: row.path,
    workflowId: row.workflow_id,
    ...toSettings(row.settings),
    managedBy: row.managed_by,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}

type Settings = Pick<
  Sink,
  | 'auth'
  | 'workflows'
  | 'inputs'
  | 'response'
  | 'idempotencyKey'
  | 'idempotencyHours'
  | 'webhookOrigins'
  | 'split'
  | 'schedules'
  | 'flow'
  | 'allowFrom'
  | 'blockFrom'
  | 'rate'
  | 'publicUrl'
  | 'limits'
  | 'body'
  | 'payload'
  | 'cors'
  | 'schema'
  | 'spam'
>;

/** Older sinks were stored without some of the settings, and with tokens as hashes alone. */
interface StoredSettings
  extends Omit<Settings, 'auth' | 'body' | 'payload' | 'publicUrl'>,
    Partial<Pick<Settings, 'body' | 'payload' | 'publicUrl'>> {
  auth: Settings['auth'] | { type: 'bearer'; tokenHashes: string[] };
}

function toSettings(text: string): Settings {
  const settings = JSON.parse(text) as StoredSettings;
  const { auth } = settings;
  return {
    ...settings,
    auth: 'tokenHashes' in auth ? { type: 'bearer', tokens: auth.tokenHashes.map((hash) => ({ name: null, endsAt: null, hash })) } : auth,
    publicUrl: settings.publicUrl ?? null,
    body: settings.body ?? 'auto',
    payload: settings.payload ?? null,
  };
}

export function toWorkflow(row: WorkflowRow): WorkflowRecord {
  return {
    id: row.id,
    appId: row.app_id,
    version: row.version,
    document: row.document,
    managedBy: row.managed_by,
    createdAt: row.created_at,
  };
}
