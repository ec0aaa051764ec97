// Sends requests to a server on this machine, or to another URL, and reads the answer's status.

import { request as sendHttp } from 'node:http';
import { request as sendHttps } from 'node:https';
import { parseUrl } from '../../parse-url.ts';
import { ExitError, WRONG_USAGE } from '../exit-error.ts';

export interface LocalRequest {
  method: string;
  url: string;
  headers: Record<string, string>;
  body: Uint8Array;
}

/** Returns the URL that `--forward` names: of a port on this machine, or as given. Throws ExitError. */
export function readTarget(text: string): string {
  if (/^\d{1,5}$/.test(text) && Number(text) >= 1 && Number(text) <= 65_535) return `http://127.0.0.1:${Number(text)}`;
  const isUrl = /^https?:\/\//i.test(text) && parseUrl(text) !== null;
  if (!isUrl)
    throw new ExitError(`--forward: "${text}" is neither a port (1 to 65535) nor a URL, such as http://localhost:3000/hook`, WRONG_USAGE);
  return text;
}

/** Resolves to the status of the answer, once all of it has arrived. Rejects with one line about the fault. */
export function sendLocally({ method, url, headers, body }: LocalRequest, signal: AbortSignal): Promise<number> {
  const send = url.toLowerCase().startsWith('https:') ? sendHttps : sendHttp;
  return new Promise((resolve, reject) => {
    const request = send(url, { method, headers: { ...headers, ...lengthOf(method, body) }, signal }, (response) => {
      response.on('error', (error) => reject(faultOf(error, url)));
      response.on('end', () => resolve(response.statusCode ?? 0));
      response.resume();
    });
    request.on('error', (error) => reject(faultOf(error, url)));
    request.end(body);
  });
}

function lengthOf(method: string, { byteLength }: Uint8Array): { 'content-length'?: string } {
  return byteLength === 0 && ['GET', 'HEAD', 'DELETE', 'OPTIONS'].includes(method) ? {} : { 'content-length': String(byteLength) };
}

const FAULTS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  ECONNRESET: 'the connection was reset',
  ENOTFOUND: 'the host is unknown',
};

function faultOf({ code = '', message }: NodeJS.ErrnoException, url: string): Error {
  return new Error(`${new URL(url).origin}: ${FAULTS[code] ?? message}`);
}
