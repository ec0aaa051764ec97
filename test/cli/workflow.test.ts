// `sluice workflow validate`: a definition in a file, checked with the step types of a server.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { adminOf, type CliResult, sluice } from '../support/run-cli.ts';
import { shareApp } from '../support/shared-app.ts';
import { tempDir } from '../support/temp-dir.ts';

const app = shareApp();

function file(text: string): string {
  const path = join(tempDir(), 'workflow.yaml');
  writeFileSync(path, text);
  return path;
}

const validate = (path: string, ...more: string[]): Promise<CliResult> =>
  sluice(['workflow', 'validate', path, ...more], { environment: adminOf(app()) });

const GOOD = 'version: "1.0"\ninputs: []\nsteps: [{ type: sluice/set@v1, name: a, values: { n: 1.0 } }]\noutputs: []\n';

describe('validate', () => {
  test('passes a definition, in YAML and in JSON', async () => {
    for (const path of [file(GOOD), file('{"version":"1.0","inputs":[],"steps":[],"outputs":[]}')])
      expect(await validate(path)).toEqual({ code: 0, stdout: `${path} is valid\n`, stderr: '' });
  });

  test('tells each fault with the file and the place in it', async () => {
    const path = file(
      `${GOOD}  - { type: JsonField, name: o, selector: $steps.b.x }\n`.replace('outputs: []', 'outputs:').replace('set@v1', 'sett@v1'),
    );
    const { code, stdout, stderr } = await validate(path);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr.split('\n')).toEqual([
      expect.stringContaining(`sluice: ${path}:3: steps[0].type: "sluice/sett@v1" is not a step type; did you mean "sluice/set@v1"?`),
      `sluice: ${path}:5: outputs[0].selector: Workflow references '$steps.b.x' which points to a non-existent block; known are a`,
      '',
    ]);
  });

  test('looks up what it uses in the app that is named', async () => {
    const step =
      '{ type: roboflow_core/inner_workflow@v1, name: in, workflow_workspace_id: local, workflow_id: nope, parameter_bindings: {} }';
    const path = file(`version: "1.0"\ninputs: []\nsteps: [${step}]\noutputs: []\n`);
    expect(await validate(path)).toMatchObject({ code: 0 });
    expect(await validate(path, '--app', 'shop')).toEqual({
      code: 1,
      stdout: '',
      stderr: `sluice: ${path}:3: steps[0].workflow_id: app "shop" has no workflow "nope"\n`,
    });
  });

  test('says what is wrong with a file that is none, and with a server that is not there', async () => {
    expect((await validate('/nowhere/at/all.yaml')).stderr).toBe('sluice: /nowhere/at/all.yaml cannot be read (ENOENT)\n');
    expect((await validate(file('- a list\n'))).stderr).toContain('must be a mapping with version, inputs, steps and outputs');
    expect((await validate(file('steps: [\n'))).code).toBe(1);
    expect((await validate(file(GOOD), '--token', 'wrong')).stderr).toContain('give it with --token (unauthorized)');
  });
});
