// Applies definition files at start, after a save and on demand. Invalid files change nothing.

import type { Fault } from '../../core/fault.ts';
import type { DefinitionOwner } from '../../core/sink/sink.ts';
import { AppError } from '../../errors.ts';
import type { Logger } from '../../logger.ts';
import type { Catalog, CatalogSnapshot } from '../catalog.ts';
import type { DefinitionService } from '../definition-service.ts';
import type { Environment } from '../yaml/yaml-value.ts';
import { type DefinitionFiles, readDefinitionFiles } from './definition-files.ts';
import { watchDefinitionFiles } from './definition-watch.ts';

export interface DefinitionSourceOptions {
  /** Definition file, or folder of them. */
  path: string;
  /** True when a setting names the path, which must then exist. */
  isNamed: boolean;
  /** File or folder of the demo, which is served only beside an unnamed path; null for none. */
  demoPath: string | null;
  environment: Environment;
  definitions: Pick<DefinitionService, 'apply'>;
  catalog: Pick<Catalog, 'current'>;
  logger: Logger;
}

export interface DefinitionSource {
  servesDemo: boolean;
  /** Reads and applies the files again, and logs the result. */
  reload(): Promise<void>;
  close(): void;
}

/** Rejects with every fault of the files, one per line. */
export async function startDefinitionSource(options: DefinitionSourceOptions): Promise<DefinitionSource> {
  const { path, demoPath, logger } = options;
  let isInvalid = false;
  let lastReload = Promise.resolve();

  async function reload(): Promise<void> {
    try {
      const changes = await applyAll(options);
      if (isInvalid) logger.info({ changes }, 'the definitions are valid again');
      else if (changes > 0) logger.info({ changes }, 'definitions reloaded');
      isInvalid = false;
    } catch (error) {
      isInvalid = true;
      const reason = (error as Error).message.replaceAll('\n', '; ');
      logger.error({ reason }, 'the definition files are not valid; the definitions stay as they were');
    }
  }

  /** Serial, so that files are applied in the order of reading. */
  const reloadSerially = (): Promise<void> => {
    lastReload = lastReload.then(reload);
    return lastReload;
  };

  // Watching begins before reading, so that a save during start is not lost.
  const watch = await watchDefinitionFiles(demoPath === null ? [path] : [path, demoPath], reloadSerially);
  try {
    await applyAll(options);
  } catch (error) {
    watch.close();
    throw error;
  }
  return { servesDemo: demoPath !== null && !options.isNamed, reload: reloadSerially, close: () => watch.close() };
}

/** Resolves to the number of changes. */
async function applyAll(options: DefinitionSourceOptions): Promise<number> {
  const { path, isNamed, demoPath, environment, definitions, catalog, logger } = options;
  const files = await readDefinitionFiles(path, environment);
  const isMissing = files.files.length === 0 && !isNamed;
  if (isMissing) warnOfMissingFiles(catalog.current(), path, logger);
  const changes = isMissing ? 0 : await applyFiles(definitions, files, 'config');
  const demo = demoPath === null || isNamed ? null : await readDefinitionFiles(demoPath, environment);
  if (demo !== null) return changes + (await applyFiles(definitions, demo, 'demo'));
  // Removes the demo that an earlier start may have served.
  return changes + (await definitions.apply({}, 'demo')).length;
}

async function applyFiles(
  definitions: DefinitionSourceOptions['definitions'],
  files: DefinitionFiles,
  owner: DefinitionOwner,
): Promise<number> {
  if (files.faults.length > 0) throw new Error(files.faults.join('\n'));
  try {
    return (await definitions.apply(files.document, owner)).length;
  } catch (error) {
    throw error instanceof AppError ? new Error(located(error, files), { cause: error }) : error;
  }
}

/** One line per fault, with file and line. */
function located({ message, details }: AppError, files: DefinitionFiles): string {
  const faults = details['faults'] as Fault[] | undefined;
  return faults === undefined ? files.locate({ path: '', message }) : faults.map(files.locate).join('\n');
}

/** Definition files may have been lost by mistake: their definitions stay, and the log warns of it. */
function warnOfMissingFiles({ sinks }: CatalogSnapshot, path: string, logger: Logger): void {
  const names = sinks.filter(({ managedBy }) => managedBy === 'config').map(({ appId, method, path: at }) => `${appId} ${method} ${at}`);
  if (names.length > 0) logger.warn({ path, sinks: names }, 'there is no definition file; what earlier ones defined stays in force');
}
