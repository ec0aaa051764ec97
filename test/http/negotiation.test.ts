// How a trigger is answered: the caller's Accept and Prefer, and the sink's own `response` setting.

import { describe, expect, test } from 'vitest';
import { allFrames } from '../support/event-stream.ts';
import { createGates, gatedWorkflow } from '../support/gates.ts';
import { sendRaw } from '../support/raw-http.ts';
import { shareApp } from '../support/shared-app.ts';

const gates = createGates();

const app = shareApp({ ...gates.options, settings: { drain_seconds: '0' } }, async (shared) => {
  await shared.workflow('echo', {
    inputs: [{ type: 'WorkflowParameter', name: 'name', default_value: 'nobody' }],
    steps: [{ type: 'sluice/set@v1', name: 'made', values: { name: '$inputs.name', n: 5 } }],
    outputs: [
      { type: 'JsonField', name: 'name', selector: '$steps.made.name' },
      { type: 'JsonField', name: 'n', selector: '$steps.made.n' },
    ],
  });
  await shared.workflow('failing', { steps: [{ type: 'sluice/fail@v1', name: 'broken', code: 'no_luck', message: 'it broke' }] });
  await shared.workflow('held', gatedWorkflow('held', 1));
  await shared.workflow('later', gatedWorkflow('later', 1));
  for (const workflow of ['echo', 'failing', 'held', 'later'])
    await shared.sink({ path: `/${workflow}`, method: 'ANY', workflow_id: workflow });
  for (const mode of ['stream', 'wait', 'accept']) await shared.sink({ path: `/as-${mode}`, workflow_id: 'echo', response: mode });
  await shared.sink({ path: '/as-accept-200', workflow_id: 'echo', response: { mode: 'accept', status: 200 } });
  await shared.sink({ path: '/as-redirect', workflow_id: 'echo', response: { mode: 'redirect', location: '/thanks?from=form' } });
  const custom = {
    mode: 'custom',
    status: 201,
    headers: { 'X-Made-By': 'workflow', 'Content-Type': 'application/vnd.example+json' },
    body: { hello: '$output.name', n: '$output.n', run: '$run.id', path: '$request.path', price: '$$5', none: '$output.missing' },
  };
  await shared.sink({ path: '/as-custom', workflow_id: 'echo', response: custom });
  await shared.sink({ path: '/as-custom-failing', workflow_id: 'failing', response: custom });
  await shared.sink({ path: '/as-text', workflow_id: 'echo', response: { mode: 'custom', body: '$output.name' } });
  const html = { mode: 'custom', headers: { 'content-type': 'text/html' }, body: '<p>thanks</p>' };
  await shared.sink({ path: '/as-html', workflow_id: 'echo', response: html });
  const echoing = {
    mode: 'custom',
    headers: {
      'x-hook-secret': '$request.headers.x-hook-secret',
      'x-name': '$output.name',
      'x-number': '$output.n',
      'x-price': '$$5',
      location: '$output.name',
    },
    body: { token: '$request.query.token', challenge: '$request.query.hub.challenge' },
  };
  await shared.sink({ path: '/as-echo', method: 'ANY', workflow_id: 'echo', response: echoing });
  for (const [path, location] of [
    ['/as-abroad', '/dank\u00e9/\u{1f600} a\\b?q=\ud800%41#\u00fc'],
    ['/as-host', 'https://b\u00fccher.example/\u00fc'],
    ['/as-tab', '/\t/evil.example'],
  ])
    await shared.sink({ path, response: { mode: 'redirect', location } });
  await shared.sink({ path: '/as-204', workflow_id: 'echo', response: { mode: 'custom', status: 204 } });
});

function post(path: string, headers: Record<string, string> = {}, body = '{"name":"Ada"}'): Promise<Response> {
  return fetch(`${app().url}/shop${path}`, {
    method: 'POST',
    redirect: 'manual',
    headers: { 'content-type': 'application/json', ...headers },
    body,
  });
}

async function runsOf(path: string): Promise<any[]> {
  const { body } = await app().admin('GET', '/sinks?app_id=shop');
  const { id } = body.sinks.find((sink: any) => sink.path === path);
  return (await app().admin('GET', `/runs?sink_id=${id}`)).body.runs;
}

describe('Accept', () => {
  const streaming = [
    ['a wildcard', '*/*'],
    ['the type of streams', 'text/event-stream'],
    ['upper case', 'TEXT/EVENT-STREAM'],
    ['a browser', 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8'],
    ['a stream preferred to JSON', 'application/json;q=0.5, text/event-stream'],
    ['JSON with quality zero', 'application/json;q=0'],
    ['JSON with quality zero and anything', 'application/json;q=0, */*'],
    ['a tie that names the stream first', 'text/event-stream, application/json'],
    ['something that is not offered', 'image/png'],
    ['an empty header', ''],
    ['nonsense', ';;,q=,/'],
  ] as const;
  for (const [what, accept] of streaming) {
    test(`a caller that asks for ${what} is answered with the stream, as the sink says`, async () => {
      const response = await post('/echo', { accept });
      expect(response.status).toBe(200);
      expect(response.headers.get('content-type')).toBe('text/event-stream');
      expect((await allFrames(response)).at(-1)?.data.output).toEqual({ name: 'Ada', n: 5 });
    });
  }

  const waiting = [
    ['JSON', 'application/json'],
    ['what axios asks for', 'application/json, text/plain, */*'],
    ['JSON preferred to a stream', 'text/event-stream;q=0.1, application/json;q=0.9'],
    ['upper case and parameters', 'Application/JSON;charset=utf-8'],
    ['a JSON dialect', 'application/vnd.api+json'],
    ['JSON before a stream', 'application/json, text/event-stream'],
  ] as const;
  for (const [what, accept] of waiting) {
    test(`a caller that asks for ${what} is answered with one JSON document`, async () => {
      const response = await post('/echo', { accept });
      expect(response.status).toBe(200);
      expect(response.headers.get('content-type')).toBe('application/json; charset=utf-8');
      const run = response.headers.get('x-run-id');
      expect(await response.text()).toBe(`{"run_id":"${run}","status":"completed","output":{"name":"Ada","n":5}}`);
    });
  }

  test('what axios asks for leaves the answer to the sink that writes one', async () => {
    const accept = 'application/json, text/plain, */*';
    expect((await post('/as-accept', { accept })).status).toBe(202);
    expect((await post('/as-redirect', { accept })).status).toBe(303);
    expect((await post('/as-stream', { accept })).headers.get('content-type')).toBe('text/event-stream');
    expect(await (await post('/as-text', { accept })).text()).toBe('Ada');
  });

  test('a caller that asks for JSON gets the JSON that the sink writes, and no other', async () => {
    expect((await post('/as-accept', { accept: 'application/json' })).status).toBe(202);
    expect((await post('/as-custom', { accept: 'application/json' })).status).toBe(201);
    expect(await (await post('/as-html', { accept: 'application/json' })).json()).toMatchObject({ status: 'completed' });
  });

  test('a caller without an Accept header is answered as the sink says', async () => {
    const answer = await sendRaw(app().url, 'POST /shop/as-wait HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n');
    expect(answer.status).toBe(200);
    expect(JSON.parse(answer.body)).toMatchObject({ status: 'completed', output: { name: 'nobody', n: 5 } });
  });

  test('a caller that asks for a stream gets one even of a sink that waits, accepts, redirects or answers by itself', async () => {
    for (const path of ['/as-wait', '/as-accept', '/as-redirect', '/as-custom']) {
      const response = await post(path, { accept: 'text/event-stream' });
      expect((await allFrames(response)).at(-1)?.data.type, path).toBe('complete');
    }
  });
});

describe('waiting for the result', () => {
  test('the document of a run that takes longer comes as soon as the run has ended', async () => {
    const answer = post('/later', { accept: 'application/json' });
    await gates.reached('later1');
    gates.open('later1');
    const response = await answer;
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({ status: 'completed', output: { done: true } });
  });

  test('a failed run answers 502 with its error and no output', async () => {
    const response = await post('/failing', { accept: 'application/json' });
    expect(response.status).toBe(502);
    expect(await response.json()).toEqual({
      run_id: response.headers.get('x-run-id'),
      status: 'failed',
      error: { code: 'no_luck', message: 'it broke', step: 'broken' },
    });
  });

  test('a run that outlasts the wait answers 202 with its Location, where it is found', async () => {
    const response = await post('/held', { accept: 'application/json', prefer: 'wait=0' });
    expect(response.status).toBe(202);
    expect(response.headers.get('preference-applied')).toBe('wait=0');
    const location = response.headers.get('location') as string;
    expect(await response.json()).toEqual({ run_id: location.slice('/runs/'.length), status: 'queued' });
    expect(await (await fetch(app().url + location)).json()).toMatchObject({ status: 'waiting', progress: 0 });
  });
});

describe('Prefer', () => {
  test('respond-async answers 202 at once with the run and where to find it', async () => {
    const response = await post('/held', { prefer: 'respond-async' });
    expect(response.status).toBe(202);
    const run = response.headers.get('x-run-id');
    expect(response.headers.get('location')).toBe(`/runs/${run}`);
    expect(response.headers.get('preference-applied')).toBe('respond-async');
    expect(await response.json()).toEqual({ run_id: run, status: 'queued' });
  });

  test('respond-async counts in any case, beside other preferences, and over the setting of the sink', async () => {
    for (const [path, prefer] of [
      ['/echo', 'handling=lenient, Respond-Async'],
      ['/as-custom', 'respond-async'],
      ['/as-redirect', 'respond-async'],
      ['/as-wait', 'respond-async'],
    ] as const) {
      const response = await post(path, { prefer });
      expect(response.status, path).toBe(202);
      expect(await response.json(), path).toMatchObject({ status: 'queued' });
    }
  });

  test('respond-async with wait=N waits that long first, as RFC 7240 has it', async () => {
    const ended = await post('/echo', { prefer: 'respond-async, wait=10' });
    expect(ended.status).toBe(200);
    expect(ended.headers.get('preference-applied')).toBe('respond-async, wait=10');
    expect(await ended.json()).toMatchObject({ status: 'completed' });
    expect((await post('/held', { prefer: 'respond-async, wait=0' })).status).toBe(202);
  });

  test('preferences that are unknown or malformed are ignored, as RFC 7240 has it', async () => {
    for (const prefer of ['wait=abc', 'wait=-1', 'return=minimal', '', 'wait', 'wait=99999999999999', 'respond-asynchronously']) {
      const response = await post('/echo', { prefer });
      expect(response.headers.get('content-type'), prefer).toBe('text/event-stream');
      await response.text();
    }
  });
});

describe('the response setting of the sink', () => {
  test('"stream" streams', async () => {
    const response = await post('/as-stream');
    expect((await allFrames(response)).at(-1)?.data.type).toBe('complete');
  });

  test('"wait" answers one JSON document', async () => {
    expect(await (await post('/as-wait')).json()).toMatchObject({ status: 'completed', output: { name: 'Ada', n: 5 } });
  });

  test('"accept" answers 202, or 200 where the sink says so, with the run', async () => {
    for (const [path, status] of [
      ['/as-accept', 202],
      ['/as-accept-200', 200],
    ] as const) {
      const response = await post(path);
      expect(response.status).toBe(status);
      const run = response.headers.get('x-run-id');
      expect(await response.json()).toEqual({ run_id: run, status: 'queued' });
      expect((await runsOf(path))[0].run_id).toBe(run);
    }
  });

  test('"redirect" answers a browser 303 to the page of the sink', async () => {
    const response = await fetch(`${app().url}/shop/as-redirect`, {
      method: 'POST',
      redirect: 'manual',
      headers: { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' },
      body: new URLSearchParams({ name: 'Ada' }),
    });
    expect(response.status).toBe(303);
    expect(response.headers.get('location')).toBe('/thanks?from=form');
    expect((await runsOf('/as-redirect')).some(({ run_id: id }) => id === response.headers.get('x-run-id'))).toBe(true);
  });

  test('"custom" answers with status, headers and a body made of the output, the run and the request', async () => {
    const response = await post('/as-custom');
    expect(response.status).toBe(201);
    expect(response.headers.get('x-made-by')).toBe('workflow');
    expect(response.headers.get('content-type')).toContain('application/vnd.example+json');
    expect(await response.json()).toEqual({
      hello: 'Ada',
      n: 5,
      run: response.headers.get('x-run-id'),
      path: '/as-custom',
      price: '$5',
      none: null,
    });
  });

  test('"custom" with a text body answers plain text', async () => {
    const response = await post('/as-text');
    expect(response.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    expect(await response.text()).toBe('Ada');
  });

  test('"custom" keeps numbers as they were written', async () => {
    const response = await post('/as-custom', {}, '{"name":[1.0,12345678901234567890,1e+20]}');
    expect(await response.text()).toContain('"hello":[1.0,12345678901234567890,1e+20]');
  });

  test('"custom" HTML is sandboxed, so that it cannot act as a page of this server', async () => {
    const response = await post('/as-html');
    expect(response.headers.get('content-security-policy')).toBe('sandbox');
    expect(await response.text()).toBe('<p>thanks</p>');
  });

  test('"custom" without content answers 204 and the connection stays usable', async () => {
    const response = await post('/as-204');
    expect(response.status).toBe(204);
    expect(await response.text()).toBe('');
    expect((await post('/as-204')).status).toBe(204);
  });

  test('"custom" answers 502 with the error when the run failed, and not its own status', async () => {
    const response = await post('/as-custom-failing');
    expect(response.status).toBe(502);
    expect(await response.json()).toMatchObject({ status: 'failed', error: { code: 'no_luck' } });
  });

  test('"custom" headers are selected, from what came with the request and what the run gave', async () => {
    const response = await post('/as-echo?token=t0ken&hub.challenge=1158', { 'x-hook-secret': 'b537207f' });
    expect(response.status).toBe(200);
    expect(response.headers.get('x-hook-secret')).toBe('b537207f');
    expect(response.headers.get('x-name')).toBe('Ada');
    expect(response.headers.get('x-number')).toBe('5');
    expect(response.headers.get('x-price')).toBe('$5');
    expect(await response.json()).toEqual({ token: 't0ken', challenge: '1158' });
    const { body } = await app().admin('GET', `/runs/${response.headers.get('x-run-id')}`);
    expect(JSON.stringify(body)).not.toMatch(/b537207f|t0ken/);
  });

  test('"custom" headers and body are selected from a large request as from a small one', async () => {
    const response = {
      mode: 'custom',
      headers: { 'x-n': '$request.body.n', 'x-hook-secret': '$request.headers.x-hook-secret' },
      body: '$request.body.list.1',
    };
    await app().sink({ path: '/as-large', response });
    const list = JSON.stringify(['a'.repeat(2_000_000), { exact: 1 }]).replace('1}', '1.0}');
    const answer = await post('/as-large', { 'x-hook-secret': 's' }, `{"n":12345678901234567890,"list":${list}}`);
    expect([answer.headers.get('x-n'), answer.headers.get('x-hook-secret')]).toEqual(['12345678901234567890', 's']);
    expect(await answer.text()).toBe('{"exact":1.0}');
  });

  const headers: [string, unknown, string | null][] = [
    ['text beyond Latin-1', '\u4f60\u597d \u{1f600}', '\u4f60\u597d \u{1f600}'],
    ['half a character', 'a\ud800b', 'a\ufffdb'],
    ['a line break', 'a\r\nset-cookie: b=c\0d', 'a  set-cookie: b=c d'],
    ['only control characters', '\u0001\u0002', ''],
    ['nothing', null, null],
    ['a list', [1, 'x'], '[1,"x"]'],
    ['far too much', 'x'.repeat(100_000), null],
  ];
  for (const [what, name, expected] of headers) {
    test(`"custom" with a header that selects ${what} is an answer all the same, and never a fault of the server`, async () => {
      const response = await post('/as-echo', {}, JSON.stringify({ name }));
      expect(response.status).toBe(200);
      const sent = response.headers.get('x-name');
      expect(sent === null ? null : Buffer.from(sent, 'latin1').toString('utf8')).toBe(expected);
      expect(response.headers.get('x-number')).toBe('5');
      expect(response.headers.get('set-cookie')).toBeNull();
    });
  }

  test('"custom" sends on a selected address only where it is one, and encoded', async () => {
    for (const [name, location] of [
      ['/a \u00fc', '/a%20%C3%BC'],
      ['https://example.org/x', 'https://example.org/x'],
      ['//evil.example', null],
      ['javascript:alert(1)', null],
      ['http://[', null],
    ])
      expect((await post('/as-echo', {}, JSON.stringify({ name }))).headers.get('location')).toBe(location);
  });

  test('"redirect" to a place beyond ASCII is sent encoded, and shown as it is sent', async () => {
    for (const [path, location] of [
      ['/as-abroad', '/dank%C3%A9/%F0%9F%98%80%20a%5Cb?q=%EF%BF%BD%41#%C3%BC'],
      ['/as-host', 'https://xn--bcher-kva.example/%C3%BC'],
      ['/as-tab', '/%09/evil.example'],
    ]) {
      const response = await post(path as string);
      expect(response.status).toBe(303);
      expect(response.headers.get('location')).toBe(location);
      const { body } = await app().admin('GET', '/sinks?app_id=shop');
      expect(body.sinks.find((sink: any) => sink.path === path).response.location).toBe(location);
    }
  });

  const forbidden = [
    'Set-Cookie',
    'clear-site-data',
    'Content-Security-Policy',
    'Content-Security-Policy-Report-Only',
    'Permissions-Policy',
    'Cross-Origin-Opener-Policy',
    'Referrer-Policy',
    'Access-Control-Allow-Origin',
    'access-control-allow-credentials',
    'Strict-Transport-Security',
    'X-Frame-Options',
    'Service-Worker-Allowed',
    'Alt-Svc',
  ];
  test.each(forbidden)('the header %s is refused when the sink is saved, for it rules more than the answer', async (name) => {
    const response = { mode: 'custom', headers: { [name]: '*' } };
    const { status, body } = await app().admin('POST', '/apps/shop/sinks', { path: '/wrong', method: 'POST', response });
    expect(status).toBe(400);
    expect(body.error.message).toContain(`response.headers.${name}: rules more than this answer`);
  });

  const wrong = [
    ['a mode that there is not', 'sometimes', 'response'],
    ['a field of another mode', { mode: 'wait', status: 200 }, 'response.status: does not belong to mode "wait"'],
    ['an unknown field', { mode: 'custom', code: 1 }, 'unknown field "code"'],
    ['a redirect without a location', { mode: 'redirect' }, 'field "location" is missing'],
    ['a redirect to another host', { mode: 'redirect', location: '//evil.example' }, 'response.location'],
    ['a redirect to a script', { mode: 'redirect', location: 'javascript:alert(1)' }, 'response.location'],
    ['a status that is none', { mode: 'custom', status: 99 }, 'response.status'],
    ['a status that only accepts', { mode: 'accept', status: 204 }, 'must be 200 or 202'],
    ['a header that frames the answer', { mode: 'custom', headers: { 'Content-Length': '5' } }, 'is set by the server itself'],
    ['a header that would split the answer', { mode: 'custom', headers: { 'X-A': 'b\r\nSet-Cookie: c' } }, 'cannot carry'],
    ['a header name with a space', { mode: 'custom', headers: { 'X A': 'b' } }, 'is not a valid header name'],
    ['a redirect to no URL', { mode: 'redirect', location: 'http://[' }, 'is not a URL'],
    ['a place to go to that is none', { mode: 'custom', headers: { Location: '//evil.example' } }, 'must be a path that starts with one'],
    ['a selector in the status', { mode: 'custom', status: '$output.status' }, 'response.status'],
    ['a selector in the place to go to', { mode: 'redirect', location: '$output.url' }, 'response.location'],
    ['a header that selects what there is not', { mode: 'custom', headers: { 'X-A': '$inputs.x' } }, '$output.'],
    ['a body that selects what there is not', { mode: 'custom', body: { a: '$outputs.name' } }, '$output.'],
  ] as const;
  for (const [what, response, expected] of wrong) {
    test(`${what} is refused when the sink is saved, by name`, async () => {
      const { status, body } = await app().admin('POST', '/apps/shop/sinks', { path: '/wrong', method: 'POST', response });
      expect(status).toBe(400);
      expect(body.error.message).toContain(expected);
    });
  }
});

describe('the stream', () => {
  test('its headers keep caches and proxies from holding it back', async () => {
    const response = await post('/echo');
    expect(response.headers.get('cache-control')).toBe('no-cache, no-transform');
    expect(response.headers.get('x-accel-buffering')).toBe('no');
    await response.text();
  });

  test('the stream of a failed run ends with one error event and never says complete', async () => {
    const response = await post('/failing');
    expect(response.status).toBe(200);
    const frames = await allFrames(response);
    expect(frames.map(({ data }) => data.type)).toEqual(['progress', 'error']);
    expect(frames.at(-1)?.text).toBe(
      `{"type":"error","run_id":"${response.headers.get('x-run-id')}","error":{"code":"no_luck","message":"it broke","step":"broken"}}`,
    );
  });

  test('text in an event cannot forge another event', async () => {
    const response = await post('/echo', {}, JSON.stringify({ name: 'a\r\n\r\nid: 99\rdata: {"type":"complete"}\n\n' }));
    const frames = await allFrames(response);
    expect(frames.map(({ id }) => id)).toEqual([1, 2, 3]);
    expect(frames.at(-1)?.data.output.name).toContain('\r\n\r\nid: 99');
  });
});
