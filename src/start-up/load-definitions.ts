// Loads the stored definitions, and keeps them equal to the definition files.

import { resolve } from 'node:path';
import type { Clock } from '../clock.ts';
import type { Config } from '../config/config.ts';
import { type Catalog, createCatalog } from '../definitions/catalog.ts';
import { createDefinitionService, type DefinitionService } from '../definitions/definition-service.ts';
import { type DefinitionSource, type DefinitionSourceOptions, startDefinitionSource } from '../definitions/files/definition-source.ts';
import { followDefinitions } from '../definitions/follow-definitions.ts';
import type { CredentialContext } from '../definitions/sinks/credential-faults.ts';
import type { Logger } from '../logger.ts';
import type { StepTypes } from '../steps/registry.ts';
import type { OpenedStorage } from '../storage/storage.ts';
import type { Cleanups } from './cleanups.ts';

export interface LoadedDefinitions {
  catalog: Catalog;
  definitions: DefinitionService;
}

export interface DefinitionOptions extends OpenedStorage {
  stepTypes: StepTypes;
  credentials: CredentialContext;
  wallClock: Clock;
  logger: Logger;
}

export async function loadDefinitions(
  { storage, node, stepTypes, credentials, wallClock, logger }: DefinitionOptions,
  cleanups: Cleanups,
): Promise<LoadedDefinitions> {
  const catalog = await createCatalog(storage);
  cleanups.add(followDefinitions({ storage, node, catalog, logger }));
  return { catalog, definitions: createDefinitionService({ storage, catalog, stepTypes, credentials, clock: wallClock }) };
}

export interface FileOptions extends Omit<DefinitionSourceOptions, 'path' | 'isNamed'> {
  config: Pick<Config, 'configPath' | 'isConfigNamed'>;
}

/** Rejects with every fault of the files, one per line. */
export async function followDefinitionFiles({ config, ...options }: FileOptions, cleanups: Cleanups): Promise<DefinitionSource> {
  const { demoPath, logger } = options;
  const source = await startDefinitionSource({ ...options, path: resolve(config.configPath), isNamed: config.isConfigNamed });
  cleanups.add(() => source.close());
  if (source.servesDemo) logger.warn({ path: demoPath }, 'the demo is served, and anyone may trigger it; "sluice serve" starts without it');
  return source;
}
