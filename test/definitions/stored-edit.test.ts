// An edit that is stored is acknowledged and in force, also if the disk is full a moment later or another server edits too.

import { expect, test } from 'vitest';
import { createCatalog } from '../../src/definitions/catalog.ts';
import { createDefinitionService } from '../../src/definitions/definition-service.ts';
import { AppError } from '../../src/errors.ts';
import { createSealer } from '../../src/sealer.ts';
import { builtinStepTypes } from '../../src/steps/builtin.ts';
import { createStepTypes } from '../../src/steps/registry.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { onTestEnd } from '../support/cleanup.ts';
import { openDatabase } from '../support/open-database.ts';
import { tempDir } from '../support/temp-dir.ts';

const document = { version: '1.0', inputs: [], steps: [], outputs: [] };

test('an edit is refused only if it is not stored, and what is stored is what triggers use', async () => {
  const { storage } = await openDatabase(tempDir());
  onTestEnd(() => storage.close());
  let isFull = false;
  // A read of the definitions is part of a commit group, which fails as a whole if the disk is full.
  const filling: Storage = {
    ...storage,
    async changeDefinitions(edit) {
      const changed = await storage.changeDefinitions(edit);
      isFull = true;
      return changed;
    },
    loadDefinitions: () =>
      isFull ? Promise.reject(new AppError('unavailable', 'the disk is full; nothing was stored')) : storage.loadDefinitions(),
  };
  const catalog = await createCatalog(filling);
  const stepTypes = createStepTypes(builtinStepTypes);
  const credentials = { sealer: createSealer('key'), hasBaseUrl: false };
  const definitions = createDefinitionService({ storage: filling, catalog, stepTypes, credentials, clock: Date.now });
  const isAcknowledged = await definitions.saveWorkflow('shop', 'flow', document, { ifMatch: undefined, show: (stored) => stored }).then(
    () => true,
    () => false,
  );
  const isStored = (await storage.findWorkflow('shop', 'flow', null)) !== null;
  const isInForce = catalog.current().workflows.some(({ id }) => id === 'flow');
  expect({ isAcknowledged, isInForce }).toEqual({ isAcknowledged: isStored, isInForce: isStored });
});

test('of two servers that edit one version, one wins', async () => {
  const { storage } = await openDatabase(tempDir());
  onTestEnd(() => storage.close());
  const show = (stored: object): object => stored;
  const server = async () => {
    const catalog = await createCatalog(storage);
    const stepTypes = createStepTypes(builtinStepTypes);
    const credentials = { sealer: createSealer('key'), hasBaseUrl: false };
    return createDefinitionService({ storage, catalog, stepTypes, credentials, clock: Date.now });
  };
  const [one, two] = [await server(), await server()];
  const save = (of: typeof one, version: string, preconditions: object) =>
    of.saveWorkflow('shop', 'flow', { ...document, version }, { ...preconditions, show }).then(
      (saved) => saved.version,
      (error: AppError) => error.code,
    );
  const created = await Promise.all([one, two].map((of, index) => save(of, `1.${index}`, { ifNoneMatch: '*' })));
  expect(created.sort()).toEqual([1, 'precondition_failed']);
  const edited = await Promise.all([one, two].map((of, index) => save(of, `1.${index + 2}`, { ifMatch: '"1"' })));
  expect(edited.sort()).toEqual([2, 'precondition_failed']);
});
