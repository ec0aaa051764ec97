// The Webhook Sink document, sentence by sentence: each title quotes what it proves, each snippet stands in a workflow
// as printed, an HTTP request starts the run, and a receiver looks at what arrives.

import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { startReceiver } from '../delivery/hostile-receiver.ts';
import { handClock } from '../engine/run-support.ts';
import { type RecordedRequest, type Recorder, startRecorder } from '../steps/roboflow/wire-recorder.ts';
import { onTestEnd } from '../support/cleanup.ts';
import { shareApp } from '../support/shared-app.ts';
import { silentAddress } from '../support/silent-address.ts';
import { startTestApp, type TestApp } from '../support/start-app.ts';
import { until } from '../support/until.ts';

const ALLOWED = { settings: { outbound_allow: '127.0.0.0/8' } };
const app = shareApp(ALLOWED);

const parameter = (name: string, defaultValue: unknown = null) => ({ type: 'WorkflowParameter', name, default_value: defaultValue });
const image = (name: string) => ({ type: 'WorkflowImage', name });
const set = (name: string, values: Record<string, unknown>) => ({ type: 'sluice/set@v1', name, values });

const OUTPUTS = ['error_status', 'throttling_status', 'message'];
const SENT = { error_status: false, throttling_status: false, message: 'Notification sent successfully' };
const SENT_IN_BACKGROUND = { ...SENT, message: 'Notification sent in the background task' };
const THROTTLED = { error_status: false, throttling_status: true, message: 'Sink cooldown applies' };
const DISABLED = { ...SENT, message: 'Sink was disabled by parameter `disable_sink`' };

const DETECTIONS = {
  image: { width: 640, height: 480 },
  predictions: ['dog', 'cat', 'dog'].map((name, index) => ({
    x: 10.5 + index,
    y: 20,
    width: 4,
    height: 8.0,
    confidence: 0.5,
    class: name,
    class_id: index % 2,
    detection_id: `d${index}`,
  })),
};

async function receiver(response?: string): Promise<Recorder & { url: string; only(): RecordedRequest }> {
  const recorder = await startRecorder(response);
  onTestEnd(recorder.close);
  const only = (): RecordedRequest => {
    expect(recorder.requests).toHaveLength(1);
    return recorder.requests[0] as RecordedRequest;
  };
  return { ...recorder, url: `http://127.0.0.1:${recorder.port}/some/resource`, only };
}

let count = 0;

interface Workflow {
  inputs?: object[];
  /** Steps beside the webhook. */
  steps?: object[];
  outputs?: object[];
}

/** A sink whose workflow sends with these properties; returns its URL. */
async function sinkThatSends(
  properties: Record<string, unknown>,
  { inputs = [], steps = [], outputs = [] }: Workflow = {},
  server: TestApp = app(),
): Promise<string> {
  count += 1;
  const id = `webhook-${count}`;
  const step = { type: 'roboflow_core/webhook_sink@v1', name: 'webhook', method: 'POST', ...properties };
  const told = OUTPUTS.map((name) => ({ type: 'JsonField', name, selector: `$steps.webhook.${name}` }));
  await server.workflow(id, { inputs, steps: [...steps, step], outputs: [...told, ...outputs] });
  await server.sink({ path: `/${id}`, workflow_id: id, response: 'wait' });
  return `${server.url}/shop/${id}`;
}

const AWAITED = { fire_and_forget: false, cooldown_seconds: 0 };

/** Triggers with a JSON body, or with a form; returns the run's output. */
async function run(url: string, body: unknown = {}): Promise<any> {
  const init = body instanceof FormData ? { body } : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
  const response = await fetch(url, { method: 'POST', ...init });
  const answer = (await response.json()) as { output?: unknown };
  expect(answer, JSON.stringify(answer)).toHaveProperty('output');
  return answer.output;
}

const bodyOf = ({ body }: RecordedRequest): unknown => JSON.parse(body.toString());

interface ReceivedPart {
  head: string;
  content: Buffer;
}

function partsOf({ headers, body }: RecordedRequest): ReceivedPart[] {
  const boundary = /^multipart\/form-data; boundary=([0-9a-f]{32})$/.exec(headers['content-type'] ?? '')?.[1] as string;
  const text = body.toString('latin1');
  expect(text.endsWith(`\r\n--${boundary}--\r\n`)).toBe(true);
  return `\r\n${text}`
    .split(`\r\n--${boundary}`)
    .slice(1, -1)
    .map((part) => {
      const end = part.indexOf('\r\n\r\n');
      return { head: part.slice(2, end), content: Buffer.from(part.slice(end + 4), 'latin1') };
    });
}

async function pngUpload(fields: Record<string, string> = {}): Promise<{ form: FormData; png: Buffer }> {
  const gradient = Buffer.from(Array.from({ length: 48 * 32 * 3 }, (_, index) => index % 256));
  const png = await sharp(gradient, { raw: { width: 48, height: 32, channels: 3 } })
    .png()
    .toBuffer();
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.set(name, value);
  form.set('image', new Blob([new Uint8Array(png)], { type: 'image/png' }), 'frame.png');
  return { form, png };
}

describe('overview', () => {
  test('"The Webhook Sink block enables sending a data from Workflow into external APIs by sending HTTP requests containing workflow results."', async () => {
    const { url, only } = await receiver();
    const properties = { ...AWAITED, url, json_payload: { result: '$steps.result.value' } };
    const sink = await sinkThatSends(properties, { inputs: [parameter('event')], steps: [set('result', { value: '$inputs.event' })] });
    expect(await run(sink, { event: 'Größe' })).toEqual(SENT);
    expect(only()).toMatchObject({ method: 'POST', target: '/some/resource', headers: { 'content-type': 'application/json' } });
    expect(only().body.toString()).toBe('{"result": "Gr\\u00f6\\u00dfe"}');
  });

  test.each(['GET', 'POST', 'PUT'])('"It supports multiple HTTP methods (GET, POST, PUT)": %s', async (method) => {
    const { url, only } = await receiver();
    expect(await run(await sinkThatSends({ ...AWAITED, url, method, json_payload: { a: 1 } }))).toEqual(SENT);
    expect(only().method).toBe(method);
    expect(only().body.toString()).toBe('{"a": 1}');
  });

  test('"and can be configured to send: JSON payloads, query parameters, multipart-encoded files"', async () => {
    const { url, requests } = await receiver();
    const contents = [
      { json_payload: { field: 'json' } },
      { query_parameters: { field: 'query' } },
      { multi_part_encoded_files: { field: 'file' } },
      { form_data: { field: 'form' } },
    ];
    for (const content of contents) await run(await sinkThatSends({ ...AWAITED, url, ...content }));
    expect(requests.map(({ target }) => target)).toEqual(['', '?field=query', '', ''].map((query) => `/some/resource${query}`));
    expect(requests[0]?.body.toString()).toBe('{"field": "json"}');
    expect(requests[1]?.body.toString()).toBe('{}');
    expect(partsOf(requests[2] as RecordedRequest).map(({ content }) => content.toString())).toEqual(['file']);
    expect(requests[3]?.body.toString()).toBe('field=form');
  });
});

describe('setting query parameters and headers', () => {
  test('"will send request into the following URL: https://your-host/some/resource?api_key=<API_KEY_VALUE>"', async () => {
    const { url, only } = await receiver();
    const query_parameters = { api_key: '$inputs.api_key' };
    const sink = await sinkThatSends({ ...AWAITED, url, query_parameters }, { inputs: [parameter('api_key')] });
    await run(sink, { api_key: '<API_KEY_VALUE> & more' });
    expect(only().target).toBe('/some/resource?api_key=%3CAPI_KEY_VALUE%3E+%26+more');
  });

  test('"Setting headers is as easy as setting query parameters"', async () => {
    const { url, only } = await receiver();
    const sink = await sinkThatSends({ ...AWAITED, url, headers: { api_key: '$inputs.api_key' } }, { inputs: [parameter('api_key')] });
    await run(sink, { api_key: 'key of the caller' });
    expect(only().headers['api_key']).toBe('key of the caller');
    expect(only().target).toBe('/some/resource');
  });

  test('a header that would begin another one is not sent, and the step says why', async () => {
    const { url, requests } = await receiver();
    const sink = await sinkThatSends({ ...AWAITED, url, headers: { api_key: '$inputs.api_key' } }, { inputs: [parameter('api_key')] });
    const output = await run(sink, { api_key: 'a\r\nX-Admin: yes' });
    expect(output).toMatchObject({ error_status: true, message: expect.stringContaining('return character(s) in header value') });
    expect(requests).toEqual([]);
  });
});

describe('sending JSON payloads', () => {
  const DETECTIONS_NUMBER = {
    json_payload: {
      detections_number: '$steps.model.predictions',
    },
    json_payload_operations: {
      detections_number: [{ type: 'SequenceLength' }],
    },
  };
  const withModel = { inputs: [parameter('detections')], steps: [set('model', { predictions: '$inputs.detections' })] };

  test('"you want to send number of bounding boxes predicted by object detection model in body field named detections_number"', async () => {
    const { url, requests } = await receiver();
    const sink = await sinkThatSends({ ...AWAITED, url, ...DETECTIONS_NUMBER }, withModel);
    await run(sink, { detections: DETECTIONS });
    await run(sink, { detections: { ...DETECTIONS, predictions: [] } });
    expect(requests.map(({ body }) => body.toString())).toEqual(['{"detections_number": 3}', '{"detections_number": 0}']);
  });

  test('"json_payload works similarly to query_parameters and headers, but you can optionally apply UQL operations"', async () => {
    const { url, only } = await receiver();
    const json_payload = { all: '$steps.model.predictions', classes: '$steps.model.predictions', note: 'as it is' };
    const json_payload_operations = { classes: [{ type: 'DetectionsPropertyExtract', property_name: 'class_name' }] };
    await run(await sinkThatSends({ ...AWAITED, url, json_payload, json_payload_operations }, withModel), { detections: DETECTIONS });
    expect(bodyOf(only())).toEqual({ all: DETECTIONS, classes: ['dog', 'cat', 'dog'], note: 'as it is' });
  });

  test('an operation that its value does not fit fails the run, names the reason, and sends nothing', async () => {
    const { url, requests } = await receiver();
    const sink = await sinkThatSends({ ...AWAITED, url, ...DETECTIONS_NUMBER }, withModel);
    const response = await fetch(sink, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"detections": 7}',
    });
    expect(response.status).toBe(502);
    expect(((await response.json()) as any).error).toMatchObject({
      step: 'webhook',
      message: expect.stringContaining("object of type 'int' has no len()"),
    });
    expect(requests).toEqual([]);
  });
});

describe('multipart-encoded files', () => {
  test('"Let\'s assume you want to send the image in the request"', async () => {
    const { url, only } = await receiver();
    const files = {
      multi_part_encoded_files: {
        image: '$inputs.image',
      },
      multi_part_encoded_files_operations: {
        image: [{ type: 'ConvertImageToJPEG' }],
      },
    };
    const { form } = await pngUpload();
    expect(await run(await sinkThatSends({ ...AWAITED, url, ...files }, { inputs: [image('image')] }), form)).toEqual(SENT);
    const [part, ...others] = partsOf(only());
    expect(others).toEqual([]);
    expect(part?.head).toBe('Content-Disposition: form-data; name="image"; filename="image"');
    expect(await sharp(part?.content).metadata()).toMatchObject({ format: 'jpeg', width: 48, height: 32, channels: 3 });
  });

  test('"image": "$inputs.image" without operations sends the received file on, byte for byte', async () => {
    const { url, only } = await receiver();
    const { form, png } = await pngUpload();
    const properties = { ...AWAITED, url, multi_part_encoded_files: { image: '$inputs.image' } };
    await run(await sinkThatSends(properties, { inputs: [image('image')] }), form);
    const [part] = partsOf(only());
    expect(part?.head).toBe('Content-Disposition: form-data; name="image"; filename="frame.png"\r\nContent-Type: image/png');
    expect(part?.content.equals(png)).toBe(true);
  });

  test('an image that comes as Roboflow\'s JSON, {"type": "base64", "value": …}, is converted like a file', async () => {
    const { url, only } = await receiver();
    const { png } = await pngUpload();
    const properties = {
      ...AWAITED,
      url,
      multi_part_encoded_files: { image: '$inputs.image' },
      multi_part_encoded_files_operations: { image: [{ type: 'ConvertImageToJPEG' }] },
    };
    const sink = await sinkThatSends(properties, { inputs: [image('image')] });
    await run(sink, { image: { type: 'base64', value: png.toString('base64') } });
    expect(await sharp(partsOf(only())[0]?.content).metadata()).toMatchObject({ format: 'jpeg', width: 48, height: 32 });
  });
});

describe('cooldown', () => {
  test('"cooldown_seconds (which defaults to 5 seconds)" and "setting 0 indicate no cooldown"', async () => {
    const { clock, advance } = handClock();
    const server = await startTestApp({ ...ALLOWED, clock });
    const [byDefault, without] = [await receiver(), await receiver()];
    const cooling = await sinkThatSends({ url: byDefault.url, fire_and_forget: false }, {}, server);
    const eager = await sinkThatSends({ url: without.url, ...AWAITED }, {}, server);
    const outputs: unknown[] = [];
    for (const passedMs of [0, 1, 4998, 1]) {
      advance(passedMs);
      outputs.push(await run(cooling));
      expect(await run(eager)).toEqual(SENT);
    }
    expect(outputs).toEqual([SENT, THROTTLED, THROTTLED, SENT]);
    expect(byDefault.requests).toHaveLength(2);
    expect(without.requests).toHaveLength(4);
  });

  test('"During cooldown period, consecutive runs of the step will cause throttling_status output to be set True and no notification will be sent."', async () => {
    const { url, requests } = await receiver('500 Internal Server Error');
    const sink = await sinkThatSends({ url, fire_and_forget: false, cooldown_seconds: 600 });
    expect(await run(sink)).toMatchObject({ error_status: true, throttling_status: false });
    for (let again = 0; again < 3; again += 1) expect(await run(sink)).toEqual(THROTTLED);
    expect(requests).toHaveLength(1);
  });
});

describe('async execution', () => {
  test('"Set it to True if you want the request to be sent in the background, allowing the Workflow to proceed without waiting on data to be sent."', async () => {
    const { url, requests } = await receiver();
    const body = { json_payload: { n: '$inputs.n' }, fire_and_forget: true, cooldown_seconds: 0 };
    expect(await run(await sinkThatSends({ url, ...body }, { inputs: [parameter('n')] }), { n: 1 })).toEqual(SENT_IN_BACKGROUND);
    await until('the message to arrive', () => requests.length === 1);
    expect(bodyOf(requests[0] as RecordedRequest)).toEqual({ n: 1 });
  });

  test('"you will not be able to rely on error_status output which will always be set to False"', async () => {
    const { url, requests } = await receiver('403 Forbidden');
    expect(await run(await sinkThatSends({ url }))).toEqual(SENT_IN_BACKGROUND);
    await until('the message to arrive', () => requests.length === 1);
  });

  test.each([
    ['403 Forbidden', '403 Client Error: Forbidden for url: '],
    ['500 Internal Server Error', '500 Server Error: Internal Server Error for url: '],
  ])('"we recommend setting the fire_and_forget=False for debugging purposes": %s', async (response, fault) => {
    const { url } = await receiver(response);
    const output = await run(await sinkThatSends({ ...AWAITED, url }));
    const message = `Failed to send webhook notification. Internal error details: ${fault}${url}`;
    expect(output).toEqual({ error_status: true, throttling_status: false, message });
  });

  test('a receiver that is not there is an error that the workflow goes on after', async () => {
    const url = await silentAddress();
    const after = { steps: [set('after', { failed: '$steps.webhook.error_status' })] };
    const outputs = [{ type: 'JsonField', name: 'failed', selector: '$steps.after.failed' }];
    const output = await run(await sinkThatSends({ ...AWAITED, url }, { ...after, outputs }));
    expect(output).toMatchObject({ error_status: true, failed: true, message: expect.stringContaining('[Errno 111] Connection refused') });
  });
});

describe('disabling notifications based on runtime parameter', () => {
  test('"caller would be able to disable the sink when needed sending agreed input parameter"', async () => {
    const { url, requests } = await receiver();
    const sink = await sinkThatSends({ ...AWAITED, url, disable_sink: '$inputs.quiet' }, { inputs: [parameter('quiet', false)] });
    expect(await run(sink, { quiet: true })).toEqual(DISABLED);
    expect(requests).toEqual([]);
    expect(await run(sink)).toEqual(SENT);
    expect(await run(sink, { quiet: false })).toEqual(SENT);
    expect(requests).toHaveLength(2);
  });
});

describe('connecting to other blocks', () => {
  test('"The outputs from this block can be connected to other blocks in your workflow."', async () => {
    const [first, second] = [await receiver(), await receiver()];
    const told = { ...AWAITED, type: 'roboflow_core/webhook_sink@v1', name: 'told', method: 'PUT', url: second.url };
    const json_payload = { status: '$steps.webhook.error_status', text: '$steps.webhook.message' };
    await run(await sinkThatSends({ ...AWAITED, url: first.url }, { steps: [{ ...told, json_payload }] }));
    expect(bodyOf(second.only())).toEqual({ status: false, text: 'Notification sent successfully' });
  });
});

describe('properties', () => {
  test('"url: URL of the resource to make request" may be a selector, and "request_timeout" an input', async () => {
    const { url, only } = await receiver();
    const inputs = [parameter('where'), parameter('patience', 30)];
    await run(await sinkThatSends({ ...AWAITED, url: '$inputs.where', request_timeout: '$inputs.patience' }, { inputs }), { where: url });
    expect(only().target).toBe('/some/resource');
  });

  test('"Number of seconds to wait for remote API response": an input of one second ends it after one', async () => {
    const { url } = await startReceiver();
    const inputs = [parameter('patience', 30)];
    const sink = await sinkThatSends({ ...AWAITED, url: `${url}/hang`, request_timeout: '$inputs.patience' }, { inputs });
    const began = performance.now();
    const output = await run(sink, { patience: 1 });
    expect(performance.now() - began).toBeGreaterThan(900);
    expect(output).toMatchObject({ error_status: true, message: expect.stringMatching(/Read timed out\. \(read timeout=1\)$/) });
  });

  test('"fire_and_forget" and "cooldown_seconds" by inputs', async () => {
    const { url, requests } = await receiver();
    const properties = { url, fire_and_forget: '$inputs.background', cooldown_seconds: '$inputs.pause' };
    const sink = await sinkThatSends(properties, { inputs: [parameter('background', true), parameter('pause', 0)] });
    expect(await run(sink, { background: false })).toEqual(SENT);
    expect(await run(sink)).toEqual(SENT_IN_BACKGROUND);
    expect(await run(sink, { pause: 600 })).toEqual(THROTTLED);
    expect(await run(sink, { background: false })).toEqual(SENT);
    await until('the messages to arrive', () => requests.length === 3);
  });

  test.each([
    ['a selector as the method', { method: '$inputs.method' }, 'steps[0].method'],
    ['another method', { method: 'DELETE' }, 'steps[0].method'],
    ['no URL', { url: undefined }, 'steps[0]: field "url" is missing'],
    ['a selector as the whole payload', { json_payload: '$inputs.all' }, 'steps[0].json_payload'],
    ['an unknown operation', { json_payload_operations: { a: [{ type: 'NoSuchOperation' }] } }, 'steps[0].json_payload_operations.a[0]'],
  ])('"Refs" and types of the properties are held to when a workflow is saved: %s is refused and named', async (_what, changed, path) => {
    const step = { type: 'roboflow_core/webhook_sink@v1', name: 'webhook', method: 'POST', url: 'http://127.0.0.1/', ...changed };
    const inputs = ['method', 'all'].map((name) => parameter(name));
    const { status, body } = await app().admin('PUT', '/apps/shop/workflows/bad', { version: '1.0', inputs, steps: [step], outputs: [] });
    expect(status).toBe(400);
    expect(body.error.message).toContain(path);
  });
});

describe('example JSON definition of step Webhook Sink in version v1', () => {
  const example = (url: string): Record<string, unknown> => ({
    name: 'webhook',
    type: 'roboflow_core/webhook_sink@v1',
    url,
    method: 'POST',
    query_parameters: {
      api_key: '$inputs.api_key',
    },
    headers: {
      api_key: '$inputs.api_key',
    },
    json_payload: {
      field: '$steps.model.predictions',
    },
    json_payload_operations: {
      predictions: [
        {
          property_name: 'class_name',
          type: 'DetectionsPropertyExtract',
        },
      ],
    },
    multi_part_encoded_files: {
      image: '$steps.visualization.image',
    },
    multi_part_encoded_files_operations: {
      predictions: [
        {
          property_name: 'class_name',
          type: 'DetectionsPropertyExtract',
        },
      ],
    },
    form_data: {
      field: '$inputs.field_value',
    },
    form_data_operations: {
      predictions: [
        {
          property_name: 'class_name',
          type: 'DetectionsPropertyExtract',
        },
      ],
    },
    request_timeout: '$inputs.request_timeout',
    fire_and_forget: '$inputs.fire_and_forget',
    disable_sink: false,
    cooldown_seconds: '$inputs.cooldown_seconds',
  });
  const surroundings = {
    inputs: [
      image('image'),
      parameter('detections'),
      parameter('api_key'),
      parameter('field_value'),
      { ...parameter('request_timeout', 2), kind: ['integer'] },
      { ...parameter('fire_and_forget', true), kind: ['boolean'] },
      { ...parameter('cooldown_seconds', 5), kind: ['integer'] },
    ],
    steps: [set('model', { predictions: '$inputs.detections' }), set('visualization', { image: '$inputs.image' })],
  };

  test('sends the form field and the uploaded image, with the key in query and header', async () => {
    const { url, only } = await receiver();
    const { form, png } = await pngUpload({
      api_key: 'key-1',
      field_value: 'größer als zuvor',
      detections: JSON.stringify(DETECTIONS),
      fire_and_forget: 'false',
      cooldown_seconds: '0',
    });
    expect(await run(await sinkThatSends(example(url), surroundings), form)).toEqual(SENT);
    expect(only()).toMatchObject({ method: 'POST', target: '/some/resource?api_key=key-1', headers: { api_key: 'key-1' } });
    const [field, file, ...others] = partsOf(only());
    expect(others).toEqual([]);
    expect(field?.head).toBe('Content-Disposition: form-data; name="field"');
    expect(field?.content.toString()).toBe('größer als zuvor');
    expect(file?.head).toBe('Content-Disposition: form-data; name="image"; filename="frame.png"\r\nContent-Type: image/png');
    expect(file?.content.equals(png)).toBe(true);
  });

  test('in the background by default, and cooling down for the next run', async () => {
    const { url, requests } = await receiver();
    const sink = await sinkThatSends(example(url), surroundings);
    const fields = { api_key: 'key-1', field_value: 'x', detections: '{}' };
    expect(await run(sink, (await pngUpload(fields)).form)).toEqual(SENT_IN_BACKGROUND);
    expect(await run(sink, (await pngUpload(fields)).form)).toEqual(THROTTLED);
    await until('the message to arrive', () => requests.length === 1);
  });

  test('with its JSON alone, sends the detections that the step before it gave', async () => {
    const { url, only } = await receiver();
    const { multi_part_encoded_files: _files, form_data: _form, ...rest } = example(url);
    const { form } = await pngUpload();
    const sink = await sinkThatSends(rest, surroundings);
    const body = { image: { type: 'base64', value: Buffer.from(await (form.get('image') as Blob).arrayBuffer()).toString('base64') } };
    const settings = { fire_and_forget: false, cooldown_seconds: 0, request_timeout: 2 };
    expect(await run(sink, { ...body, ...settings, api_key: 'k', field_value: 'unused', detections: DETECTIONS })).toEqual(SENT);
    expect(bodyOf(only())).toEqual({ field: DETECTIONS });
  });
});
