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
const TIMEOUT = 'no answer in time';

export class Caller {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 64 });

  call(base: string, { method, path, headers = {}, body }: Call): Promise<Answer | Lost> {
    const type: Record<string, string> = body === undefined ? {} : { 'content-type': 'application/json' };
    return new Promise((resolve) => {
      const outgoing = request(`${base}${path}`, { method, headers: { ...type, ...headers }, agent: this.#agent }, (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => {
          text += chunk;
        });
        const settle = (ending: Answer['ending']): void => {
          clearTimeout(timer);
          resolve({ status: response.statusCode as number, headers: response.headers, text, ending });
        };
        response.on('end', () => settle('whole')).on('error', (error) => settle(error.message === TIMEOUT ? 'timeout' : 'cut'));
      });
      const timer = setTimeout(() => outgoing.destroy(new Error(TIMEOUT)), TIMEOUT_MS);
      outgoing.on('error', (error: NodeJS.ErrnoException) => {
        clearTimeout(timer);
        resolve({ lost: error.code ?? error.message });
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
