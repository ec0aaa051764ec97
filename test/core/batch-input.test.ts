// Batch-oriented inputs: a run takes one element, which must be of its kind, and what is not is told as Roboflow does.

import { describe, expect, test } from 'vitest';
import { parseJson, stringifyJson } from '../../src/core/json/json.ts';
import type { FileHandle, Request } from '../../src/core/run/request.ts';
import { bindInputs } from '../../src/core/workflow/inputs.ts';
import type { WorkflowInput } from '../../src/core/workflow/plan.ts';

const FILE: FileHandle = { name: 'x', filename: 'a.png', content_type: 'image/png', size: 1, sha256: 'f'.repeat(64) };

function bind(input: Partial<WorkflowInput>, parts: Partial<Request>): unknown {
  const request: Request = {
    method: 'POST',
    path: '/',
    params: {},
    query: {},
    headers: {},
    body: null,
    content_type: 'application/json',
    files: [],
    client_ip: '127.0.0.1',
    received_at: 0,
    ...parts,
  };
  const declared: WorkflowInput = { name: 'x', type: 'WorkflowBatchInput', kinds: ['*'], ...input };
  return bindInputs({ id: 'w', version: 1, inputs: [declared] }, {}, request, 'json')['x'];
}

const ofKind = (kinds: string[], json: string): unknown => bind({ kinds }, { body: { x: parseJson(json) } });

describe('an element', () => {
  test('comes as it is, or as the only one of a list', () => {
    expect(ofKind(['*'], '5')).toBe(5);
    expect(ofKind(['*'], '[5]')).toBe(5);
    expect(ofKind(['list_of_values'], '[[5]]')).toEqual([5]);
    expect(bind({ type: 'WorkflowImage', kinds: ['image'] }, { files: [FILE] })).toBe(FILE);
  });

  test('is read from the text of a form or a query as a parameter is', () => {
    expect(bind({ kinds: ['boolean'] }, { query: { x: 'true' } })).toBe(true);
    expect(bind({ kinds: ['integer'] }, { query: { x: '7' } })).toBe(7);
  });

  for (const count of [0, 2, 1000]) {
    test(`in a list of ${count} is refused with what to do instead`, () => {
      const list = Array.from({ length: count }, (_, index) => index);
      expect(() => bind({ kinds: ['integer'] }, { body: { x: list } })).toThrow(
        `input "x" holds ${count} elements, and a run is one element: send one request per element`,
      );
    });
  }

  test('of several files under one name is refused too', () => {
    expect(() => bind({ type: 'WorkflowImage', kinds: ['image'] }, { files: [FILE, { ...FILE }] })).toThrow('holds 2 elements');
  });
});

describe('an element that is missing is told with what was declared', () => {
  for (const body of [null, {}, { x: null }, { x: [null] }])
    test(`in ${JSON.stringify(body)}`, () => {
      expect(() => bind({ type: 'WorkflowImage', kinds: ['image'] }, { body })).toThrow(
        "Detected runtime parameter `x` defined as `WorkflowImage` (of kind `['image']`), but value is not provided.",
      );
      expect(() => bind({ kinds: ['float', 'string'] }, { body })).toThrow(
        "Detected runtime parameter `x` defined as `WorkflowBatchInput` (of kind `['float', 'string']`), but value is not provided.",
      );
    });
});

describe('an image', () => {
  for (const image of ['aGVsbG8=', { type: 'base64', value: 'aGVsbG8=' }, { type: 'url', value: 'https://example.org/a.png' }])
    test(`is ${JSON.stringify(image)}`, () => {
      expect(bind({ type: 'WorkflowImage', kinds: ['image'] }, { body: { x: image } })).toEqual(image);
    });

  for (const json of ['5', 'true', '""', '{}', '[[1]]', '{"value":5}', '{"type":"base64"}', '1.50', JSON.stringify(FILE)])
    test(`is not ${json}`, () => {
      expect(() => bind({ type: 'WorkflowImage', kinds: ['image'] }, { body: { x: parseJson(json) } })).toThrow(
        'Detected runtime parameter `x` defined as `WorkflowImage` that is invalid. Failed on input validation. Details: must be a file',
      );
    });
});

describe('kinds', () => {
  const fits: [string, string][] = [
    ['string', '"a"'],
    ['boolean', 'false'],
    ['integer', '5'],
    ['integer', '12345678901234567890'],
    ['integer', 'true'],
    ['float', '5'],
    ['float', '1.50'],
    ['float_zero_to_one', '1.0'],
    ['list_of_values', '[[]]'],
    ['dictionary', '{}'],
    ['bytes', '"aGk="'],
    ['timestamp', '"2026-01-31T12:00:00+00:00"'],
    ['timestamp', '"2026-01-31"'],
    ['zone', '[[[0,0],[1,0],[1,1.5]]]'],
    ['point', '[[1,2,"rest"]]'],
    ['rgb_color', '"#fff"'],
    ['rgb_color', '[[1,2,3]]'],
    ['object_detection_prediction', '{"predictions":[],"image":{}}'],
    ['classification_prediction', '{"predictions":[],"image":{},"top":"cat","confidence":0.5}'],
    ['classification_prediction', '{"predictions":{},"image":{},"predicted_classes":[]}'],
    ['video_metadata', '{}'],
    ['*', '{"a":[1]}'],
    ['kind_of_somebody', '5'],
    ['toString', '5'],
  ];
  for (const [kind, json] of fits)
    test(`${json} is of kind ${kind}`, () => {
      const given = parseJson(json);
      expect(stringifyJson(ofKind([kind], json))).toBe(stringifyJson(Array.isArray(given) ? given[0] : given));
    });

  const misses: [string, string, string][] = [
    ['boolean', '"yes"', 'declared to hold boolean value, but invalid type of data found (`str`).'],
    ['boolean', '1', 'declared to hold boolean value, but invalid type of data found (`int`).'],
    ['string', '5', 'declared to hold string value, but invalid type of data found (`int`).'],
    ['string', '{}', 'declared to hold string value, but invalid type of data found (`dict`).'],
    ['integer', '5.0', 'declared to hold integer value, but invalid type of data found (`float`).'],
    ['integer', '1e3', 'declared to hold integer value, but invalid type of data found (`float`).'],
    ['float', '"x"', 'declared to hold float value, but invalid type of data found (`str`).'],
    ['float_zero_to_one', '1.01', 'declared to hold float value in range [0.0, 1.0], but value out of range detected.'],
    ['float_zero_to_one', '"x"', 'declared to hold float value, but invalid type of data found (`str`).'],
    ['list_of_values', '{}', 'declared to hold list, but invalid type of data found (`dict`).'],
    ['dictionary', '[[]]', 'declared to hold dict value, but invalid type of data found (`list`).'],
    ['bytes', '5', 'declared to hold bytes string, but invalid type of data found (`int`).'],
    ['timestamp', '5', 'declared to hold datetime, but invalid type of data found (`int`).'],
    ['timestamp', '"soon"', 'declared to hold datetime, but could not decode input data'],
    ['zone', '[[[0,0],[1,0]]]', 'declared to hold zone coordinates, but defined zone is not a list with at least 3 points coordinates.'],
    [
      'zone',
      '[[[0,0],[1,0],[1]]]',
      'declared to hold zone coordinates, but defined zone contains at least one element which is not a point',
    ],
    ['point', '[[1]]', 'declared to hold point coordinates, but missing point coordinates detected.'],
    ['point', '[["a","b"]]', 'declared to hold point coordinates, but at least one of the coordinate is not number'],
    ['rgb_color', '[[1,2]]', 'declared to hold RGB color, but not all colors defined.'],
    ['object_detection_prediction', '[[]]', 'declared to hold detections, but invalid type of data found.'],
    ['instance_segmentation_prediction', '{"predictions":[]}', 'declared to hold detections, but dictionary misses required keys.'],
    ['keypoint_detection_prediction', '{"predictions":5,"image":{}}', 'declared to hold detections, but `predictions` is no list.'],
    ['classification_prediction', '{"image":{}}', 'declared to hold classification prediction value, but found that one of required keys'],
    [
      'classification_prediction',
      '{"image":{},"predictions":[]}',
      'declared to hold classification prediction value, but found that passed value misses prediction details.',
    ],
    ['video_metadata', '5', 'holding `WorkflowVideoMetadata`, but provided value is not a dict.'],
  ];
  for (const [kind, json, text] of misses)
    test(`${json} is not of kind ${kind}`, () => {
      expect(() => ofKind([kind], json)).toThrow(`Detected runtime parameter \`x\` ${text}`);
    });

  test('are enough when one of several fits, and are all told when none does', () => {
    expect(ofKind(['boolean', 'integer'], '5')).toBe(5);
    expect(ofKind(['boolean', 'kind_of_somebody'], '5')).toBe(5);
    expect(() => ofKind(['boolean', 'string'], '1.5')).toThrow(
      'Failed to assemble `x`. Could not successfully use any deserializer for declared kinds. Details: Kind: `boolean` - Error: Detected runtime parameter `x` declared to hold boolean value, but invalid type of data found (`float`). Kind: `string` - Error:',
    );
  });
});
