// local_file_sink: names and contents of files, logs across runs, and paths outside the directory.

import { describe, expect, test } from 'vitest';
import { formatRunId, runNumberAt } from '../../../src/core/run/run-id.ts';
import { localFileSink } from '../../../src/steps/roboflow/local-file-sink.ts';
import type { EffectResult, StepContext, StepPlan } from '../../../src/steps/step-type.ts';
import { faultsOf, NOW, planOfKind, stepContext } from './step-context.ts';

type Manifest = Parameters<typeof localFileSink.plan>[0];

const separate = { content: 'hello', output_mode: 'separate_files', target_directory: 'some/location', file_type: 'txt' } as const;
const log = { ...separate, output_mode: 'append_log' } as const;

/** The context of the run with this offset from the first run of its millisecond. */
function context(given: Partial<StepContext> = {}, place = 0): StepContext {
  return stepContext({ runId: formatRunId(runNumberAt(NOW) + place, new Uint8Array(20)), ...given });
}

function plan(manifest: Manifest, given: Partial<StepContext> = {}): StepPlan {
  return localFileSink.plan(manifest, context(given));
}

function outcomeOf(isError: boolean, message: string): object {
  return { kind: 'completed', outputs: { error_status: isError, message } };
}

const written: EffectResult = { kind: 'written' };
const notWritten: EffectResult = { kind: 'not_written', error: '"x" cannot be written (ENOSPC)' };

describe('separate files', () => {
  test('a file is named by its prefix and the time of the run', () => {
    expect(plan(separate)).toEqual({
      kind: 'write',
      path: expect.stringMatching(/^some\/location\/workflow_output_2026_08_21_10_30_00_250\d{3}\.txt$/),
      content: 'hello\n',
      mode: 'create',
    });
    const named = { ...separate, file_type: 'json', file_name_prefix: 'my_file', target_directory: './a//b/' } as const;
    expect(plan(named)).toMatchObject({ path: expect.stringMatching(/^a\/b\/my_file_2026_08_21_10_30_00_250\d{3}\.json$/) });
    expect(plan({ ...separate, file_type: undefined } as unknown as Manifest)).toMatchObject({ path: expect.stringMatching(/\.csv$/) });
  });

  test('one visit of a step always has the same file name, and other visits have other names', () => {
    const pathOf = (given: StepContext): string => planOfKind(localFileSink.plan(separate, given), 'write').path;
    expect(pathOf(context({ now: NOW + 5000, memory: {} }))).toBe(pathOf(context()));
    const paths = [
      context(),
      context({ step: 'other' }),
      context({ visit: 2 }),
      context({ visit: 3 }),
      ...Array.from({ length: 100 }, (_, place) => context({}, place + 1)),
    ].map(pathOf);
    expect(new Set(paths.slice(0, 4)).size).toBe(4);
    expect(new Set(paths).size).toBeGreaterThan(100);
  });

  test('content is written unchanged, with a newline at its end', () => {
    expect(plan({ ...separate, content: 'a\n' })).toMatchObject({ content: 'a\n' });
    expect(plan({ ...separate, content: '' })).toMatchObject({ content: '\n' });
    expect(plan({ ...separate, file_type: 'json', content: 'no json' })).toMatchObject({ kind: 'write', content: 'no json\n' });
  });

  test('the outputs say that a file was saved, or why not', () => {
    expect(localFileSink.interpret?.(separate, written, context())).toEqual(outcomeOf(false, 'Data saved successfully'));
    expect(localFileSink.interpret?.(separate, notWritten, context())).toEqual(outcomeOf(true, '"x" cannot be written (ENOSPC)'));
    expect(localFileSink.memoryKey?.(separate, { step: 's', written: {} })).toBeNull();
  });
});

describe('a log', () => {
  /** Runs the step on each content, with the memory of the previous run. */
  function runs(contents: string[], given: Partial<Manifest> = {}): { path: string; content: string; mode: string }[] {
    let memory: unknown = null;
    return contents.map((content, place) => {
      const manifest = { ...log, ...given, content } as Manifest;
      const { path, content: entry, mode } = planOfKind(localFileSink.plan(manifest, context({ memory }, place)), 'write');
      const outcome = localFileSink.interpret?.(manifest, written, context({ memory }, place));
      expect(outcome).toMatchObject(outcomeOf(false, 'Data saved successfully'));
      memory = (outcome as { remember?: unknown }).remember;
      return { path, content: entry, mode };
    });
  }

  test('the first run begins a log, and later runs append to it', () => {
    const [first, second, third] = runs(['a', 'b\n', 'c']);
    expect([first?.mode, second?.mode, third?.mode]).toEqual(['create', 'append', 'append']);
    expect([first?.content, second?.content, third?.content]).toEqual(['a\n', 'b\n', 'c\n']);
    expect(second?.path).toBe(first?.path);
    expect(third?.path).toBe(first?.path);
  });

  test('a log continues in a new file when it is full', () => {
    const written = runs(['a', 'b', 'c', 'd', 'e'], { max_entries_per_file: '2' });
    expect(written.map(({ mode }) => mode)).toEqual(['create', 'append', 'create', 'append', 'create']);
    expect(new Set(written.map(({ path }) => path)).size).toBe(3);
  });

  test('a CSV log has one header per file', () => {
    const entries = runs(['a,b\n1,2\n', 'a,b\n3,4\n', 'a,b\n5,6\n'], { file_type: 'csv', max_entries_per_file: 2 });
    expect(entries.map(({ content }) => content)).toEqual(['a,b\n1,2\n', '3,4\n', 'a,b\n5,6\n']);
  });

  test('a JSON log has one document per line, as Python writes it', () => {
    const [first, second] = runs(['{\n "a": [1.0, "é"]\n}', '12345678901234567890'], { file_type: 'json' });
    expect(first).toMatchObject({ path: expect.stringMatching(/\.jsonl$/), content: '{"a": [1.0, "\\u00e9"]}\n' });
    expect(second).toMatchObject({ content: '12345678901234567890\n' });
  });

  test('a JSON log refuses invalid JSON and does not remember it', () => {
    for (const content of ['', '{', '{} {}', `${'['.repeat(100_000)}`]) {
      expect(plan({ ...log, file_type: 'json', content })).toEqual(outcomeOf(true, 'Invalid JSON content'));
    }
  });

  test('a log that cannot be created or appended to is reported, and the next run begins a new one', () => {
    expect(localFileSink.interpret?.(log, notWritten, context())).toEqual(outcomeOf(true, 'Could not create new sink file'));
    const memory = { path: 'some/location/old.txt', entries: 1 };
    expect(plan(log, { memory })).toMatchObject({ path: 'some/location/old.txt', mode: 'append' });
    expect(localFileSink.interpret?.(log, notWritten, context({ memory }))).toEqual({
      ...outcomeOf(true, 'Could not append content to append log'),
      remember: null,
    });
  });

  test('each directory, prefix and type of each step has its own log', () => {
    const keyOf = (given: object, step = 's'): unknown => localFileSink.memoryKey?.({ ...log, ...given }, { step, written: {} });
    const keys = [
      keyOf({}),
      keyOf({}, 't'),
      keyOf({ target_directory: 'b' }),
      keyOf({ file_name_prefix: 'p' }),
      keyOf({ file_type: 'csv' }),
    ];
    expect(new Set(keys).size).toBe(5);
    expect(keyOf({ target_directory: 5 })).toBeNull();
  });
});

describe('paths outside the directory', () => {
  const outside = ['/etc', '/', '..', '../x', 'a/../../b', 'a/..', '~/x', 'C:\\x', 'c:/x', 'a\\..\\b', 'a\0b', 'a\nb'];
  for (const path of outside) {
    test(`the path ${JSON.stringify(path)} is refused when saved, and fails the step when selected`, () => {
      for (const property of ['target_directory', 'file_name_prefix']) {
        expect(faultsOf(localFileSink, { ...separate, content: '$steps.a.b', [property]: path })).toEqual([
          expect.stringMatching(new RegExp(`^${property}: must (?:be a relative path|not contain)`)),
        ]);
        expect(plan({ ...separate, [property]: path })).toMatchObject({
          kind: 'failed',
          retryable: false,
          error: { code: 'invalid_setting', message: expect.stringMatching(new RegExp(`^${property} must`)) },
        });
      }
    });
  }

  test('names that contain dots are accepted', () => {
    for (const path of ['a..b', '...', '.hidden', 'a/.b', '']) {
      expect(plan({ ...separate, target_directory: path })).toMatchObject({
        kind: 'write',
        path: expect.not.stringMatching(/^\/|(?:^|\/)\.\.(?:\/|$)/),
      });
    }
  });
});

describe('invalid settings', () => {
  for (const [given, message] of [
    [{ content: null }, 'content must be text, but is null'],
    [{ content: { a: 1 } }, 'content must be text, but is {"a":1}'],
    [{ target_directory: 5 }, 'target_directory must be text, but is 5'],
    [{ file_name_prefix: [] }, 'file_name_prefix must be text, but is []'],
    [{ max_entries_per_file: 0 }, '`max_entries_per_file` cannot be lower than 1.'],
    [{ max_entries_per_file: 'many' }, 'max_entries_per_file must be a whole number, but is "many"'],
  ] as const) {
    test(`the step fails for a selected value: ${message}`, () => {
      expect(plan({ ...log, ...given } as Manifest)).toMatchObject({ kind: 'failed', error: { code: 'invalid_setting', message } });
    });
  }
});

test('local_file_sink refuses a missing mode, an unknown type and an invalid number', () => {
  const manifest = { ...separate, content: '$steps.csv.csv_content' };
  expect(faultsOf(localFileSink, manifest)).toEqual([]);
  expect(
    faultsOf(localFileSink, {
      ...manifest,
      target_directory: '$inputs.dir',
      file_name_prefix: '$inputs.prefix',
      max_entries_per_file: 1024,
    }),
  ).toEqual([]);
  for (const given of [
    { output_mode: undefined },
    { output_mode: 'both' },
    { file_type: 'xml' },
    { max_entries_per_file: 0 },
    { content: 'literal' },
  ]) {
    expect(faultsOf(localFileSink, { ...manifest, ...given })).toHaveLength(1);
  }
});
