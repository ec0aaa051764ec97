// roboflow_core/local_file_sink@v1: writes text to files, one per run, or to a log that many runs append to.

import { isSelector } from '../../core/workflow/selector.ts';
import { withOperations } from '../shared/operations-outcome.ts';
import { integerOrSelector, selector, text } from '../shared/property-schemas.ts';
import { readInteger, readText, SettingFault } from '../shared/setting-values.ts';
import type { EffectResult, StepContext, StepOutcome, StepType } from '../step-type.ts';
import { type FileType, logEntry, withNewline } from './parts/file-content.ts';
import { filePath, pathFault } from './parts/file-path.ts';

interface LocalFileSinkManifest {
  content: unknown;
  file_type?: FileType;
  output_mode: 'append_log' | 'separate_files';
  target_directory: unknown;
  file_name_prefix?: unknown;
  max_entries_per_file?: unknown;
}

const DEFAULT_PREFIX = 'workflow_output';
const DEFAULT_MAX_ENTRIES = 1024;

/** The file that the last run appended to. */
interface Log {
  path: string;
  entries: number;
}

export const localFileSink: StepType<LocalFileSinkManifest> = {
  type: 'roboflow_core/local_file_sink@v1',
  summary: 'Writes text to files below the directory that the operator configured for steps.',
  properties: {
    content: selector('the text to write'),
    file_type: {
      enum: ['csv', 'json', 'txt'],
      default: 'csv',
      description: 'how a log joins its entries: `csv` under one header, `json` one document per line, `txt` unchanged',
    },
    output_mode: {
      enum: ['append_log', 'separate_files'],
      description: '`append_log` appends to one file, `separate_files` writes a new file each time',
    },
    target_directory: text("a path below the operator's directory, or a selector of it"),
    file_name_prefix: text('the start of each file name, before the time', DEFAULT_PREFIX),
    max_entries_per_file: integerOrSelector('the number of entries after which a log continues in a new file', {
      default: DEFAULT_MAX_ENTRIES,
      minimum: 1,
    }),
  },
  required: ['content', 'output_mode', 'target_directory'],
  ignoresUnknown: true,
  findFaults: (manifest) =>
    PATHS.flatMap((path) => {
      const value = manifest[path];
      const fault = typeof value === 'string' && !isSelector(value) ? pathFault(value) : null;
      return fault === null ? [] : [{ path, message: fault }];
    }),
  outputs: () => ['error_status', 'message'],
  memoryKey: (manifest, { step }) => {
    const { file_type: type = 'csv', target_directory: directory, file_name_prefix: prefix = DEFAULT_PREFIX } = manifest;
    if (manifest.output_mode !== 'append_log' || typeof directory !== 'string' || typeof prefix !== 'string') return null;
    return `local_file_sink:${step}:${JSON.stringify([directory, prefix, type])}`;
  },
  plan: (manifest, context) =>
    withOperations(() => {
      const content = readText('content', manifest.content);
      if (manifest.output_mode === 'separate_files') {
        return { kind: 'write', path: newPath(manifest, context), content: withNewline(content), mode: 'create' };
      }
      const { path, entries } = logOf(manifest, context);
      const entry = logEntry(content, manifest.file_type ?? 'csv', entries === 0);
      if (entry === null) return failedWrite('Invalid JSON content');
      return { kind: 'write', path, content: entry, mode: entries === 0 ? 'create' : 'append' };
    }),
  interpret: (manifest, result, context) => {
    const isWritten = result.kind === 'written';
    if (manifest.output_mode === 'separate_files') return isWritten ? SAVED : failedWrite(errorOf(result));
    const { path, entries } = logOf(manifest, context);
    if (isWritten) return { ...SAVED, remember: { path, entries: entries + 1 } satisfies Log };
    if (entries === 0) return failedWrite('Could not create new sink file');
    // The next run begins a new file, because this one may be gone.
    return { ...failedWrite('Could not append content to append log'), remember: null };
  },
};

const PATHS = ['target_directory', 'file_name_prefix'] as const;

/** The log to append to; a new one has no entries. */
function logOf(manifest: LocalFileSinkManifest, context: StepContext): Log {
  const maxEntries = readInteger('max_entries_per_file', manifest.max_entries_per_file ?? DEFAULT_MAX_ENTRIES);
  if (maxEntries < 1) throw new SettingFault('`max_entries_per_file` cannot be lower than 1.');
  const log = context.memory as Log | null;
  return log !== null && log.entries < maxEntries ? log : { path: newPath(manifest, context), entries: 0 };
}

function newPath(manifest: LocalFileSinkManifest, context: StepContext): string {
  const directory = readPath('target_directory', manifest.target_directory);
  const prefix = readPath('file_name_prefix', manifest.file_name_prefix ?? DEFAULT_PREFIX);
  const { file_type: type = 'csv', output_mode: mode } = manifest;
  return filePath(directory, prefix, type === 'json' && mode === 'append_log' ? 'jsonl' : type, context);
}

function readPath(name: string, value: unknown): string {
  const path = readText(name, value);
  const fault = pathFault(path);
  if (fault !== null) throw new SettingFault(`${name} ${fault}`);
  return path;
}

type CompletedOutcome = Extract<StepOutcome, { kind: 'completed' }>;

const SAVED: CompletedOutcome = { kind: 'completed', outputs: { error_status: false, message: 'Data saved successfully' } };

function failedWrite(fault: string): CompletedOutcome {
  return { kind: 'completed', outputs: { error_status: true, message: fault } };
}

function errorOf(result: EffectResult): string {
  return result.kind === 'not_written' ? result.error : 'the file was not written';
}
