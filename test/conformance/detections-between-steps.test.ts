// Detections, and what is taken from them, on their way from one step to the next: as in a workflow of Roboflow, although
// each step's outputs are stored between the two.

import { expect, test } from 'vitest';
import { shareApp } from '../support/shared-app.ts';

const prediction = (fields: object): object => ({
  x: 10,
  y: 10,
  width: 4,
  height: 4,
  confidence: 0.5,
  class: 'car',
  class_id: 1,
  ...fields,
});
const SEEN = {
  image: { width: 640, height: 480 },
  predictions: [prediction({ time_in_zone: 3 }), prediction({ x: 12.5, width: 2.5, time_in_zone: 1.5 })],
};

const extract = (name: string): object => ({ type: 'DetectionsPropertyExtract', property_name: name });
const each = (name: string): object => ({
  type: 'SequenceApply',
  operations: [{ type: 'ExtractDetectionProperty', property_name: name }],
});
const property = (name: string, data: string, ...operations: object[]): object => ({
  type: 'roboflow_core/property_definition@v1',
  name,
  data,
  operations,
});
const ofClass = (name: string): object => ({
  type: 'DetectionsFilter',
  filter_operation: {
    type: 'StatementGroup',
    statements: [
      {
        type: 'BinaryStatement',
        left_operand: { type: 'DynamicOperand', operations: [{ type: 'ExtractDetectionProperty', property_name: 'class_name' }] },
        comparator: { type: '==' },
        right_operand: { type: 'StaticOperand', value: name },
      },
    ],
  },
});

const output = (name: string, selector: string): object => ({ type: 'JsonField', name, selector });

const app = shareApp({}, async (shared) => {
  await shared.workflow('detections', {
    inputs: [{ type: 'WorkflowParameter', name: 'seen' }],
    steps: [
      property('filtered', '$inputs.seen', ofClass('dog')),
      property('times', '$steps.filtered.output', extract('time_in_zone')),
      property('at_once', '$inputs.seen', ofClass('dog'), extract('image_dimensions')),
      property('corners', '$inputs.seen', each('top_left')),
      {
        type: 'roboflow_core/string_template@v1',
        name: 'text',
        template: 'at {corners}, {widths} wide',
        data: { corners: '$steps.corners.output', widths: '$steps.widths.output' },
      },
      property('widths', '$inputs.seen', extract('width')),
    ],
    outputs: [
      output('times', '$steps.times.output'),
      output('at_once', '$steps.at_once.output'),
      output('corners', '$steps.corners.output'),
      output('text', '$steps.text.output'),
    ],
  });
  await shared.sink({ path: '/seen', auth_token: null, workflow_id: 'detections' });
});

test('nothing is left of a filter in an earlier step, points are tuples in a text and lists in JSON, and a column has one type', async () => {
  const response = await fetch(`${app().url}/sink/trigger/http/shop/seen`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json' },
    body: JSON.stringify({ seen: SEEN }),
  });
  const text = await response.text();
  expect(JSON.parse(text)).toMatchObject({
    status: 'completed',
    output: { times: [], at_once: [], text: 'at [(8.0, 8.0), (11.25, 8.0)], [4.0, 2.5] wide' },
  });
  expect(text).toContain('"corners":[[8.0,8.0],[11.25,8.0]]');
});
