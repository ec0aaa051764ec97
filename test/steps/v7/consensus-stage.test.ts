// The Consensus Stage: agreement of stages, forms of annotations, and refused annotations and definitions.

import { describe, expect, test } from 'vitest';
import { parseJson } from '../../../src/core/json/json.ts';
import { consensusStage } from '../../../src/steps/v7/consensus-stage.ts';
import { NO_PAYLOADS, payload, prediction } from '../payloads.ts';
import { faultsOf, stepContext } from '../roboflow/step-context.ts';

const box = (className: string, x: number, y: number, width: number, height: number) =>
  prediction({ class: className, bounding_box: { x, y, width, height } });
const tag = (className: string) => prediction({ class: className, type: 'tag' });

type Manifest = Parameters<typeof consensusStage.plan>[0];

const manifest = (human: unknown, model: unknown, fields: Partial<Manifest> = {}): Manifest => ({
  parallel_stages: [
    { name: 'human', annotations: human },
    { name: 'model', annotations: model },
  ],
  champion_stage: 'human',
  threshold: 0.5,
  on_agreement: ['$steps.done'],
  on_disagreement: ['$steps.review'],
  ...fields,
});

function ask(given: Manifest): any {
  const plan = consensusStage.plan(given, stepContext());
  if (plan.kind !== 'completed') throw new Error(JSON.stringify(plan));
  expect(plan.chosen).toEqual([plan.outputs['agreed'] === true ? 'done' : 'review']);
  return plan.outputs;
}

function failure(given: Manifest): string {
  const plan = consensusStage.plan(given, stepContext());
  if (plan.kind !== 'failed') throw new Error(JSON.stringify(plan));
  expect(plan.retryable).toBe(false);
  return `${plan.error.code}: ${plan.error.message}`;
}

describe('comparing stages', () => {
  test("two stages with the same annotations agree, and the champion's annotations are kept unchanged", () => {
    const human = [box('car', 0, 0, 10, 10), { ...box('dog', 50, 50, 4, 4), id: 'kept' }];
    const model = [box('dog', 50, 50, 4, 4), box('car', 1, 0, 10, 10)];
    expect(ask(manifest(human, model))).toEqual({
      agreed: true,
      iou: 90 / 110,
      classes: [
        {
          class: 'car',
          iou: 90 / 110,
          threshold: 0.5,
          agreed: true,
          pairs: [{ stages: ['human', 'model'], annotations: [0, 1], iou: 90 / 110 }],
        },
        { class: 'dog', iou: 1, threshold: 0.5, agreed: true, pairs: [{ stages: ['human', 'model'], annotations: [1, 0], iou: 1 }] },
      ],
      annotations: human,
      champion: 'human',
      not_compared: 0,
    });
    expect(ask(manifest(human, model, { champion_stage: 'model' })).annotations).toBe(model);
  });

  test.each([
    ['if one has more annotations', [box('car', 0, 0, 10, 10), box('car', 100, 0, 10, 10)], [box('car', 0, 0, 10, 10)], [1, null]],
    ['if one has a class that the other lacks', [box('car', 0, 0, 10, 10)], [box('car', 0, 0, 10, 10), box('cat', 0, 0, 1, 1)], [null, 1]],
    ['if they use different classes', [box('car', 0, 0, 10, 10)], [box('van', 0, 0, 10, 10)], [0, null]],
  ])('two stages disagree %s', (_what, human, model, alone) => {
    const outputs = ask(manifest(human, model));
    expect(outputs).toMatchObject({ agreed: false, iou: 0 });
    expect(outputs.classes.flatMap((found: any) => found.pairs)).toContainEqual({ stages: ['human', 'model'], annotations: alone, iou: 0 });
  });

  test('each class is compared with its own threshold, and meeting the threshold is agreement', () => {
    const [human, model] = [
      [box('car', 0, 0, 10, 10), box('dog', 50, 0, 10, 10)],
      [box('car', 0, 0, 10, 8), box('dog', 50, 0, 10, 8)],
    ];
    expect(ask(manifest(human, model, { threshold: 0.8 })).agreed).toBe(true);
    const stricter = ask(manifest(human, model, { threshold: 0.8, iou_thresholds: { dog: 0.81, toString: 1 } }));
    expect(stricter).toMatchObject({
      agreed: false,
      classes: [
        { class: 'car', agreed: true },
        { class: 'dog', threshold: 0.81, agreed: false },
      ],
    });
    expect(ask(manifest(human, human, { threshold: 1 })).agreed).toBe(true);
    expect(ask(manifest([box('toString', 0, 0, 1, 1)], [box('toString', 0, 0, 1, 1)])).classes[0].threshold).toBe(0.5);
  });

  test('stages agree if only the rounding of floats misses the threshold', () => {
    for (let y = 0.1; y < 10; y += 0.1) {
      const given = manifest([box('car', 0, y, 1, 1)], [box('car', 0, y, 1, 0.8)], { threshold: 0.8 });
      expect(ask(given).agreed, `${y}`).toBe(true);
    }
  });

  test('two stages without annotations agree', () => {
    expect(ask(manifest([], []))).toEqual({ agreed: true, iou: 1, classes: [], annotations: [], champion: 'human', not_compared: 0 });
  });

  test('stages agree on a tag that both have, however often, and disagree on a tag that only one has', () => {
    expect(ask(manifest([tag('wet'), tag('wet')], [tag('wet')]))).toMatchObject({ agreed: true, iou: 1 });
    expect(ask(manifest([tag('wet')], []))).toMatchObject({ agreed: false, iou: 0 });
    expect(ask(manifest([tag('car')], [box('car', 0, 0, 1, 1)]))).toMatchObject({ agreed: false, iou: 0 });
  });

  test('annotations without an area are not compared, and are counted', () => {
    const keypoint = prediction({ class: 'nose', type: 'keypoint' });
    expect(ask(manifest([keypoint, keypoint], [keypoint]))).toMatchObject({ agreed: true, classes: [], not_compared: 3 });
  });

  test('annotations are matched for the best total, not greedily', () => {
    const human = [box('car', 0, 0, 10, 10), box('car', 3, 0, 10, 10)];
    const model = [box('car', 2, 0, 10, 10), box('car', 7, 0, 10, 10)];
    const { pairs } = ask(manifest(human, model)).classes[0];
    expect(pairs.map((pair: any) => pair.annotations)).toEqual([
      [0, 0],
      [1, 1],
    ]);
  });
});

test('each pair of three stages must agree', () => {
  const stages = [0, 3, 6].map((x, index) => ({ name: `s${index}`, annotations: [box('car', x, 0, 10, 10)] }));
  const outputs = ask({ ...manifest([], []), parallel_stages: stages, champion_stage: 's1' });
  expect(outputs).toMatchObject({ agreed: false, iou: 4 / 16 });
  expect(outputs.classes[0].pairs.map(({ stages: names, iou }: any) => [...names, iou])).toEqual([
    ['s0', 's1', 7 / 13],
    ['s0', 's2', 4 / 16],
    ['s1', 's2', 7 / 13],
  ]);
});

describe('the forms of annotations', () => {
  const square = [
    { x: 2, y: 2 },
    { x: 6, y: 2 },
    { x: 6, y: 6 },
    { x: 2, y: 6 },
  ];
  const expected = [box('car', 2, 2, 4, 4)];

  test.each<[string, unknown]>([
    ['as a typed payload', payload(expected)],
    [
      'as outlines',
      [prediction({ class: 'car', type: 'polygon', polygon: [square], bounding_box: { x: 0, y: 0, width: 99, height: 99 } })],
    ],
    ["in Darwin's form, as boxes", [{ name: 'car', bounding_box: { x: 2, y: 2, w: 4, h: 4 } }]],
    [
      "in Darwin's form, in the first frame of a video that has a shape",
      [
        {
          name: 'car',
          global_sub_types: {},
          bounding_box: { x: 0, y: 0, w: 9, h: 9 },
          frames: { 10: { bounding_box: { x: 5, y: 5, w: 9, h: 9 } }, 2: { bounding_box: { x: 2, y: 2, w: 4, h: 4 } }, 0: {} },
        },
      ],
    ],
    ["in Darwin's form, as outlines", [{ name: 'car', polygon: { paths: [square] }, bounding_box: { x: 0, y: 0, w: 9, h: 9 } }]],
    [
      "as Roboflow's boxes, by their middle",
      { image: { width: 9, height: 9 }, predictions: [{ class: 'car', x: 4, y: 4, width: 4, height: 4, confidence: 0.9 }] },
    ],
    ["as Roboflow's outlines", [{ class: 'car', x: 4, y: 4, width: 9, height: 9, points: square }]],
    ['with numbers that keep their text', parseJson('[{"class":"car","bounding_box":{"x":2.0,"y":2.0,"width":4.0,"height":4e0}}]')],
  ])('annotations are compared %s', (_what, annotations) => {
    expect(ask(manifest(expected, annotations, { threshold: 1 }))).toMatchObject({ agreed: true, not_compared: 0 });
  });

  test("tags are compared in Darwin's form and as labels", () => {
    expect(ask(manifest([{ name: 'wet', tag: {} }], [prediction({ class: 'wet', type: 'label' })]))).toMatchObject({
      agreed: true,
      iou: 1,
    });
  });

  const by = (email: string, x: number) => ({ ...box('car', x, 0, 10, 10), annotators: [{ email, full_name: null }] });
  const split = { split_by: 'annotator', champion_stage: 'b@x.org', parallel_stages: [{ name: 'a@x.org' }, { name: 'b@x.org' }] } as const;

  test('the annotations of one payload are compared by annotator', () => {
    const item = payload([by('a@x.org', 0), by('b@x.org', 1), by('c@x.org', 500)]);
    const outputs = ask({ ...manifest([], []), ...split, payload: item });
    expect(outputs).toMatchObject({ agreed: true, iou: 9 / 11, annotations: [item.predictions[1]] });
    expect(ask({ ...manifest([], []), ...split, payload: payload([by('a@x.org', 0)]) })).toMatchObject({ agreed: false, annotations: [] });
  });

  test.each([...NO_PAYLOADS, payload([], { has_annotations: false })])(
    'splitting by annotator fails without a payload with annotations: %j',
    (value) => {
      expect(failure({ ...manifest([], []), ...split, payload: value })).toMatch(
        /^invalid_annotations: payload (?:is not a typed payload|was sent without)/,
      );
    },
  );
});

describe('hostile annotations', () => {
  const where = 'parallel_stages[1].annotations';
  const with_ = (fields: object) => [{ ...box('car', 0, 0, 1, 1), ...fields }];
  const number = (minimum: string) => `must be a number from ${minimum} to 1000000000`;
  test.each<[unknown, string]>([
    [null, `${where} must be a list of annotations, a typed payload, or Roboflow's detections`],
    ['x', `${where} must be a list`],
    [{ top: 'car', predictions: [] }, `${where} must be a list`],
    [payload([], { has_annotations: false }), `${where} is a payload that was sent without annotations`],
    [[null], `${where}[0] must be an object`],
    [[{}], `${where}[0] must have the name of its class`],
    [[{ class: 7 }], `${where}[0] must have the name of its class`],
    [with_({ bounding_box: { x: 0, y: 0, width: -1, height: 1 } }), `${where}[0].bounding_box.width ${number('0')}`],
    [with_({ bounding_box: { x: Number.NaN, y: 0, width: 1, height: 1 } }), `${where}[0].bounding_box.x ${number('-1000000000')}`],
    [with_({ bounding_box: { x: 0, y: 0, width: 1, height: parseJson('1e400') } }), `${where}[0].bounding_box.height ${number('0')}`],
    [with_({ bounding_box: { x: '0', y: 0, width: 1, height: 1 } }), `${where}[0].bounding_box.x ${number('-1000000000')}`],
    [with_({ bounding_box: 'all' }), `${where}[0].bounding_box must be an object`],
    [with_({ polygon: 'all' }), `${where}[0].polygon must be a list of rings`],
    [with_({ polygon: [[{ x: 0, y: 0 }, null]] }), `${where}[0].polygon[0][1] must be a point`],
    [with_({ polygon: [{ x: 0, y: 0 }] }), `${where}[0].polygon[0] must be a list of points`],
    [with_({ polygon: [[{ x: 0, y: Number.POSITIVE_INFINITY }]] }), `${where}[0].polygon[0][0].y ${number('-1000000000')}`],
    [Array.from({ length: 10_001 }, () => ({})), `${where} has 10001 annotations; a stage may have at most 10000`],
  ])('invalid annotations are refused with their place', (annotations, message) => {
    expect(failure(manifest([], annotations))).toContain(`invalid_annotations: ${message}`);
  });

  test('annotations without an area match nothing', () => {
    const flat = [
      box('car', 0, 0, 0, 10),
      prediction({
        class: 'dog',
        polygon: [
          [
            { x: 1, y: 1 },
            { x: 2, y: 2 },
          ],
        ],
      }),
      prediction({ class: 'eel', polygon: [] }),
    ];
    expect(ask(manifest(flat, flat))).toMatchObject({ agreed: false, iou: 0 });
  });

  test('the even-odd rule decides what is inside an outline that crosses itself', () => {
    const hourglass = [
      { x: 0, y: 0 },
      { x: 10, y: 10 },
      { x: 10, y: 0 },
      { x: 0, y: 10 },
    ];
    const outputs = ask(manifest([prediction({ class: 'car', polygon: [hourglass] })], [box('car', 0, 0, 10, 10)]));
    expect(outputs.iou).toBeCloseTo(0.5, 12);
  });

  const spread = (shift: number) =>
    Array.from({ length: 10_000 }, (_, index) => box(`c${index % 3}`, (index % 100) * 10 + shift, Math.floor(index / 100) * 10, 8, 8));
  const pile = Array.from({ length: 10_000 }, (_, index) => box('car', index / 1e6, 0, 8, 8));
  const scribble = Array.from({ length: 5000 }, (_, index) => ({ x: (index * 7919) % 5003, y: (index * 104_729) % 4999 }));

  test('10,000 separate annotations on each side are compared', () => {
    expect(ask(manifest(spread(0), spread(1)))).toMatchObject({ agreed: true, iou: 7 / 9 });
  });

  test.each<[string, unknown]>([
    ['10,000 on one pile', pile],
    ['an outline that crosses itself without end', [prediction({ class: 'car', polygon: [scribble] })]],
  ])('a comparison that would block the server is aborted: %s', (_what, annotations) => {
    expect(failure(manifest(annotations, annotations))).toBe(
      'too_many_annotations: the annotations overlap too much to be compared within 12000000 steps',
    );
  });
});

describe('definitions of a consensus stage', () => {
  test.each<[string, object, string]>([
    ['one stage', { parallel_stages: [{ name: 'human', annotations: '$inputs.a' }] }, 'parallel_stages: must NOT have fewer than 2 items'],
    ['a champion that is not a stage', { champion_stage: 'other' }, 'champion_stage: must be one of the parallel stages: human, model'],
    [
      'a stage without annotations',
      { parallel_stages: [{ name: 'human' }, { name: 'model', annotations: [] }] },
      'parallel_stages[0]: field "annotations" is missing',
    ],
    [
      'two stages of one name',
      {
        parallel_stages: [
          { name: 'human', annotations: [] },
          { name: 'human', annotations: [] },
        ],
      },
      'parallel_stages[1].name: "human" is already the name of another stage',
    ],
    ['a threshold above 1', { threshold: 90 }, 'threshold: must be <= 1'],
    ['an invalid threshold of a class', { iou_thresholds: { car: 'high' } }, 'iou_thresholds.car: must be number'],
    ['annotations next to split_by', { split_by: 'annotator' }, 'parallel_stages[0]: must not have annotations if "split_by" is set'],
    ['a payload without split_by', { payload: '$request.payload' }, 'payload: requires "split_by"'],
    ['an unknown split_by', { split_by: 'team' }, 'split_by: must be one of "annotator"'],
    ['a target that is not a step', { on_disagreement: ['review'] }, 'on_disagreement[0]: must name a step'],
    ['a name that is a selector', { champion_stage: '$inputs.x' }, 'champion_stage: must name the stage'],
  ])('a consensus stage is refused with %s', (_what, fields, fault) => {
    expect(faultsOf(consensusStage, { ...manifest('$inputs.human', '$steps.m.predictions'), ...fields }).join()).toContain(fault);
  });

  test('a consensus stage with all properties is accepted', () => {
    expect(faultsOf(consensusStage, manifest('$inputs.human', '$steps.m.predictions'))).toEqual([]);
  });
});
