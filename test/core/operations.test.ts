// Operations: faults of definitions, chains over detections and images, and hostile values.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseJson, stringifyJson } from '../../src/core/json/json.ts';
import { stringifyShown } from '../../src/core/json/stored-value.ts';
import { createSchemaCheck } from '../../src/core/schema.ts';
import { ImageFault, type Images, ImagesWanted, unloadedImages } from '../../src/core/uql/image.ts';
import { applyOperations, compileOperations, operationsFaults, operationsSchema } from '../../src/core/uql/operations/apply-operations.ts';
import { operations, ownOperations, roboflowOperations } from '../../src/core/uql/operations/index.ts';
import type { OperationContext, OperationDefinition } from '../../src/core/uql/operations/operation.ts';
import { OperationFault } from '../../src/core/uql/operations/operation-fault.ts';
import { Bytes } from '../../src/core/values/bytes.ts';
import { Timestamp } from '../../src/core/values/timestamp.ts';

const context: OperationContext = { parameters: {}, images: unloadedImages, random: () => 0.25 };

function run(value: unknown, ...chain: OperationDefinition[]): unknown {
  return applyOperations(value, chain, context);
}

function faultOf(value: unknown, ...chain: OperationDefinition[]): OperationFault {
  try {
    run(value, ...chain);
  } catch (error) {
    if (error instanceof OperationFault) return error;
    throw error;
  }
  return expect.fail('nothing was wrong');
}

const detections = parseJson(`{"image":{"width":100,"height":50},"time":0.1,"predictions":[
  {"class":"car","x":10,"y":10,"width":4,"height":6,"confidence":0.5,"class_id":2,"tracker_id":9,"plate":"XY-1",
   "points":[{"x":1,"y":2},{"x":3,"y":4},{"x":5,"y":6}],"speed":3,"keypoints":[{"x":1,"y":2,"confidence":1,"class":"k","class_id":0}]},
  {"class":"dog","x":30.5,"y":20,"width":2,"height":2,"confidence":1,"class_id":1}]}`) as { predictions: unknown[] };

describe('definitions', () => {
  test('every fault of a chain has its place and says what would be right', () => {
    const faults = operationsFaults([
      { type: 'Nonsense' },
      {},
      'SequenceLength',
      { type: 'Multiply' },
      { type: 'SequenceApply', operations: [{ type: 'NumberRound', decimal_digits: 1.5 }] },
      { type: 'ConvertImageToJPEG', compression_level: 101 },
      { type: 'StringMatches', regex: '(?<=a)b' },
      { type: 'StringMatches', regex: '(' },
      { type: 'ToNumber', cast_to: 'double' },
      { type: 'DetectionsFilter', filter_operation: { type: 'StatementGroup', statements: [] } },
      { type: 'DetectionsRename', class_map: ['a'] },
    ]);
    const shown = Object.fromEntries(faults.map(({ path, message }) => [path, message]));
    expect(shown).toMatchObject({
      '[0].type': expect.stringContaining('"Nonsense" is not an operation; known are StringToLowerCase, '),
      '[1]': expect.stringContaining('field "type" is missing'),
      '[2]': 'must be an object, such as {"type":"SequenceLength"}',
      '[3].other': 'is missing; it must be a number',
      '[4].operations[0].decimal_digits': 'must be an integer',
      '[5].compression_level': 'must be an integer from 1 to 100',
      '[6].regex': expect.stringContaining('lookbehind'),
      '[7].regex': expect.stringContaining('is not a valid regular expression'),
      '[8].cast_to': 'must be one of "int", "float"',
      '[9].filter_operation.statements': 'must be a list of at least one statement',
      '[10].class_map': 'must be an object with text values, or the name of a parameter that contains it',
    });
    expect(faults.length).toBe(11);
  });

  test.each(['SequenceLength', {}, null, 5])('a chain that is not a list is a fault: %j', (definitions) => {
    expect(operationsFaults(definitions)).toEqual([{ path: '', message: 'must be a list of operations' }]);
  });

  test('unknown parameters of an operation are ignored', () => {
    expect(operationsFaults([{ type: 'ToString', comment: 'for the log' }])).toEqual([]);
  });

  test.each([
    [{ type: 'Multiply', other: '2' }, 3, '6'],
    [{ type: 'Multiply', other: '2.5' }, 2, '5.0'],
    [{ type: 'Multiply', other: true }, 3, '3'],
    [{ type: 'NumberRound', decimal_digits: '1' }, 0.25, '0.2'],
    [{ type: 'StringSubSequence', start: 1.0, end: true }, 'abc', '""'],
    [{ type: 'RandomNumber', min_value: '1', max_value: 3 }, null, '1.5'],
  ])('parameters are coerced as by pydantic: %j', (operation, value, expected) => {
    expect(stringifyJson(run(value, operation))).toBe(expected);
  });

  test('a number parameter keeps its type and its digits', () => {
    const [operation] = parseJson('[{"type":"Multiply","other":2.0}]') as [OperationDefinition];
    expect(stringifyJson(run(3, operation))).toBe('6.0');
    const [large] = parseJson('[{"type":"Multiply","other":9007199254740993}]') as [OperationDefinition];
    expect(stringifyJson(run(3, large))).toBe('27021597764222979');
  });

  test('the schema in manifests accepts a chain and refuses an operation without a type', () => {
    const check = createSchemaCheck(operationsSchema);
    expect(check([{ type: 'ToString' }, { type: 'Multiply', other: 2 }])).toEqual([]);
    expect(check([{}])).toEqual([{ path: '[0]', message: 'field "type" is missing' }]);
  });

  test('every operation and every parameter has a description', () => {
    expect(roboflowOperations.length).toBe(36);
    expect(ownOperations.length).toBe(6);
    expect(new Set(operations.map(({ type }) => type)).size).toBe(36 + 6);
    for (const { summary, parameters } of operations) {
      expect(summary).toMatch(/^[A-Z].*\.$/);
      for (const { schema } of Object.values(parameters)) expect(schema['description']).toEqual(expect.any(String));
    }
  });
});

describe('detections', () => {
  test('detections have a length and are true unless empty', () => {
    expect(run(detections, { type: 'SequenceLength' })).toBe(2);
    expect(run(detections, { type: 'ToBoolean' })).toBe(true);
    expect(run({ ...detections, predictions: [] }, { type: 'ToBoolean' })).toBe(false);
  });

  test.each([
    ['without an image', { predictions: [] }],
    ['with a prediction without a box', { image: {}, predictions: [{ class: 'car' }] }],
    ['with a box that is text', { image: {}, predictions: [{ ...(detections.predictions[1] as object), x: '1' }] }],
    ['of a classification', { image: {}, predictions: [], top: 'cat' }],
    ['of a classification with several classes', { image: {}, predictions: [], predicted_classes: [] }],
  ])('an object %s is not detections', (_title, value) => {
    expect(faultOf(value, { type: 'SortDetections', mode: 'size' })).toMatchObject({ type: 'InvalidInputTypeError' });
    expect(run(value, { type: 'SequenceLength' })).toBe(Object.keys(value).length);
  });

  test("detections are written in the order of Roboflow's keys, with floats as floats and extra values at the end", () => {
    expect(stringifyJson(run(detections, { type: 'DetectionsSelection', mode: 'first' }))).toBe(
      '{"image":{"width":100,"height":50},"predictions":[{"width":4.0,"height":6.0,"x":10.0,"y":10.0,"confidence":0.5,"class_id":2,' +
        '"points":[{"x":1.0,"y":2.0},{"x":3.0,"y":4.0},{"x":5.0,"y":6.0}],"tracker_id":9,"class":"car",' +
        '"keypoints":[{"class_id":0,"class":"k","confidence":1.0,"x":1.0,"y":2.0}],"speed":3.0,"plate":"XY-1"}]}',
    );
  });

  test('detections without predictions have no image size', () => {
    const nothing = run(detections, { type: 'PickDetectionsByParentClass', parent_class: 'cat' });
    expect(nothing).toEqual({ image: { width: null, height: null }, predictions: [] });
    expect(run(nothing, { type: 'SequenceLength' })).toBe(0);
  });

  test('the opposite offset restores boxes that an offset turned inside out', () => {
    const back = run(
      detections,
      { type: 'DetectionsOffset', offset_x: -50, offset_y: -50 },
      { type: 'DetectionsOffset', offset_x: 50, offset_y: 50 },
    );
    expect(stringifyJson(back)).toBe(stringifyJson(run(detections, { type: 'DetectionsShift', shift_x: 0, shift_y: 0 })));
  });

  test('SequenceApply runs on single detections, of detections and of a list of predictions', () => {
    const chain = { type: 'SequenceApply', operations: [{ type: 'ExtractDetectionProperty', property_name: 'center' }] };
    expect(stringifyShown(run(detections, chain))).toBe('[[10.0,10.0],[30.5,20.0]]');
    expect(stringifyShown(run(detections.predictions, chain))).toBe('[[10.0,10.0],[30.5,20.0]]');
  });

  test('operations that do not accept detections get them as JSON', () => {
    const texts = run(detections, { type: 'DetectionsShift', shift_x: 1, shift_y: 0 }, { type: 'ConvertDictionaryToJSON' }) as string;
    expect(texts).toMatch(/^\{"image": \{"width": 100, "height": 50\}, "predictions": \[\{"width": 4\.0, "height": 6\.0, "x": 11\.0/);
    expect(run(detections, { type: 'SequenceJoin', separator: '|' })).toMatch(/^\{'width': 4\.0, .*\}\|\{'width': 2\.0, /);
  });

  test('DetectionsFilter compares with values of the context', () => {
    const filter = {
      type: 'DetectionsFilter',
      filter_operation: {
        type: 'StatementGroup',
        statements: [
          {
            type: 'BinaryStatement',
            left_operand: { type: 'DynamicOperand', operations: [{ type: 'ExtractDetectionProperty', property_name: 'confidence' }] },
            comparator: { type: '(Number) >' },
            right_operand: { type: 'DynamicOperand', operand_name: 'least' },
          },
        ],
      },
    };
    const kept = applyOperations(detections, [filter, { type: 'SequenceLength' }], { ...context, parameters: { least: 0.7 } });
    expect(kept).toBe(1);
    expect(faultOf(detections, filter)).toMatchObject({
      type: 'UndeclaredSymbolError',
      message:
        'Attempted to execute evaluation of type: BinaryStatement in context <root>[0].statements[0], but encountered error: Encountered undefined symbol `least`',
    });
  });

  test('DetectionsRename treats a class called constructor like any other', () => {
    const named = { image: {}, predictions: [{ ...(detections.predictions[1] as object), class: 'constructor' }] };
    expect(faultOf(named, { type: 'DetectionsRename', class_map: {} }).message).toBe("Class 'constructor' not found in class_map.");
    const renamed = run(named, { type: 'DetectionsRename', class_map: {}, strict: false }) as typeof detections;
    expect(renamed.predictions[0]).toMatchObject({ class: 'constructor', class_id: 1 });
  });
});

describe('images', () => {
  const photo = { type: 'base64', value: 'aGk=' };
  const handle = { name: 'f', filename: 'f.png', content_type: 'image/png', size: 3, sha256: 'a'.repeat(64) };
  const images: Images = { size: () => ({ width: 30, height: 20 }), jpeg: (_image, quality) => Uint8Array.of(255, 216, quality) };

  test.each([
    ['a file', handle],
    ['base64', photo],
    ['a data URL', 'data:image/png;base64,aGk='],
    ['text that begins as a JPEG does', '/9j/4AAQSkZJRg=='],
  ])('an operation requests an image before it reads it: %s', (_title, image) => {
    const look = (): unknown => run(image, { type: 'ExtractImageProperty', property_name: 'width' });
    expect(look).toThrow(ImagesWanted);
    expect(applyOperations(image, [{ type: 'ExtractImageProperty', property_name: 'aspect_ratio' }], { ...context, images })).toBe(1.5);
  });

  test('SequenceApply requests the images of all items at once', () => {
    const chain = compileOperations([{ type: 'SequenceApply', operations: [{ type: 'ConvertImageToJPEG', compression_level: 80 }] }]);
    const wanted = (): unknown => chain([photo, handle], context);
    expect(wanted).toThrow(
      expect.objectContaining({ wants: [photo, handle].map((image) => ({ image, form: { kind: 'jpeg', quality: 80 } })) }),
    );
    expect(chain([photo, handle], { ...context, images })).toEqual([
      new Bytes(Uint8Array.of(255, 216, 80)),
      new Bytes(Uint8Array.of(255, 216, 80)),
    ]);
  });

  test('ConvertImageToBase64 keeps base64 unchanged and encodes a file as a JPEG', () => {
    expect(run(photo, { type: 'ConvertImageToBase64' })).toBe('aGk=');
    expect(applyOperations(handle, [{ type: 'ConvertImageToBase64' }], { ...context, images })).toBe('/9hf');
  });

  test.each(['hello', 'aGVsbG8gd29ybGQ=', { type: 'base64', value: 5 }, { sha256: 'abc', size: 3 }, null, 7])(
    'the value %j is not an image',
    (value) => {
      for (const type of ['ConvertImageToJPEG', 'ConvertImageToBase64']) {
        expect(faultOf(value, { type })).toMatchObject({ type: 'InvalidInputTypeError' });
      }
    },
  );

  test('an image that cannot be read is an OperationError with the reason', () => {
    const broken: Images = {
      size() {
        throw new ImageFault('it is damaged');
      },
      jpeg: images.jpeg,
    };
    const look = (): unknown =>
      applyOperations(photo, [{ type: 'ExtractImageProperty', property_name: 'width' }], { ...context, images: broken });
    expect(look).toThrow(expect.objectContaining({ type: 'OperationError', message: expect.stringContaining('it is damaged') }));
  });

  test('an image without metadata was taken at the time of the context, and is a fault without one', () => {
    const chain = [{ type: 'ExtractFrameMetadata', property_name: 'frame_timestamp' }];
    expect(applyOperations(photo, chain, { ...context, now: 0 })).toEqual(Timestamp.ofEpoch(0));
    expect(faultOf(photo, ...chain)).toMatchObject({ type: 'OperationError' });
  });
});

describe('hostile values', () => {
  test('keys of Object.prototype are not found in tables and are counted as text', () => {
    expect(faultOf('constructor', { type: 'LookupTable', lookup_table: {} }).type).toBe('InvalidInputTypeError');
    expect(faultOf(['__proto__'], { type: 'SequenceMap', lookup_table: {} }).type).toBe('InvalidInputTypeError');
    const counted = run(['__proto__', '__proto__'], { type: 'SequenceElementsCount' }) as Record<string, unknown>;
    expect(Object.entries(counted)).toEqual([['__proto__', 2]]);
    expect(Object.getPrototypeOf(counted)).toBe(Object.prototype);
  });

  test('Multiply refuses to repeat a value beyond a length of a million', () => {
    expect(faultOf('ab', { type: 'Multiply', other: 10 ** 9 }).message).toContain('1000000');
    expect(faultOf([1], { type: 'Multiply', other: 10 ** 9 }).message).toContain('1000000');
    expect(run('ab', { type: 'Multiply', other: -5 })).toBe('');
  });

  test('operations never change their input', () => {
    const before = stringifyJson(detections);
    run(
      detections,
      { type: 'SortDetections', mode: 'x_min', ascending: false },
      { type: 'DetectionsRename', class_map: { car: 'a', dog: 'b' } },
    );
    run(detections.predictions, { type: 'SequenceAggregate', mode: 'last' });
    expect(stringifyJson(detections)).toBe(before);
  });

  test('any input of an operation gives a value or an OperationFault', () => {
    const definitions: OperationDefinition[] = [
      { type: 'StringToLowerCase' },
      { type: 'LookupTable', lookup_table: { a: 1 } },
      { type: 'ToNumber', cast_to: 'int' },
      { type: 'NumberRound', decimal_digits: 1 },
      { type: 'SequenceMap', lookup_table: {} },
      { type: 'NumericSequenceAggregate', function: 'sum' },
      { type: 'NumericSequenceAggregate', function: 'max' },
      { type: 'SequenceAggregate', mode: 'least_common' },
      { type: 'SequenceAggregate', mode: 'last' },
      { type: 'ToString' },
      { type: 'ToBoolean' },
      { type: 'StringSubSequence' },
      { type: 'StringMatches', regex: '\\bx$' },
      { type: 'SequenceLength' },
      { type: 'SequenceElementsCount' },
      { type: 'SequenceJoin' },
      { type: 'Multiply', other: 2 },
      { type: 'Divide', other: 3 },
      { type: 'TimestampToISOFormat' },
      { type: 'ConvertDictionaryToJSON' },
      { type: 'ClassificationPropertyExtract', property_name: 'all_classes' },
      { type: 'ClassificationPropertyExtract', property_name: 'top_class_confidence_single' },
      { type: 'DetectionsPropertyExtract', property_name: 'keypoints_xy' },
      { type: 'SequenceApply', operations: [{ type: 'ToString' }] },
    ];
    const chains = definitions.map((definition) => compileOperations([definition]));
    const anyValue = fc.oneof(
      fc.jsonValue(),
      fc.jsonValue().map((predictions) => ({ image: {}, predictions })),
      fc.jsonValue().map((predictions) => ({ predicted_classes: ['a'], predictions })),
    );
    fc.assert(
      fc.property(anyValue, (value) => {
        for (const chain of chains) {
          try {
            chain(value, context);
          } catch (error) {
            expect(error).toBeInstanceOf(OperationFault);
          }
        }
      }),
      { numRuns: 300 },
    );
  });
});
