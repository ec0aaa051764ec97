// The manifests and plans of the steps that make reply URLs and wait for a reply.

import { describe, expect, test } from 'vitest';
import { createStepTypes } from '../../src/steps/registry.ts';
import { replyUrls } from '../../src/steps/sluice/reply-urls.ts';
import { waitForRequest } from '../../src/steps/sluice/wait-for-request.ts';
import { NOW, planOfKind, stepContext } from './roboflow/step-context.ts';

const { inspect } = createStepTypes([replyUrls, waitForRequest] as never);
const faultsOf = (manifest: Record<string, unknown>): string[] =>
  inspect(manifest['type'] as string, { name: 'a', ...manifest }).faults.map(({ path, message }) => `${path}: ${message}`);
const urls = (fields: object): string[] => faultsOf({ type: 'sluice/reply_urls@v1', choices: ['yes'], ...fields });
const wait = (fields: object): string[] => faultsOf({ type: 'sluice/wait_for_request@v1', reply_id: '$steps.links.id', ...fields });

describe('sluice/reply_urls@v1', () => {
  test.each([
    [{ choices: [] }],
    [{ choices: ['yes', 'yes'] }],
    [{ choices: ['url'] }],
    [{ choices: ['id'] }],
    [{ choices: ['error'] }],
    [{ choices: ['Yes'] }],
    [{ choices: ['$inputs.x'] }],
    [{ choices: ['a b'] }],
    [{ choices: ['x'.repeat(33)] }],
    [{ choices: Array.from({ length: 17 }, (_, index) => `c${index}`) }],
    [{ expires_seconds: 0 }],
    [{ expires_seconds: 1e9 }],
    [{ schema: [] }],
    [{ unknown: 1 }],
  ])('refuses %j when it is saved', (fields) => {
    expect(urls(fields)).not.toEqual([]);
  });

  test.each([
    [{ $ref: '#' }, 'schema.$ref: is not allowed here'],
    [{ type: 'object', patternProperties: {} }, 'schema.patternProperties: is not allowed here'],
    [{ type: 'array', uniqueItems: true }, 'schema.uniqueItems: is not allowed here'],
    [{ type: 'strin' }, 'schema: is not a valid JSON Schema'],
    [{ type: 'string', pattern: '(' }, 'schema: is not a valid JSON Schema'],
    [{ type: 'string', pattern: '(a)\\1' }, 'schema: is not a valid JSON Schema'],
    [{ type: 'number', minimum: '1);x(' }, 'schema: is not a valid JSON Schema'],
    [{ properties: { a: 1 }, type: 'object' }, 'schema.properties.a: must be a JSON Schema'],
    [{ enum: ['$inputs.x'] }, 'schema.enum: must not contain a text that begins with "$"'],
    [{ enum: Array.from({ length: 3000 }, (_, index) => index) }, 'schema: must have at most'],
    [{ description: 'x'.repeat(20_000) }, 'schema: must have at most'],
  ])('refuses the schema %j', (schema, fault) => {
    expect(urls({ schema }).join()).toContain(fault);
  });

  test('accepts a schema whose pattern would take another engine for ever', () => {
    expect(
      urls({ schema: { type: 'object', properties: { by: { type: 'string', pattern: '^(a+)+$' } }, additionalProperties: false } }),
    ).toEqual([]);
  });

  test('outputs a URL for each choice, one for all, and the id', () => {
    const plan = planOfKind(replyUrls.plan({ choices: ['yes', 'no'], expires_seconds: '60' }, stepContext()), 'completed');
    expect(plan.outputs).toEqual({
      yes: `placeholder-0-${NOW + 60_000}`,
      no: `placeholder-1-${NOW + 60_000}`,
      url: `placeholder-null-${NOW + 60_000}`,
      id: 'reply_1_1',
    });
  });

  test('fails if the server does not know its address', () => {
    const plan = planOfKind(replyUrls.plan({ choices: ['yes'] }, stepContext({ replyUrl: () => null })), 'failed');
    expect(plan.error).toEqual({
      code: 'no_base_url',
      message: 'the server does not know its public address, which the URLs need; set SLUICE_BASE_URL',
    });
  });

  test.each([['x'], [0], [1e12], [{}]])('fails for the selected time %j', (seconds) => {
    const plan = planOfKind(replyUrls.plan({ choices: ['yes'], expires_seconds: seconds }, stepContext()), 'failed');
    expect(plan.error.message).toContain('expires_seconds must be');
  });
});

describe('sluice/wait_for_request@v1', () => {
  test.each([[{ reply_id: 'reply_0_1' }], [{ reply_id: '$steps.links.approve' }], [{ timeout_seconds: 0 }], [{ on_timeout: 'skip' }]])(
    'refuses %j when it is saved',
    (fields) => {
      expect(wait(fields)).not.toEqual([]);
    },
  );

  test('fails for the id of another step', () => {
    const plan = planOfKind(waitForRequest.plan({ reply_id: 'other' }, stepContext()), 'failed');
    expect(plan.error.message).toBe('reply_id must be the output "id" of a sluice/reply_urls@v1 step');
  });
});
