// Creates, renames and deletes apps for the API.

import { appIdFault } from '../core/app.ts';
import { type Fault, refuseFaults } from '../core/fault.ts';
import { createSchemaCheck, type JsonSchema } from '../core/schema.ts';
import type { AppRecord } from '../storage/definition-store.ts';
import type { Catalog } from './catalog.ts';
import type { DefinitionWriter } from './definition-writer.ts';
import { type Edit, type Preconditions, refuseIfManaged, refuseStale, withoutReadOnly } from './edit.ts';

export interface AppChanges {
  findApp(id: string): AppRecord | undefined;
  /** Creates or renames the app. Without a name in the document, the app keeps its name. */
  saveApp(id: string, document: unknown, edit: Edit<AppRecord>): Promise<AppRecord>;
  deleteApp(id: string, ifMatch?: string): Promise<void>;
}

export const appSchema: JsonSchema = {
  type: 'object',
  additionalProperties: false,
  properties: { name: { type: ['string', 'null'] } },
};

const checkApp = createSchemaCheck(appSchema);
const READ_ONLY = ['id', 'managed_by', 'created_at'];

export function createAppChanges({ serially, change }: DefinitionWriter, catalog: Catalog): AppChanges {
  function findApp(id: string): AppRecord | undefined {
    return catalog.current().apps.find((app) => app.id === id);
  }

  /** Throws when the API may not change the app. */
  function findOwnApp(id: string, preconditions: Preconditions): AppRecord | undefined {
    const existing = findApp(id);
    // Anyone may adopt an app of the demo, which then leaves it alone.
    if (existing?.managedBy !== 'demo') refuseIfManaged(`app "${id}"`, existing?.managedBy);
    refuseStale(`app "${id}"`, preconditions, existing);
    return existing;
  }

  return {
    findApp,
    saveApp: (id, document, { show, ...preconditions }) =>
      serially(async () => {
        const idFault = appIdFault(id);
        refuseFaults('the app', idFault === null ? [] : [{ path: 'app_id', message: idFault }]);
        const existing = findOwnApp(id, preconditions);
        const { name, faults } = readApp(document ?? {}, existing === undefined ? null : (show(existing) as Record<string, unknown>));
        refuseFaults('the app', faults);
        await change({ kind: 'put_app', app: { id, name: name === undefined ? (existing?.name ?? null) : name }, managedBy: 'api' });
        return findApp(id) as AppRecord;
      }),
    deleteApp: (id, ifMatch) =>
      serially(async () => {
        findOwnApp(id, { ifMatch });
        await change({ kind: 'delete_app', appId: id });
      }),
  };
}

function readApp(document: unknown, shown: Record<string, unknown> | null): { name?: string | null; faults: Fault[] } {
  if (typeof document !== 'object' || Array.isArray(document)) return { faults: checkApp(document) };
  const { fields, faults } = withoutReadOnly(document as Record<string, unknown>, shown, READ_ONLY);
  return { ...(fields as { name?: string | null }), faults: [...checkApp(fields), ...faults] };
}
