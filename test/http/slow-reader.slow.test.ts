// A reader that does not read: it is bounded in memory and time, and never holds the run.

import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import { type EndEvent, isEnd, type ProgressEvent, type RunEvent } from '../../src/core/run/run-event.ts';
import { createRunFeed } from '../../src/engine/run-feed.ts';
import { EventStreams } from '../../src/http/streams/event-streams.ts';
import { UnsentAnswers } from '../../src/http/streams/unsent-answers.ts';
import { MemoryAccount } from '../../src/memory-budget.ts';
import { captureServer } from '../support/capture-server.ts';
import { onTestEnd } from '../support/cleanup.ts';
import { startTestApp } from '../support/start-app.ts';
import { until } from '../support/until.ts';

const UNSENT_LIMIT = 65_536;
/** Of a body in the answer, so that the answer is more than the system itself holds for a connection. */
const COPIES = 3;

type Unnumbered = Omit<ProgressEvent, 'seq'> | Omit<EndEvent, 'seq'>;

/** A stream of a run whose events the test makes, to a socket that reads nothing until it is told to. */
async function streamToSleeper(patienceMs?: number): Promise<{
  response: ServerResponse;
  socket: Socket;
  emit(event: Unnumbered): void;
}> {
  const stored: RunEvent[] = [];
  let isEnded = false;
  const feed = createRunFeed();
  const account = new MemoryAccount('answers', 2 ** 30);
  const read = (after: number) => ({ events: stored.filter(({ seq }) => seq > after), ended: isEnded, sinkId: 'snk_1' });
  const streams = new EventStreams({
    reads: { events: async (_run, after) => ({ value: read(after), reservedBytes: 0 }), release: () => undefined },
    feed,
    unsent: new UnsentAnswers(account),
    ...(patienceMs === undefined ? {} : { maxStalledMs: patienceMs }),
  });
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  socket.pause();
  socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  const [, response] = (await once(server, 'request')) as [unknown, ServerResponse];
  onTestEnd(() => {
    streams.closeAll();
    socket.destroy();
    server.close();
  });
  response.writeHead(200);
  streams.follow(response, 'run_1', 0);
  return {
    response,
    socket,
    emit(unnumbered) {
      const event = { ...unnumbered, seq: stored.length + 1 };
      stored.push(event);
      isEnded = isEnd(event);
      feed.publish('run_1', [event]);
    },
  };
}

const progress = (percent: number): Unnumbered => ({ progress: percent, step: null, message: 'x'.repeat(2000) });
const complete = (output: string): Unnumbered => ({ outcome: { status: 'completed', output, error: null } });

/** Emits events until the stream has stopped taking them. */
async function fill({ response, emit }: Awaited<ReturnType<typeof streamToSleeper>>): Promise<number> {
  let count = 0;
  await until('the stream to fall behind', () => {
    // Still unsent after a while: the socket takes no more.
    if (response.writableLength > UNSENT_LIMIT) return true;
    for (let burst = 0; burst < 1000; burst += 1) emit(progress(count++ % 100));
    return false;
  });
  return count;
}

/** What the system had taken for the socket before the server let go. */
async function bytesLeftFor(socket: Socket): Promise<number> {
  let received = 0;
  socket.on('data', (chunk) => {
    received += chunk.length;
  });
  socket.resume();
  await once(socket, 'close');
  return received;
}

describe('a stream whose reader is too slow', () => {
  test('holds no more than its limit, however many events follow', async () => {
    const sleeper = await streamToSleeper();
    await fill(sleeper);
    const held = sleeper.response.writableLength;
    for (let count = 0; count < 5000; count += 1) sleeper.emit(progress(count % 100));
    expect(sleeper.response.writableLength).toBe(held);
    expect(held).toBeLessThan(2 * UNSENT_LIMIT);
  });

  test('brings the latest progress and the end to a reader that comes back in time', async () => {
    const sleeper = await streamToSleeper();
    const count = await fill(sleeper);
    for (let more = 0; more < 1000; more += 1) sleeper.emit(progress(98));
    sleeper.emit(progress(99));
    sleeper.emit(complete('1'));
    let text = '';
    sleeper.socket.on('data', (chunk) => {
      text += chunk.toString();
    });
    sleeper.socket.resume();
    await until('the end of the stream', () => text.includes('"complete"'));
    const ids = [...text.matchAll(/^id: (\d+)$/gm)].map(([, id]) => Number(id));
    expect(ids.slice(-2)).toEqual([count + 1001, count + 1002]);
    expect(ids).toEqual([...ids].sort((a, b) => a - b));
    expect(ids.length).toBeLessThan(count + 3);
    expect(text.match(/"complete"/g)).toHaveLength(1);
  });

  test('is dropped when the reader stays behind', async () => {
    const sleeper = await streamToSleeper(100);
    await fill(sleeper);
    await once(sleeper.response, 'close');
    expect(sleeper.response.destroyed).toBe(true);
  });

  test('is dropped when the reader does not take the end of it', async () => {
    const sleeper = await streamToSleeper(100);
    sleeper.emit(complete(`"${'x'.repeat(20_000_000)}"`));
    await until('the end to be written', () => sleeper.response.writableLength > 0);
    await once(sleeper.response, 'close');
    expect(await bytesLeftFor(sleeper.socket)).toBeLessThan(20_000_000);
  });
});

describe('callers that post and never read', () => {
  test('their runs all complete, and they are dropped after half a minute without progress', async () => {
    const { started: app, server } = await captureServer(startTestApp);
    const stuck: Socket[] = [];
    server.on('connection', (socket) => {
      const setTimeout = socket.setTimeout.bind(socket);
      socket.setTimeout = (ms, done) => {
        if (ms === 30_000) stuck.push(socket);
        // Half a minute passes in a tenth of a second.
        return setTimeout(ms === 30_000 ? 100 : ms, done);
      };
    });
    await app.workflow('echo', {
      inputs: [{ type: 'WorkflowParameter', name: 'data' }],
      steps: [{ type: 'sluice/set@v1', name: 's', values: { data: '$inputs.data' } }],
      outputs: Array.from({ length: COPIES }, (_, copy) => ({ type: 'JsonField', name: `copy${copy}`, selector: '$steps.s.data' })),
    });
    await app.sink({ path: '/hook', workflow_id: 'echo' });
    await app.sink({ path: '/custom', workflow_id: 'echo', response: { mode: 'custom', body: '$output' } });
    const data = 'x'.repeat(3_000_000);
    const body = JSON.stringify({ data });
    const sockets = [
      ['hook', 'text/event-stream'],
      ['custom', '*/*'],
    ].map(([path, accept]) => {
      const socket = connect(Number(new URL(app.url).port), '127.0.0.1');
      socket.pause();
      socket.on('error', () => undefined);
      socket.write(
        `POST /shop/${path} HTTP/1.1\r\nHost: x\r\nAccept: ${accept}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
      );
      onTestEnd(() => void socket.destroy());
      return socket;
    });
    const ended = await until(
      'the runs to end',
      async () => {
        const { runs } = (await app.admin('GET', '/runs?status=completed')).body;
        return runs.length === sockets.length;
      },
      15_000,
    );
    expect(ended).toBe(true);
    await until('the connections to be dropped', () => stuck.length === sockets.length && stuck.every(({ destroyed }) => destroyed));
    for (const socket of sockets) expect(await bytesLeftFor(socket)).toBeLessThan(COPIES * data.length);
  });
});
