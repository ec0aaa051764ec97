// Where the definitions of this server come from, if from files: applied at the start, after a save and on demand. What
// is not valid changes nothing.

import type { Fault } from '../core/fault.ts';
import { AppError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import type { Catalog, CatalogSnapshot } from './catalog.ts';
import { type DefinitionFiles, readDefinitionFiles } from './definition-files.ts';
import type { DefinitionService } from './definition-service.ts';
import { watchDefinitionFiles } from './definition-watch.ts';
import type { Environment } from './yaml-value.ts';

export interface DefinitionSourceOptions {
  /** Definition file, or folder of them. */
  path: string;
  /** Whether somebody named the path: it has to be there then. */
  isNamed: boolean;
  environment: Environment;
  definitions: Pick<DefinitionService, 'apply'>;
  catalog: Pick<Catalog, 'current'>;
  logger: Logger;
}

export interface DefinitionSource {
  /** Reads the files anew; the log says what came of it. */
  reload(): Promise<void>;
  close(): void;
}

/** Rejects with every fault of the files, a line each. */
export async function startDefinitionSource(options: DefinitionSourceOptions): Promise<DefinitionSource> {
  const { path, catalog, logger } = options;
  let isInvalid = false;
  let lastReload = Promise.resolve();

  async function reload(): Promise<void> {
    try {
      const changes = await applyFiles(options);
      if (isInvalid) logger.info({ changes }, 'the definitions are valid again');
      else if (changes !== null && changes > 0) logger.info({ changes }, 'definitions reloaded');
      isInvalid = false;
    } catch (error) {
      isInvalid = true;
      const reason = (error as Error).message.replaceAll('\n', '; ');
      logger.error({ reason }, 'the definition files are not valid; the definitions stay as they were');
    }
  }

  /** In turn, so that what was read first is applied first. */
  const reloadInTurn = (): Promise<void> => {
    lastReload = lastReload.then(reload);
    return lastReload;
  };

  // Watched before they are read: a save while the server starts is not lost.
  const watch = await watchDefinitionFiles([path], reloadInTurn);
  try {
    const changes = await applyFiles(options);
    if (changes === null) tellOfEarlierFiles(catalog.current(), path, logger);
  } catch (error) {
    watch.close();
    throw error;
  }
  return { reload: reloadInTurn, close: () => watch.close() };
}

/** Resolves to the number of changes, or null where nobody named the path and there is no file. */
async function applyFiles({ path, isNamed, environment, definitions }: DefinitionSourceOptions): Promise<number | null> {
  const files = await readDefinitionFiles(path, environment);
  if (files.files.length === 0 && !isNamed) return null;
  if (files.faults.length > 0) throw new Error(files.faults.join('\n'));
  try {
    return (await definitions.apply(files.document)).length;
  } catch (error) {
    throw error instanceof AppError ? new Error(located(error, files), { cause: error }) : error;
  }
}

/** A line for each fault, with file and line. */
function located({ message, details }: AppError, files: DefinitionFiles): string {
  const faults = details['faults'] as Fault[] | undefined;
  return faults === undefined ? files.locate({ path: '', message }) : faults.map(files.locate).join('\n');
}

/** Files that are gone may have been lost: what they defined stays, and somebody should know of it. */
function tellOfEarlierFiles({ sinks }: CatalogSnapshot, path: string, logger: Logger): void {
  const names = sinks.filter(({ managedBy }) => managedBy === 'config').map(({ appId, method, path: at }) => `${appId} ${method} ${at}`);
  if (names.length > 0) logger.warn({ path, sinks: names }, 'there is no definition file; what earlier ones defined stays in force');
}
