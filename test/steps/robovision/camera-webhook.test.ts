// robovision/camera_webhook@v1: the form for each kind of payload, the event filter, its outputs, and refused manifests and
// payloads.

import { describe, expect, test } from 'vitest';
import type { BodyPart, HttpMessage } from '../../../src/core/delivery/outbound.ts';
import { BACKGROUND_RETRY, NO_RETRY } from '../../../src/core/delivery/retry.ts';
import type { FileHandle } from '../../../src/core/run/request.ts';
import { ImagesWanted } from '../../../src/core/uql/image.ts';
import type { Payload } from '../../../src/payloads/payload.ts';
import { cameraWebhook } from '../../../src/steps/robovision/camera-webhook.ts';
import type { StepContext } from '../../../src/steps/step-type.ts';
import { answer, faultsOf, planOfKind, stepContext } from '../roboflow/step-context.ts';
import { KINDS, payloadOf, prediction, robovisionForm } from './forms.ts';

const URL = 'https://receiver.example.org/frames?key=1';

const contextWith = (files: readonly FileHandle[], given: Partial<StepContext> = {}): StepContext =>
  stepContext({ roots: { inputs: {}, steps: {}, request: { files } }, ...given });

function plan(payload: unknown, manifest: object = {}, files: readonly FileHandle[] = [], given: Partial<StepContext> = {}) {
  return cameraWebhook.plan({ url: URL, payload, ...manifest }, contextWith(files, given));
}

interface SentPart {
  name: string;
  filename: string;
  type: string;
  /** A JSON value, or the hash of a file. */
  content: unknown;
}

/** The parts of the form in order, by their headers only. */
function partsOf(message: HttpMessage): SentPart[] {
  const body = message.body as readonly BodyPart[];
  return body.slice(0, -1).flatMap((piece, index): SentPart[] => {
    if (index % 2 === 1 || !(piece instanceof Uint8Array)) return [];
    const head = Buffer.from(piece).toString();
    const [, name, filename, type] = /name="(.*)"; filename="(.*)"\r\nContent-Type: (.*)\r\n\r\n$/.exec(head) ?? [];
    const next = body[index + 1] as BodyPart;
    const content = next instanceof Uint8Array ? JSON.parse(Buffer.from(next).toString()) : 'sha256' in next && next.sha256;
    return [{ name: name ?? '', filename: filename ?? '', type: type ?? '', content }];
  });
}

function sentBy(payload: Payload, manifest: object = {}, files: readonly FileHandle[] = []): SentPart[] {
  return partsOf(planOfKind(plan(payload, manifest, files), 'deliver').message as HttpMessage);
}

const document = (payload: Payload, files: readonly FileHandle[] = []): unknown => sentBy(payload, {}, files).at(-1)?.content;

describe('the form', () => {
  test.each(KINDS)('a frame of %s is forwarded unchanged: image, masks and document, in this order and byte for byte', (kind) => {
    const { payload, handles } = robovisionForm(kind);
    const expected = handles.map(({ name, filename, content_type: type, sha256 }) => ({ name, filename, type, content: sha256 }));
    expect(sentBy(payload, {}, handles)).toEqual(expected);
    expect(sentBy(payload, { include_image: false }, handles)).toEqual(expected.slice(1));
    expect(sentBy({ ...payload, image: null }, {}, handles)).toEqual(expected.slice(1));
  });

  test('a mask that did not come is left out of the form', () => {
    const { payload, handles } = robovisionForm('robovision.instance_segmentation');
    const masks = payload.masks.map((mask, index) => (index === 0 ? { ...mask, file: null } : mask));
    expect(sentBy({ ...payload, masks }, {}, handles).map(({ filename }) => filename)).toEqual([
      'image.jpeg',
      'mask_0007.png',
      'predictions.json',
    ]);
  });

  test('a JPEG without a telling content type is sent unchanged', () => {
    const { payload, handles } = robovisionForm('robovision.image_classification');
    const image = { ...(payload.image as FileHandle), content_type: 'application/octet-stream' };
    expect(sentBy({ ...payload, image }, {}, handles)[0]).toMatchObject({ filename: 'image.jpeg', content: image.sha256 });
  });

  test('a mask that is a JPEG is sent as image/jpeg', () => {
    const { payload, handles } = robovisionForm('robovision.instance_segmentation');
    const masks = payload.masks.map((mask) => ({ ...mask, name: 'leaf.jpg' }));
    expect(sentBy({ ...payload, masks }, {}, handles)[1]).toMatchObject({ filename: 'leaf.jpg', type: 'image/jpeg' });
  });

  test('an image of another type is converted to JPEG', () => {
    const { payload, handles } = robovisionForm('robovision.image_classification');
    const image = { ...(payload.image as FileHandle), content_type: 'image/png' };
    const wants = () => {
      throw new ImagesWanted([{ image, form: { kind: 'jpeg', quality: 95 } }]);
    };
    expect(plan({ ...payload, image }, {}, handles, { images: { size: wants, jpeg: wants } })).toMatchObject({ kind: 'load' });
    const { body } = planOfKind(plan({ ...payload, image }, {}, handles), 'deliver').message as HttpMessage;
    expect(body?.[1]).toEqual(new Uint8Array([0xff, 0xd8, 0xff]));
  });

  test('the message has the headers of the manifest, its own content type, no redirects, and only 2xx is a success', () => {
    const { message } = planOfKind(
      plan(payloadOf({}), { headers: { 'X-Camera': 7 }, request_timeout: 3, signing_secret: 'whsec_x' }),
      'deliver',
    );
    expect(message).toMatchObject({
      method: 'POST',
      url: URL,
      headers: { 'X-Camera': '7', 'Content-Type': expect.stringMatching(/^multipart\/form-data; boundary=[0-9a-f]{32}$/) },
      timeoutMs: 3000,
      redirects: 'refuse',
      succeeds: '2xx',
      signingSecret: 'whsec_x',
    });
  });
});

describe('the document of another platform', () => {
  const box = { x: 10, y: 20, width: 30, height: 40 };

  test('boxes and polygons become object detection', () => {
    const ring = [
      { x: 5, y: 9 },
      { x: 25, y: 3 },
      { x: 11, y: 30 },
    ];
    const predictions = [
      prediction({ bounding_box: box, confidence: 0.123456789012345 }),
      prediction({ type: 'polygon', polygon: [ring], confidence: null }),
      prediction({ type: 'tag', class: 'wet', confidence: null }),
    ];
    expect(document(payloadOf({ source: 'v7', kind: 'v7.stage', predictions }))).toEqual({
      kind: 'ObjectDetection.v1',
      objects: [
        { classId: 'leaf', confidence: 0.123456789012345, boundingBox: box },
        { classId: 'leaf', boundingBox: { x: 5, y: 3, width: 20, height: 27 } },
        { classId: 'wet' },
      ],
    });
  });

  test('one label becomes image classification, several become multilabel, and none becomes an empty detection', () => {
    const [leaf, wet] = [prediction({ type: 'label' }), prediction({ type: 'tag', class: 'wet', confidence: 0.5 })];
    expect(document(payloadOf({ predictions: [leaf] }))).toEqual({ kind: 'ImageClassification.v1', classId: 'leaf', confidence: 0.9 });
    expect(document(payloadOf({ predictions: [leaf, wet] }))).toEqual({
      kind: 'MultilabelImageClassification.v1',
      labels: [
        { classId: 'leaf', confidence: 0.9 },
        { classId: 'wet', confidence: 0.5 },
      ],
    });
    expect(document(payloadOf({ predictions: [] }))).toEqual({ kind: 'ObjectDetection.v1', objects: [] });
  });

  test('masks in files become numbered instances, and masks within a document are left out', () => {
    const { payload, handles } = robovisionForm('robovision.instance_segmentation');
    const [first, second] = payload.masks;
    const masks = [{ name: null, file: null, class: 'soil', predictions: [0] }, { ...first, name: null }, second] as Payload['masks'];
    const predictions = [0, 1, 2].map((mask) => prediction({ type: 'mask', mask, confidence: null }));
    const sent = sentBy(payloadOf({ source: 'v7', kind: 'v7.stage', predictions, masks }), {}, handles);
    expect(sent.map(({ name, filename }) => [name, filename])).toEqual([
      ['mask_0000', 'mask_0000.png'],
      ['mask_0001', 'mask_0001.png'],
      ['predictions', 'predictions.json'],
    ]);
    expect(sent.at(-1)?.content).toEqual({
      kind: 'InstanceSegmentation.v1',
      instances: [{ classId: 'leaf' }, { classId: 'leaf', mask: 'mask_0000.png' }, { classId: 'leaf', mask: 'mask_0001.png' }],
    });
  });

  test.each(KINDS)('the document has the shape of its kind if %s came without one', (kind) => {
    const { payload, files, handles } = robovisionForm(kind);
    const came = JSON.parse(files.at(-1)?.content.toString() ?? '');
    const made = document({ ...payload, document: null }, handles) as Record<string, unknown>;
    expect(made['kind']).toBe(came.kind);
    expect(Object.keys(made)).toEqual(Object.keys(came));
  });
});

describe('the event filter', () => {
  const payload = payloadOf({ predictions: [prediction({ confidence: 0.4 }), prediction({ class: 'soil', confidence: 0.9 })] });

  test.each([
    [{ only_classes: ['leaf'] }, null],
    [{ only_classes: ['stone', 'soil'] }, null],
    [{ only_classes: ['leaf'], min_confidence: 0.4 }, null],
    [{ min_confidence: 0.9 }, null],
    [{ only_classes: ['stone', 'sand'] }, 'not sent: no prediction of "stone", "sand"'],
    [{ only_classes: ['leaf'], min_confidence: 0.5 }, 'not sent: no prediction of "leaf" with a confidence of at least 0.5'],
    [{ min_confidence: 0.95 }, 'not sent: no prediction with a confidence of at least 0.95'],
  ])('the filter %o decides whether the frame is sent', (manifest, message) => {
    const planned = plan(payload, manifest);
    if (message === null) expect(document(payload)).toEqual(partsOf(planOfKind(planned, 'deliver').message as HttpMessage).at(-1)?.content);
    else expect(planned).toMatchObject({ kind: 'completed', outputs: { sent: false, success: null, message, delivery_id: null }, message });
  });

  test('a prediction without a confidence counts as certain, and a frame without predictions is not an event', () => {
    const certain = payloadOf({ predictions: [prediction({ confidence: null })] });
    expect(plan(certain, { min_confidence: 1 }).kind).toBe('deliver');
    expect(plan(payloadOf({}), { min_confidence: 0 }).kind).toBe('completed');
    expect(plan(payloadOf({})).kind).toBe('deliver');
  });
});

describe('the step', () => {
  test('a background message has retries and completes the step at once; an awaited one has one attempt by default', () => {
    const background = planOfKind(plan(payloadOf({})), 'deliver');
    expect(background).toMatchObject({
      retry: BACKGROUND_RETRY,
      overflow: { policy: 'queue' },
      outcome: { outputs: { sent: true, success: null, status_code: null, message: 'sent in the background', delivery_id: 'dlv_1' } },
    });
    expect(planOfKind(plan(payloadOf({}), { fire_and_forget: false }), 'deliver')).toMatchObject({ retry: NO_RETRY, outcome: null });
    const retry = { max_retries: 2 };
    expect(planOfKind(plan(payloadOf({}), { fire_and_forget: 'no', retry }), 'deliver').retry.maxRetries).toBe(2);
  });

  test.each([
    [
      answer(200, 'Files uploaded successfully', 'OK'),
      {
        sent: true,
        success: true,
        status_code: 200,
        response_body: 'Files uploaded successfully',
        message: 'the receiver answered 200 OK',
      },
    ],
    [
      answer(400, 'No files uploaded'),
      { sent: true, success: false, status_code: 400, response_body: 'No files uploaded', message: 'the receiver answered 400' },
    ],
    [
      { kind: 'timeout', phase: 'headers' } as const,
      { sent: true, success: false, status_code: null, response_body: null, message: 'no answer in time (headers)' },
    ],
    [
      { kind: 'dropped', reason: 'the receiver is behind: 9 wait' } as const,
      { sent: false, success: false, status_code: null, response_body: null, message: 'the receiver is behind: 9 wait' },
    ],
  ])('the result %o becomes the outputs of the step', (result, outputs) => {
    expect(cameraWebhook.interpret?.({ url: URL, payload: {} }, result, stepContext())).toEqual({
      kind: 'completed',
      outputs: { ...outputs, delivery_id: 'dlv_1' },
      message: outputs.message,
    });
  });

  test('the overflow policy is read, with selected keys', () => {
    const overflowOf = (manifest: object) => planOfKind(plan(payloadOf({}), manifest), 'deliver').overflow;
    expect(overflowOf({ overflow: 'latest_wins', overflow_key: 'gate 7' })).toEqual({ policy: 'latest_wins', key: 'gate 7' });
    expect(overflowOf({ overflow: 'latest_wins', overflow_key: 7 })).toEqual({ policy: 'latest_wins', key: '7' });
    expect(overflowOf({ overflow: 'reject' })).toEqual({ policy: 'reject', limit: 100 });
    expect(overflowOf({ overflow: 'reject', overflow_limit: 3 })).toEqual({ policy: 'reject', limit: 3 });
  });

  test.each([null, '', {}, [], true, 'x'.repeat(201)])('the step fails for the overflow key %o before anything is sent', (key) => {
    expect(plan(payloadOf({}), { overflow: 'latest_wins', overflow_key: key })).toMatchObject({
      kind: 'failed',
      retryable: false,
      error: { code: 'invalid_setting', message: 'overflow_key must be text of 1 to 200 characters, or a number' },
    });
  });
});

describe('invalid payloads and settings', () => {
  const { payload, handles } = robovisionForm('robovision.instance_segmentation');
  const image = payload.image as FileHandle;
  const none = 'payload must be the payload of a vision platform, such as "$request.payload": ';

  test.each<[string, unknown, string]>([
    ['null', null, `${none}must be object`],
    ['text', 'robovision', `${none}must be object`],
    ['a list', [payload], `${none}must be object`],
    ['an empty object', {}, `${none}field "kind" is missing`],
    ['another source', { ...payload, source: 'x' }, `${none}source must be one of "robovision", "v7", "roboflow"`],
    ['invalid predictions', { ...payload, predictions: {} }, `${none}predictions must be array`],
    ['an invalid prediction', { ...payload, predictions: [prediction(), null] }, `${none}predictions[1] must be object`],
    [
      'a box without sides',
      { ...payload, predictions: [prediction({ bounding_box: { x: 1, y: 1 } as never })] },
      `${none}predictions[0].bounding_box field "width" is missing`,
    ],
    [
      'invalid points',
      { ...payload, predictions: [prediction({ polygon: [[null as never]] })] },
      `${none}predictions[0].polygon[0][0] must be object`,
    ],
    ['invalid masks', { ...payload, masks: [3] }, `${none}masks[0] must be object`],
    ['an invalid file', { ...payload, image: { name: 'x' } }, `${none}image field "filename" is missing`],
    [
      'an image of another request',
      { ...payload, image: { ...image, sha256: '0'.repeat(64) } },
      'the image of the payload is not a file of this request',
    ],
    [
      'a document of another request',
      { ...payload, document: { ...image, sha256: '0'.repeat(64) } },
      'the document of the payload is not a file of this request',
    ],
    [
      'a mask of another request',
      { ...payload, masks: [{ ...payload.masks[0], file: { ...image, sha256: '0'.repeat(64) } }] },
      'mask mask_0000.png of the payload is not a file of this request',
    ],
  ])('the step fails for an invalid payload and names the place: %s', (_what, value, message) => {
    expect(plan(value, {}, handles)).toEqual({ kind: 'failed', retryable: false, error: { code: 'invalid_payload', message } });
  });

  test.each<[object, string]>([
    [{ url: 'receiver.example.org' }, "Invalid URL 'receiver.example.org': No scheme supplied"],
    [{ url: 'ftp://receiver.example.org' }, 'No connection adapters were found'],
    [{ headers: { 'X-A': 'a\nb' } }, 'Invalid leading whitespace'],
    [{ request_timeout: 0 }, 'request_timeout must be from 1 to 3600 seconds, but is 0'],
    [{ only_classes: 'leaf' }, 'only_classes must be a list of class names'],
    [{ include_image: 'maybe' }, 'include_image must be true or false'],
  ])('the step fails for the invalid selected setting %o', (manifest, message) => {
    expect(plan(payload, manifest, handles)).toMatchObject({
      kind: 'failed',
      retryable: false,
      error: { code: 'invalid_setting', message: expect.stringContaining(message) },
    });
  });
});

describe('manifests', () => {
  const manifest = { url: '$inputs.url', payload: '$request.payload' };

  test('a manifest with all properties is accepted', () => {
    const full = {
      ...manifest,
      include_image: true,
      only_classes: ['leaf'],
      min_confidence: 0.5,
      overflow: 'latest_wins',
      overflow_key: '$inputs.camera_id',
      headers: { Authorization: '$steps.secrets.token' },
      request_timeout: 5,
      signing_secret: '$steps.secrets.signing',
      fire_and_forget: true,
      retry: { max_retries: 3 },
    };
    expect(faultsOf(cameraWebhook, full)).toEqual([]);
    expect(faultsOf(cameraWebhook, { ...manifest, overflow: 'reject', overflow_limit: 5 })).toEqual([]);
  });

  test.each<[object, string[]]>([
    [{ payload: {} }, ['payload: must be a selector of a value, such as "$inputs.x" or "$steps.name.output"']],
    [{ overflow: 'drop' }, ['overflow: must be one of "queue", "latest_wins", "reject"']],
    [
      { overflow: 'latest_wins' },
      ['overflow_key: is missing: "latest_wins" needs a key that says which messages replace each other, such as "$inputs.camera_id"'],
    ],
    [{ overflow_key: 'a' }, ['overflow_key: requires "overflow": "latest_wins", but it is "queue"']],
    [
      { overflow: 'latest_wins', overflow_key: 'a', overflow_limit: 3 },
      ['overflow_limit: requires "overflow": "reject", but it is "latest_wins"'],
    ],
    [{ overflow: 'reject', overflow_limit: 0 }, ['overflow_limit: must be >= 1']],
    [{ only_classes: 'leaf' }, ['only_classes: must be a list of class names, or a selector of one']],
    [{ min_confidence: 2 }, ['min_confidence: must be a number from 0 to 1, or a selector of one']],
    [
      { headers: { 'content-type': 'x' } },
      ['headers.content-type: is set by the step, because it contains the boundary of the form; remove it'],
    ],
    [{ method: 'PUT' }, [expect.stringContaining('unknown field "method"')]],
  ])('the manifest %o is refused with the path', (fields, faults) => {
    expect(faultsOf(cameraWebhook, { ...manifest, ...fields })).toEqual(faults);
  });
});
