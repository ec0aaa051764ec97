// Bodies of every kind, well-formed and hostile: what the workflow sees of each, and what is refused and why.

import { createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, constants, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { incomingFiles } from '../support/incoming-files.ts';
import { provoke } from '../support/provoke.ts';
import { sendRaw } from '../support/raw-http.ts';
import { shareApp } from '../support/shared-app.ts';
import { until } from '../support/until.ts';

const app = shareApp({}, async (shared) => {
  await shared.workflow('seen', {
    steps: [
      { type: 'sluice/set@v1', name: 's', values: { body: '$request.body', type: '$request.content_type', files: '$request.files' } },
    ],
    outputs: [{ type: 'JsonField', name: 's', selector: '$steps.s.*' }],
  });
  await shared.workflow('quiet', { outputs: [] });
  await shared.sink({ path: '/seen', method: 'ANY', workflow_id: 'seen', response: 'wait' });
  await shared.sink({ path: '/quiet', workflow_id: 'quiet', response: 'wait' });
  await shared.sink({ path: '/small', workflow_id: 'seen', response: 'wait', limits: { body_bytes: 1000 } });
});

type Body = string | Uint8Array<ArrayBuffer> | ReadableStream;

function send(type: string | null, body: Body, { path = '/seen', headers = {} as Record<string, string> } = {}): Promise<Response> {
  const sent = typeof body === 'string' ? new TextEncoder().encode(body) : body;
  return provoke(app().url, () =>
    fetch(`${app().url}/shop${path}`, {
      method: 'POST',
      headers: { ...(type === null ? {} : { 'content-type': type }), ...headers },
      body: sent,
      ...(sent instanceof ReadableStream ? { duplex: 'half' } : {}),
    } as RequestInit),
  );
}

/** The text of the output: numbers as they are written there. */
async function outputOf(response: Response): Promise<string> {
  expect(response.status).toBe(200);
  return /^\{"run_id":"\w+","status":"completed","output":\{"s":(.*)\}\}$/s.exec(await response.text())?.[1] as string;
}

async function bodySeen(type: string | null, body: Body): Promise<unknown> {
  return JSON.parse(await outputOf(await send(type, body))).body;
}

async function refusal(response: Promise<Response>, status: number): Promise<string> {
  const refused = await response;
  expect(refused.status).toBe(status);
  const body = (await refused.json()) as any;
  expect(body).toMatchObject({ triggered: false, run_id: null, message: body.error.message });
  return body.error.message;
}

describe('the content type', () => {
  const json = [
    'application/json',
    'Application/JSON',
    'application/json;charset=utf-8',
    'application/json; charset="UTF-8"',
    'application/json ;charset=utf-8',
    'application/json\t;\tcharset=utf8',
    'application/json; boundary=x; a=b',
    'application/json;',
    'application/vnd.api+json',
    'application/cloudevents+json; charset=utf-8',
  ];
  for (const type of json) {
    test(`${JSON.stringify(type)} is JSON`, async () => {
      expect(await bodySeen(type, '{"a":1}')).toEqual({ a: 1 });
    });
  }

  const notJson: [string, unknown][] = [
    ['text/plain', '{"a":1}'],
    ['text/html; charset=utf-8', '{"a":1}'],
  ];
  for (const [type, seen] of notJson) {
    test(`${type} is text, JSON or not: a page on another site cannot pass JSON off without asking first`, async () => {
      expect(await bodySeen(type, '{"a":1}')).toBe(seen);
    });
  }

  for (const type of ['application/jsonx', 'application/x-ndjson', 'image/png', 'application/xml']) {
    test(`${type} is a file, whatever is in it`, async () => {
      expect(await bodySeen(type, '{"a":1}')).toMatchObject({ name: 'body', size: 7, content_type: type });
    });
  }

  for (const type of ['json', 'application/', '/json', 'application json', 'a/b/c', ';charset=utf-8', 'application/json charset', '*/*']) {
    test(`${JSON.stringify(type)} is malformed: 415 with what would be right`, async () => {
      expect(await refusal(send(type, '{"a":1}'), 415)).toContain('as application/json');
    });
  }

  test('of two headers the first counts, for the parser and for the workflow alike', async () => {
    const answer = await provoke(app().url, () =>
      sendRaw(
        app().url,
        'POST /shop/seen HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nContent-Type: application/json\r\nContent-Length: 7\r\n\r\n{"a":1}',
      ),
    );
    expect(JSON.parse(answer.body).output.s).toMatchObject({ body: '{"a":1}', type: 'text/plain' });
  });

  test('counts without a body too: it is kept, and the body is null', async () => {
    expect(JSON.parse(await outputOf(await send('application/json', '')))).toMatchObject({ body: null, type: 'application/json' });
    expect(await bodySeen('text/plain', '')).toBeNull();
    expect(await bodySeen('application/octet-stream', '')).toBeNull();
    expect(await bodySeen('application/x-www-form-urlencoded', '')).toBeNull();
  });
});

describe('Content-Encoding', () => {
  const json = Buffer.from('{"a":1,"text":"\u00e9"}');
  const value = { a: 1, text: '\u00e9' };
  const coded = (encoding: string, body: Uint8Array, type: string | null = 'application/json', path = '/seen'): Promise<Response> =>
    send(type, new Uint8Array(body), { path, headers: { 'content-encoding': encoding } });

  const taken: [string, Uint8Array][] = [
    ['gzip', gzipSync(json)],
    ['GZIP', gzipSync(json)],
    ['x-gzip', gzipSync(json)],
    ['gzip', Buffer.concat([gzipSync(json.subarray(0, 4)), gzipSync(json.subarray(4))])],
    ['deflate', deflateSync(json)],
    ['deflate', deflateRawSync(json)],
    ['br', brotliCompressSync(json)],
    ['identity, gzip', gzipSync(json)],
    ['gzip, utf-8', gzipSync(json)],
    ['deflate, br', brotliCompressSync(deflateSync(json))],
  ];
  for (const [encoding, body] of taken) {
    test(`${encoding} is undone, now and when the run is replayed: ${body.length} bytes`, async () => {
      const response = await coded(encoding, body);
      const run = response.headers.get('x-run-id');
      expect(JSON.parse(await outputOf(response)).body).toEqual(value);
      const replay = await app().admin('POST', `/runs/${run}/replay`);
      expect((await app().admin('GET', `/runs/${replay.body.run_id}`)).body.output.s.body).toEqual(value);
    });
  }

  test('is undone for bodies of every kind, and in chunks', async () => {
    const seen = async (type: string | null, text: string | Uint8Array): Promise<any> =>
      JSON.parse(await outputOf(await coded('gzip', gzipSync(text), type)));
    expect((await seen('application/x-www-form-urlencoded', 'a=1&b=%C3%A9')).body).toEqual({ a: '1', b: '\u00e9' });
    expect((await seen('text/plain; charset=windows-1251', Buffer.from([0xcf]))).body).toBe('\u041f');
    const image = randomBytes(300_000);
    const { body, files } = await seen('image/png', image);
    expect(body).toMatchObject({ size: 300_000, sha256: createHash('sha256').update(image).digest('hex') });
    const form =
      '--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--x\r\nContent-Disposition: form-data; name="f"; filename="f.bin"\r\n\r\nbytes\r\n--x--\r\n';
    const multipart = await seen('multipart/form-data; boundary=x', form);
    expect(multipart).toMatchObject({ body: { a: '1' }, files: [{ name: 'f', size: 5 }] });
    expect(files).toEqual([body]);
    const bytes = gzipSync(json);
    const chunked = new ReadableStream({
      async pull(controller) {
        for (const byte of bytes) {
          controller.enqueue(Uint8Array.of(byte));
          await new Promise((resolve) => setImmediate(resolve));
        }
        controller.close();
      },
    });
    const response = await send('application/json', chunked, { headers: { 'content-encoding': 'gzip' } });
    expect(JSON.parse(await outputOf(response)).body).toEqual(value);
  });

  for (const encoding of [
    '',
    'identity',
    'UTF-8',
    'utf8',
    'iso-8859-1',
    'none',
    'null',
    '8bit',
    'binary',
    'application/json',
    'a b',
    'UTF-8, identity',
    ',',
  ]) {
    test(`${JSON.stringify(encoding)} names no coding: the body is as it is`, async () => {
      expect(JSON.parse(await outputOf(await coded(encoding, json))).body).toEqual(value);
    });
  }

  for (const encoding of ['zstd', 'compress', 'x-compress', 'base64', 'lzma', 'x', 'gzip, zstd', 'gzip, gzip, gzip']) {
    test(`${encoding} is 415 that says what is taken`, async () => {
      const response = await coded(encoding, json);
      expect(response.headers.get('accept-encoding')).toBe('gzip, deflate, br');
      expect(await refusal(Promise.resolve(response), 415)).toContain('gzip, deflate, br');
    });
  }

  const whole = gzipSync(json);
  const spoilt: [string, string, Uint8Array][] = [
    ['JSON that is not coded', 'gzip', json],
    ['JSON that is not coded', 'br', json],
    ['JSON that is not coded', 'deflate', json],
    ['a body cut short', 'gzip', whole.subarray(0, -5)],
    ['a body cut short', 'deflate', deflateSync(json).subarray(0, -1)],
    ['a body cut short', 'br', brotliCompressSync(json).subarray(0, -1)],
    ['a wrong checksum', 'gzip', Buffer.concat([whole.subarray(0, -8), Buffer.alloc(8)])],
    ['bytes behind the end', 'gzip', Buffer.concat([whole, json])],
    ['bytes behind the end', 'deflate', Buffer.concat([deflateSync(json), json])],
    ['bytes behind the end', 'br', Buffer.concat([brotliCompressSync(json), json])],
    ['another coding', 'br', whole],
  ];
  for (const [what, encoding, body] of spoilt) {
    test(`${what} under ${encoding} is 400, whatever the body is`, async () => {
      for (const type of ['application/json', 'image/png', 'multipart/form-data; boundary=x'])
        expect(await refusal(coded(encoding, body, type), 400)).toContain(`not ${encoding}, as its Content-Encoding says`);
      expect(incomingFiles(app().dataDir)).toEqual([]);
    });
  }

  test('counts by what comes out: a bomb is 413 as soon as it passes the limit, of every kind', async () => {
    const bomb = Buffer.alloc(40_000_000);
    for (const [encoding, body] of [
      ['gzip', gzipSync(bomb)],
      ['br', brotliCompressSync(bomb, { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } })],
      ['gzip, gzip', gzipSync(gzipSync(bomb))],
    ] as const) {
      for (const type of ['application/json', 'application/octet-stream', 'image/png', 'text/plain'])
        expect(await refusal(coded(encoding, body, type), 413)).toContain('10485760 bytes');
    }
    expect(await refusal(coded('gzip', gzipSync(Buffer.alloc(1001, '1')), 'text/plain', '/small'), 413)).toContain('1000 bytes');
    expect((await coded('gzip', gzipSync(Buffer.alloc(1000, '1')), 'text/plain', '/small')).status).toBe(200);
    const form = gzipSync(
      Buffer.concat([Buffer.from('--x\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\n'), Buffer.alloc(60 * 2 ** 20)]),
    );
    expect((await coded('gzip', form, 'multipart/form-data; boundary=x')).status).toBe(413);
    expect(incomingFiles(app().dataDir)).toEqual([]);
  });

  test('of a coding that makes nothing of much is bounded as well', async () => {
    const empty = gzipSync('');
    const many = Buffer.concat(Array.from({ length: 400_000 }, () => empty));
    const response = coded('gzip, gzip', gzipSync(Buffer.concat([many, many])));
    expect(await refusal(response, 413)).toContain('10485760 bytes');
  });

  test('a caller that goes away amid a coded body leaves nothing, and the next request on a refused one is served', async () => {
    const cut = `POST /shop/seen HTTP/1.1\r\nHost: x\r\nContent-Type: image/png\r\nContent-Encoding: gzip\r\nContent-Length: 1000\r\n\r\n`;
    await sendRaw(app().url, Buffer.concat([Buffer.from(cut), gzipSync(randomBytes(500))]), { thenEnd: true }).catch(() => undefined);
    const refused = `POST /shop/seen HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\nAccept: application/json\r\nContent-Length: 20000\r\n\r\n${'1'.repeat(20_000)}`;
    const next = 'POST /shop/seen HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok';
    const { text } = await sendRaw(app().url, refused + next, { untilClosed: true });
    expect(text).toMatch(/^HTTP\/1\.1 400 /);
    expect(text).toContain('"body":"ok"');
    await until('no file is left half received', () => incomingFiles(app().dataDir).length === 0);
  });
});

describe('JSON', () => {
  const kept = [
    '{"id":12345678901234567890,"price":1.0,"big":1e+20,"small":-0,"plain":[1,2.5]}',
    '9007199254740993',
    '[1.10,100e-2,0.000]',
    '"text"',
    'null',
    'true',
    '[]',
    '{}',
    '{"a":"__proto__","b":"constructor"}',
    '{"constructor":1,"prototype":{},"toString":"x","hasOwnProperty":[]}',
    '{"a":"\\u0000\\ud800"}',
    '{"":{"":[]}}',
    '{"$ref":"$steps.secret","text":"$request.body"}',
  ];
  for (const text of kept) {
    test(`${text} reaches the output as it came, digit for digit`, async () => {
      expect(await outputOf(await send('application/json', text))).toContain(`{"body":${text},`);
    });
  }

  const refused: [string, string, string][] = [
    ['a broken object', '{"a":', 'not valid JSON'],
    ['a trailing comma', '{"a":1,}', 'not valid JSON'],
    ['a comment', '{"a":1} // x', 'not valid JSON'],
    ['single quotes', "{'a':1}", 'not valid JSON'],
    ['NaN', '{"a":NaN}', 'not valid JSON'],
    ['Infinity', '[-Infinity]', 'not valid JSON'],
    ['a leading zero', '[007]', 'not valid JSON'],
    ['a hexadecimal number', '[0x1F]', 'not valid JSON'],
    ['two documents', '{}{}', 'not valid JSON'],
    ['white space alone', '  \n', 'not valid JSON'],
    ['a raw line break in a string', '"a\nb"', 'not valid JSON'],
    ['a form', 'a=1&b=2', 'not valid JSON'],
    ['__proto__', '{"__proto__":{"polluted":1}}', '__proto__'],
    ['__proto__ deep inside', '{"a":[{"b":{"__proto__":1}}]}', '__proto__'],
    ['__proto__ behind escapes', '{"\\u005f_proto__":{"polluted":1}}', '__proto__'],
    ['__proto__ beside an exact number', '{"n":1.0,"__proto__":{"polluted":1}}', '__proto__'],
    ['constructor.prototype', '{"constructor":{"prototype":{"polluted":1}}}', 'constructor.prototype'],
    ['101 levels', `${'['.repeat(101)}${']'.repeat(101)}`, 'deeper than 100 levels'],
    ['a hundred thousand levels', `${'['.repeat(100_000)}${']'.repeat(100_000)}`, 'deeper than 100 levels'],
    ['a hundred thousand levels of objects', `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`, 'deeper than 100 levels'],
  ];
  for (const [what, text, reason] of refused) {
    test(`${what} is 400 that says why, and pollutes nothing`, async () => {
      expect(await refusal(send('application/json', text), 400)).toContain(reason);
      expect(({} as { polluted?: number }).polluted).toBeUndefined();
    });
  }

  test.each([
    '{"a":{"__proto__":{"polluted":0.70}},"a":{}}',
    '{"a":{"constructor":{"prototype":{"polluted":0.70}}},"a":{}}',
    '{"a":[{"__proto__":{"polluted":0.70}}],"a":[{}]}',
    '{"a":{"b":{"__proto__":{"polluted":0.70}}},"a":{"b":{}}}',
  ])('%s pollutes nothing, though a later value replaces what it names', async (text) => {
    expect(JSON.stringify(await bodySeen('application/json', text))).not.toContain('polluted');
    expect(({} as { polluted?: number }).polluted).toBeUndefined();
  });

  test('a hundred levels are taken', async () => {
    const text = `${'['.repeat(100)}${']'.repeat(100)}`;
    expect(await outputOf(await send('application/json', text))).toContain(text);
  });

  test('of a repeated key the last value counts', async () => {
    expect(await bodySeen('application/json', '{"a":1,"a":2}')).toEqual({ a: 2 });
    expect(await bodySeen('application/json', '{"a":1.0,"a":"x"}')).toEqual({ a: 'x' });
  });

  test('a byte order mark is no part of it', async () => {
    expect(await bodySeen('application/json', '\ufeff{"a":1}')).toEqual({ a: 1 });
  });

  test('bytes that are not UTF-8 are refused', async () => {
    for (const bytes of [
      [0x22, 0xff, 0x22],
      [0x22, 0xc0, 0xaf, 0x22],
      [0x22, 0xed, 0xa0, 0x80, 0x22],
    ])
      expect(await refusal(send('application/json', Uint8Array.from(bytes)), 400)).toContain('utf-8');
    const utf16 = new Uint8Array(Buffer.from('{"a":1}', 'utf16le'));
    expect(await refusal(send('application/json', utf16), 400)).toMatch(/JSON|utf-8/);
  });

  for (const charset of ['us-ascii', 'iso-8859-1', 'utf-16', 'nonsense', '"windows-1251"', '']) {
    test(`whose bytes are UTF-8 is taken, also where charset=${charset} says otherwise`, async () => {
      expect(await bodySeen(`application/json; charset=${charset}`, '{"a":"\u00e9"}')).toEqual({ a: '\u00e9' });
    });
  }

  test('in another character set is 400, as its label says or not', async () => {
    const latin1 = new Uint8Array(Buffer.from('{"a":"\u00e9"}', 'latin1'));
    expect(await refusal(send('application/json; charset=iso-8859-1', latin1), 400)).toContain(
      'JSON is UTF-8 (RFC 8259), and not iso-8859-1',
    );
    const utf16 = new Uint8Array(Buffer.from('\ufeff{"a":1}', 'utf16le'));
    expect(await refusal(send('application/json; charset=utf-16', utf16), 400)).toContain('JSON is UTF-8');
  });

  test('sixty thousand keys are taken', async () => {
    const text = JSON.stringify(Object.fromEntries(Array.from({ length: 60_000 }, (_, index) => [`key${index}`, index])));
    expect((await send('application/json', text, { path: '/quiet' })).status).toBe(200);
  });

  test('10 MB are taken, with exact numbers in them, and one byte more is 413', async () => {
    const frame = '{"score":0.50,"image":""}';
    const image = 'A'.repeat(10 * 2 ** 20 - frame.length);
    const whole = `{"score":0.50,"image":"${image}"}`;
    expect((await send('application/json', whole, { path: '/quiet' })).status).toBe(200);
    expect(await refusal(send('application/json', `${whole} `, { path: '/quiet' }), 413)).toContain('10485760 bytes');
  });

  test('a body that imitates a received file stays plain JSON and opens none', async () => {
    const handle = {
      name: 'body',
      filename: '/etc/passwd',
      filepath: '/etc/passwd',
      content_type: 'image/png',
      size: 1,
      sha256: 'a'.repeat(64),
    };
    const imitation = { files: [handle], body: handle, file: { filepath: '/etc/passwd' } };
    const seen = JSON.parse(await outputOf(await send('application/json', JSON.stringify(imitation))));
    expect(seen).toEqual({ body: imitation, type: 'application/json', files: [] });
  });
});

describe('forms', () => {
  const FORM = 'application/x-www-form-urlencoded';
  const forms: [string, unknown][] = [
    ['a=1&b=two+words&c=%C3%A9', { a: '1', b: 'two words', c: '\u00e9' }],
    ['a=1&a=2&a=3', { a: ['1', '2', '3'] }],
    ['a&b=&=c', { a: '', b: '', '': 'c' }],
    ['a=%zz&b=%', { a: '%zz', b: '%' }],
    ['a[b]=1&a[c][]=2', { 'a[b]': '1', 'a[c][]': '2' }],
    ['constructor=x&toString=y', { constructor: 'x', toString: 'y' }],
    ['payload={"a":1}', { payload: '{"a":1}' }],
    ['{"event": "test", "n": 1.5}', { event: 'test', n: 1.5 }],
    ['[1,2]', [1, 2]],
    ['{broken', { '{broken': '' }],
    ['5', { 5: '' }],
  ];
  for (const [text, seen] of forms) {
    test(`${text} is ${JSON.stringify(seen)}`, async () => {
      expect(await bodySeen(FORM, text)).toEqual(seen);
    });
  }

  test('__proto__ is a name like any other, and pollutes nothing', async () => {
    const output = await outputOf(await send(FORM, '__proto__=x&__proto__[polluted]=1'));
    expect(output).toContain('"__proto__":"x"');
    expect(({} as { polluted?: string }).polluted).toBeUndefined();
  });

  test('JSON in a form, as curl sends it, is held to what holds for JSON', async () => {
    expect(await refusal(send(FORM, '{"__proto__":{"polluted":1}}'), 400)).toContain('__proto__');
    expect(await refusal(send(FORM, `${'['.repeat(200)}${']'.repeat(200)}`), 400)).toContain('deeper');
    expect(await outputOf(await send(FORM, '{"id":12345678901234567890}'))).toContain('12345678901234567890');
  });

  test('a character set is heeded, now and when the run is replayed', async () => {
    const latin1 = new Uint8Array(Buffer.from('name=Jos\u00e9', 'latin1'));
    const response = await send(`${FORM}; charset=iso-8859-1`, latin1);
    const run = response.headers.get('x-run-id');
    expect(JSON.parse(await outputOf(response)).body).toEqual({ name: 'Jos\u00e9' });
    const replay = await app().admin('POST', `/runs/${run}/replay`);
    expect(replay.status).toBe(202);
    expect((await app().admin('GET', `/runs/${replay.body.run_id}`)).body.output.s.body).toEqual({ name: 'Jos\u00e9' });
    const json = new Uint8Array(Buffer.from('{"name":"Jos\u00e9"}', 'latin1'));
    const sent = await send(`${FORM}; charset=iso-8859-1`, json);
    expect(sent.status).toBe(200);
    expect((await app().admin('POST', `/runs/${sent.headers.get('x-run-id')}/replay`)).status).toBe(202);
  });

  const sets: [string, string, unknown][] = [
    ['windows-1251', 'a=%CF%F0%E8', { a: '\u041f\u0440\u0438' }],
    ['windows-1251', '%CF=%F0+%E8&%CF=x', { '\u041f': ['\u0440 \u0438', 'x'] }],
    ['windows-1251', 'a=\u00cf\u00f0', { a: '\u041f\u0440' }],
    ['windows-1252', 'a=%80+%93x%94&b=%zz&c', { a: '\u20ac \u201cx\u201d', b: '%zz', c: '' }],
    ['ISO-8859-1', 'a=%E9', { a: '\u00e9' }],
    ['latin1', 'a=%E9', { a: '\u00e9' }],
    ['us-ascii', 'a=b%20c', { a: 'b c' }],
    ['iso-8859-16', 'a=%A4', { a: '\u20ac' }],
    ['koi8-r', 'a=%F0', { a: '\u041f' }],
    ['shift_jis', 'a=%82%A0&b=%83%5C', { a: '\u3042', b: '\u30bd' }],
    ['euc-jp', 'a=%A4%A2', { a: '\u3042' }],
    ['iso-2022-jp', 'a=%1B%24B0%21%1B%28B', { a: '\u4e9c' }],
    ['gb18030', 'a=%C4%E3', { a: '\u4f60' }],
    ['big5', 'a=%A4%40', { a: '\u4e00' }],
    ['euc-kr', 'a=%B0%A1', { a: '\uac00' }],
    ['utf-8', 'a=%C3%A9&b=%EF%BF%BD', { a: '\u00e9', b: '\ufffd' }],
  ];
  for (const [charset, text, seen] of sets) {
    test(`in ${charset}, ${text} is ${JSON.stringify(seen)}, now and when the run is replayed`, async () => {
      const response = await send(`${FORM}; charset=${charset}`, new Uint8Array(Buffer.from(text, 'latin1')));
      const run = response.headers.get('x-run-id');
      expect(JSON.parse(await outputOf(response)).body).toEqual(seen);
      const replay = await app().admin('POST', `/runs/${run}/replay`);
      expect((await app().admin('GET', `/runs/${replay.body.run_id}`)).body.output.s.body).toEqual(seen);
    });
  }

  test('the field _charset_ names the set where the header names none', async () => {
    const named = { _charset_: 'windows-1251', a: '\u041f' };
    expect(await bodySeen(FORM, '_charset_=windows-1251&a=%CF')).toEqual(named);
    expect(await bodySeen(FORM, 'a=%CF&_charset_=windows-1251')).toEqual(named);
    expect(await bodySeen(`${FORM}; charset=koi8-r`, '_charset_=windows-1251&a=%F0')).toEqual(named);
    expect(await bodySeen(FORM, '_charset_=klingon&a=%C3%A9')).toEqual({ _charset_: 'klingon', a: '\u00e9' });
  });

  test('UTF-16 holds for the text, and escapes in it stay UTF-8', async () => {
    const bytes = new Uint8Array(Buffer.from('a=\u00e9&b=%C3%A9', 'utf16le'));
    expect(await bodySeen(`${FORM}; charset=utf-16`, bytes)).toEqual({ a: '\u00e9', b: '\u00e9' });
  });

  const undecodable: [string, string | Uint8Array<ArrayBuffer>, string][] = [
    ['utf-8', Uint8Array.from([0x61, 0x3d, 0xff]), 'the body is not utf-8 text'],
    ['utf-8', 'b=1&a=%CF%F0%E8', 'field "a" is not utf-8 text'],
    ['utf-8', '%CF%F0=1', 'field "%CF%F0" is not utf-8 text'],
    ['utf-8', 'a=%ED%A0%80', 'field "a" is not utf-8 text'],
    ['windows-1253', 'a=%AA', 'field "a" is not windows-1253 text'],
    ['shift_jis', 'a=%82', 'field "a" is not shift_jis text'],
  ];
  for (const [charset, sent, reason] of undecodable) {
    test(`what is not ${charset} is 400, and no letter is made up: ${reason}`, async () => {
      expect(await refusal(send(`${FORM}; charset=${charset}`, sent), 400)).toContain(reason);
      if (charset === 'utf-8') expect(await refusal(send(FORM, sent), 400)).toContain(reason);
    });
  }

  for (const charset of ['klingon', 'hz-gb-2312', 'utf-32', 'utf-7']) {
    test(`the character set ${charset} is 415: it is none, or none that may be read`, async () => {
      expect(await refusal(send(`${FORM}; charset=${charset}`, 'a=1'), 415)).toContain(`"${charset}" is not known`);
    });
  }

  test('JSON in a form that names a character set is JSON where its bytes are UTF-8', async () => {
    expect(await bodySeen(`${FORM}; charset=iso-8859-1`, '{"a":"\u00e9"}')).toEqual({ a: '\u00e9' });
  });

  test('more fields than the sink takes are 413, before they are taken apart', async () => {
    expect(await refusal(send(FORM, 'a&'.repeat(5_000_000)), 413)).toContain('600 fields');
    expect((await send(FORM, 'a=1&'.repeat(599))).status).toBe(200);
  });
});

describe('text', () => {
  const texts: [string, Uint8Array<ArrayBuffer>, string][] = [
    ['text/plain', new Uint8Array(Buffer.from('h\u00e9llo\n')), 'h\u00e9llo\n'],
    ['text/csv; charset=utf-8', new Uint8Array(Buffer.from('a,b')), 'a,b'],
    ['text/plain; charset=ISO-8859-1', Uint8Array.from([0xe9]), '\u00e9'],
    ['text/plain; charset=iso-8859-15', Uint8Array.from([0xa4]), '\u20ac'],
    ['text/plain; charset=utf-16le', new Uint8Array(Buffer.from('hi', 'utf16le')), 'hi'],
    ['text/plain; charset=shift_jis', Uint8Array.from([0x82, 0xa0]), '\u3042'],
    ['text/plain; charset=windows-1252', Uint8Array.from([0x80, 0x93]), '\u20ac\u201c'],
    ['text/plain; charset=utf-16', Uint8Array.from([0xfe, 0xff, 0, 0x68]), 'h'],
    ['text/plain', Uint8Array.from([0xff, 0xfe, 0x68, 0]), 'h'],
    ['text/plain; charset=iso-8859-1', Uint8Array.from([0xef, 0xbb, 0xbf, 0xc3, 0xa9]), '\u00e9'],
    ['text/plain; charset="utf-8"', new Uint8Array(Buffer.from('q')), 'q'],
  ];
  for (const [type, bytes, seen] of texts) {
    test(`${type} is read in its character set`, async () => {
      expect(await bodySeen(type, bytes)).toBe(seen);
    });
  }

  test('an unknown character set is 415, and bytes that are not of it are 400', async () => {
    expect(await refusal(send('text/plain; charset=klingon', 'x'), 415)).toContain('"klingon" is not known');
    expect(await refusal(send('text/plain', Uint8Array.from([0xc3, 0x28])), 400)).toContain('not utf-8 text');
  });

  test('is shown to the administrator as it was meant, whatever its character set', async () => {
    const response = await send('text/plain; charset=iso-8859-1', Uint8Array.from([0xe9]));
    const { body } = await app().admin('GET', `/runs/${response.headers.get('x-run-id')}`);
    expect(body.request.body).toBe('\u00e9');
  });
});

describe('anything else', () => {
  test('is a file: the bytes on the disk and the hash are exactly what was sent', async () => {
    const content = new Uint8Array(randomBytes(1_000_000));
    const sha256 = createHash('sha256').update(content).digest('hex');
    const { body, files } = JSON.parse(await outputOf(await send('image/png', content)));
    expect(body).toEqual({ name: 'body', filename: null, content_type: 'image/png', size: 1_000_000, sha256 });
    expect(files).toEqual([body]);
    expect(readFileSync(join(app().dataDir, 'blobs', sha256.slice(0, 2), sha256)).equals(content)).toBe(true);
    expect(incomingFiles(app().dataDir)).toEqual([]);
  });

  test('is a file when it comes in chunks too', async () => {
    const chunks = [randomBytes(10), randomBytes(70_000), randomBytes(1)];
    const stream = new ReadableStream({
      start(controller) {
        for (const chunk of chunks) controller.enqueue(new Uint8Array(chunk));
        controller.close();
      },
    });
    const { body } = JSON.parse(await outputOf(await send('application/zip', stream)));
    expect(body).toMatchObject({ size: 70_011, sha256: createHash('sha256').update(Buffer.concat(chunks)).digest('hex') });
  });
});

describe('the size of a body', () => {
  const chunked = (size: number): ReadableStream =>
    new ReadableStream({
      start(controller) {
        for (let sent = 0; sent < size; sent += 500) controller.enqueue(new TextEncoder().encode('1'.repeat(500)));
        controller.close();
      },
    });
  for (const type of ['application/json', 'text/plain', 'application/x-www-form-urlencoded', 'application/octet-stream']) {
    test(`${type} beyond the limit of the sink is 413, announced or not, and nothing is left of it`, async () => {
      expect(await refusal(send(type, '1'.repeat(1001), { path: '/small' }), 413)).toContain('1000 bytes');
      expect(await refusal(send(type, chunked(1500), { path: '/small' }), 413)).toContain('1000 bytes');
      expect(await refusal(send(type, chunked(500_000), { path: '/small' }), 413)).toContain('1000 bytes');
      expect((await send(type, '1'.repeat(1000), { path: '/small' })).status).toBe(200);
      expect(incomingFiles(app().dataDir)).toEqual([]);
    });
  }

  test('a refused body does not spoil the connection for the next request on it', async () => {
    const refused = `POST /shop/small HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nContent-Length: 1001\r\n\r\n${'1'.repeat(1001)}`;
    const next = 'POST /shop/small HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok';
    const { text } = await sendRaw(app().url, refused.replace('Host: x', 'Host: x\r\nAccept: application/json') + next, {
      untilClosed: true,
    });
    expect(text).toMatch(/^HTTP\/1\.1 413 /);
    expect(text).toContain('HTTP/1.1 200 OK');
    expect(text).toContain('"body":"ok"');
  });
});
