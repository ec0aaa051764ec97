// Selectors that can never match are faults when a definition is saved, wherever they stand.

import { describe, expect, test } from 'vitest';
import { parseSink } from '../../src/core/sink/sink.ts';
import { workflowFaults } from '../../src/core/workflow/faults.ts';
import { builtinStepTypes } from '../../src/steps/builtin.ts';
import { createStepTypes } from '../../src/steps/registry.ts';

/** Of `$request`, whoever reads it. */
const NEVER: [string, string][] = [
  ['$request.bdy', 'has no "bdy"; known are method, path, params'],
  ['$request.method.x', '$request.method has no parts'],
  ['$request.path.0', '$request.path has no parts'],
  ['$request.content_type.charset', 'has no parts'],
  ['$request.client_ip.x', 'has no parts'],
  ['$request.received_at.year', 'has no parts'],
  ['$request.headers.X-GitHub-Event', 'write "x-github-event"'],
  ['$request.headers["a b"]', 'is not a valid header name'],
  ['$request.headers["x-a"].b', 'is text, which has no parts'],
  ['$request.headers.authorization', 'is never shown to anyone'],
  ['$request.headers.cookie', 'is never shown to anyone'],
  ['$request.files.photo', 'is a list: write $request.files.0'],
  ['$request.files.0.path', 'a file has no "path"; known are name, filename'],
  ['$request.files.0.size.x', 'has no parts'],
  ['$request.params.id.b', 'has no parts'],
  ['$request.query["unclosed', ''],
  ['$requests.body', ''],
  ['$', ''],
  [`$request.${'x'.repeat(5000)}`, 'has no'],
];
/** Where secrets are not seen. */
const SECRET: [string, string][] = [
  ['$request.headers.x-gitlab-token', 'is a secret by its name'],
  ['$request.query.token', 'is a secret by its name'],
  ['$request.query["hub.verify_token"]', 'is a secret by its name'],
];
const MAY_MATCH = [
  '$request',
  '$request.body',
  '$request.body.anything.at.all',
  '$request["body"]["x y"]',
  '$request.query',
  '$request.query.hub.challenge',
  '$request.query.list.0',
  '$request.query["hub.challenge"]',
  '$request.headers',
  '$request.headers.x-github-event',
  '$request.headers.x.y',
  '$request.headers.x-hub-signature-256',
  '$request.files',
  '$request.files.0',
  '$request.files.12.content_type',
  '$request.files.length',
  '$request.params',
  '$request.params.id',
  '$request.received_at',
];

const { inspect } = createStepTypes(builtinStepTypes);

function faultsOfWorkflow(selector: string, inputs: object[] = []): string[] {
  const steps = [
    { type: 'sluice/set@v1', name: 'made', values: { plain: 2 } },
    { type: 'sluice/set@v1', name: 'a', values: { deep: [{ x: selector }] } },
  ];
  return workflowFaults({ version: '1.0', inputs, steps, outputs: [] }, inspect).map(({ message }) => message);
}

function faultsOfSink(fields: object): string[] {
  return parseSink({ path: '/orders/:id', method: 'POST', ...fields }, 'shop').faults.map(({ path, message }) => `${path}: ${message}`);
}

const custom = (fields: object): object => ({ response: { mode: 'custom', ...fields } });

describe('in a step of a workflow', () => {
  test.each([...NEVER, ...SECRET])('%s is a fault', (selector, expected) => {
    const [fault, ...more] = faultsOfWorkflow(selector);
    expect(fault).toContain(expected);
    expect(fault?.length).toBeLessThan(600);
    expect(more).toEqual([]);
  });

  test.each([...MAY_MATCH, '$request.payload.annotations', '$steps.made["plain"]', '$steps.made.plain', '$steps.made.*'])(
    '%s may be saved',
    (selector) => expect(faultsOfWorkflow(selector)).toEqual([]),
  );

  test.each(['$steps.made.out', '$steps.made.put', '$steps.missing.x'])('%s is a fault', (selector) => {
    expect(faultsOfWorkflow(selector)).toHaveLength(1);
  });

  test('a part of an input that is one piece by its kind is a fault, and one of any other is not', () => {
    const input = (kind?: string[]): object[] => [{ type: 'WorkflowParameter', name: 'n', ...(kind === undefined ? {} : { kind }) }];
    expect(faultsOfWorkflow('$inputs.n.x', input(['integer', 'string']))).toEqual([
      '"$inputs.n.x" can never select anything: input "n" is integer or string, which has no parts',
    ]);
    for (const kind of [undefined, [], ['*'], ['dictionary'], ['string', 'dictionary']])
      expect(faultsOfWorkflow('$inputs.n.x', input(kind))).toEqual([]);
  });
});

describe('in the inputs of a sink', () => {
  test.each([...NEVER, ...SECRET])('%s is a fault', (selector, expected) => {
    const faults = faultsOfSink({ workflow_id: 'w', inputs: { a: selector } });
    expect(faults).toHaveLength(1);
    expect(faults[0]).toContain('inputs.a: ');
    expect(faults[0]).toContain(expected);
  });

  test.each(MAY_MATCH)('%s may be saved', (selector) => {
    expect(faultsOfSink({ workflow_id: 'w', inputs: { a: selector } })).toEqual([]);
  });

  test('a parameter that the path does not have, and the payload of a sink without one, are faults', () => {
    expect(faultsOfSink({ inputs: { a: '$request.params.order' } })[0]).toContain('no parameter "order"; known are id');
    expect(faultsOfSink({ inputs: { a: '$request.payload' } })[0]).toContain('has no "payload"');
    expect(faultsOfSink({ payload: 'v7', inputs: { a: '$request.payload.x' } })).toEqual([]);
    expect(faultsOfSink({ path: '/f/*', inputs: { a: '$request.params.*' } })).toEqual([]);
  });
});

describe('in the answer of a sink', () => {
  test.each(NEVER)('%s is a fault, in its body and in its headers', (selector, expected) => {
    for (const fields of [{ body: { x: [selector] } }, { headers: { 'x-a': selector } }]) {
      const faults = faultsOfSink(custom(fields));
      expect(faults).toHaveLength(1);
      expect(faults[0]).toContain(expected);
    }
  });

  test.each([
    ...MAY_MATCH,
    '$request.headers.x-hook-secret',
    '$request.query.validationToken',
    '$output',
    '$output.received',
    '$run.id',
    '$$x',
  ])('%s may be saved', (selector) => expect(faultsOfSink(custom({ body: selector, headers: { 'x-a': selector } }))).toEqual([]));

  test.each(['$output.other', '$run.status', '$run.id.x', '$inputs.a', '$steps.a.b'])('%s is a fault', (selector) => {
    expect(faultsOfSink(custom({ body: selector }))).toHaveLength(1);
  });

  test('what a workflow gives is known to it alone', () => {
    expect(faultsOfSink({ workflow_id: 'w', ...custom({ body: '$output.other' }) })).toEqual([]);
  });

  test('a selector in the status is a fault', () => {
    expect(faultsOfSink(custom({ status: '$output.status' }))[0]).toContain('response.status');
  });
});
