// One HTTP request of a client, which keeps what has arrived of an answer that was cut off.

import { Agent, type IncomingHttpHeaders, request } from 'node:http';
import type { ToldEvent, ToldStream } from '../history.ts';

export interface Call {
  method: string;
  path: string;
  headers?: Record<string, string>;
  body?: string;
}

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  text: string;
  ending: ToldStream['ending'];
}

/** No head of an answer came. */
export interface Lost {
  lost: string;
}

const TIMEOUT_MS = 5000;

export class Caller {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 64 });

  call(base: string, { method, path, headers = {}, body }: Call): Promise<Answer | Lost> {
    const type: Record<string, string> = body === undefined ? {} : { 'content-type': 'application/json' };
    return new Promise((resolve) => {
      let isOver = false;
      let settle = (error?: NodeJS.ErrnoException): void => resolve({ lost: isOver ? 'no answer in time' : (error?.code ?? 'no answer') });
      const outgoing = request(`${base}${path}`, { method, headers: { ...type, ...headers }, agent: this.#agent }, (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => {
          text += chunk;
        });
        // From now on the answer is what has arrived of it.
        settle = () => {
          const ending = response.complete ? 'whole' : isOver ? 'timeout' : 'cut';
          resolve({ status: response.statusCode as number, headers: response.headers, text, ending });
        };
        response.on('end', () => settle()).on('error', () => settle());
      });
      const timer = setTimeout(() => {
        isOver = true;
        outgoing.destroy();
      }, TIMEOUT_MS);
      outgoing
        .on('error', (error) => settle(error))
        .on('close', () => {
          clearTimeout(timer);
          settle();
        });
      outgoing.end(body);
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}

/** The whole frames of a stream, also of one that was cut off. */
export function framesOf(text: string): ToldEvent[] {
  const frames = text.slice(0, text.lastIndexOf('\n\n') + 1).split('\n\n');
  return frames.flatMap((frame) => {
    const seq = /^id: (\d+)$/m.exec(frame)?.[1];
    const data = /^data: (.*)$/m.exec(frame)?.[1];
    return seq === undefined || data === undefined ? [] : [{ seq: Number(seq), text: data }];
  });
}
