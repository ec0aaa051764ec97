// Clients that close their sending side behind the request, as `nc` and some webhook senders do: they read on, and get
// their answer (RFC 9112, 9.6).

import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { MAX_WAIT_MS } from '../core/sink/response-mode.ts';
import { MAX_BEHIND_MS } from './streams/unsent-answers.ts';

/** The longest silence of an answer: that of a caller who waits for the run. Streams say something every 15 s. */
const MAX_SILENCE_MS = MAX_WAIT_MS + MAX_BEHIND_MS;

/**
 * Node ends such a connection at once unless it is told otherwise. Who closed both sides answers the next byte with a
 * reset; who closed one and reads nothing is let go after `maxSilenceMs` in which no byte could be sent.
 */
export function answerHalfClosed(server: Server, maxSilenceMs = MAX_SILENCE_MS): void {
  (server as HalfOpenServer).httpAllowHalfOpen = true;
  server.on('connection', (socket: Socket) => socket.once('end', () => limitSilence(socket, maxSilenceMs)));
}

/** A limit that is shorter already, as that of a reader who is stuck, stays. */
function limitSilence(socket: Socket, ms: number): void {
  if (socket.timeout === undefined || socket.timeout === 0 || socket.timeout > ms) socket.setTimeout(ms);
}

/** Part of Node since 0.5, but in neither its documentation nor its types. */
type HalfOpenServer = Server & { httpAllowHalfOpen: boolean };
