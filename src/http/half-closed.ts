// Answers clients that close their sending side after the request (RFC 9112, 9.6), as `nc` and some webhook senders do:
// they still read.

import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { MAX_WAIT_MS } from '../core/sink/response/response-mode.ts';
import { MAX_STALLED_MS } from './streams/unsent-answers.ts';

/** The longest silence is that of an answer that waits for the run. Streams send a heartbeat every 15 s. */
const MAX_SILENCE_MS = MAX_WAIT_MS + MAX_STALLED_MS;

/**
 * Keeps such connections open; by default Node ends them at once. A client that closed both sides resets the connection
 * on the next byte. A client that reads nothing is disconnected after `maxSilenceMs` in which no byte could be sent.
 */
export function answerHalfClosed(server: Server, maxSilenceMs = MAX_SILENCE_MS): void {
  (server as HalfOpenServer).httpAllowHalfOpen = true;
  server.on('connection', (socket: Socket) => socket.once('end', () => limitSilence(socket, maxSilenceMs)));
}

/** Keeps a shorter limit, such as that of a stalled reader. */
function limitSilence(socket: Socket, ms: number): void {
  if (socket.timeout === undefined || socket.timeout === 0 || socket.timeout > ms) socket.setTimeout(ms);
}

/** In Node since 0.5, but neither documented nor typed. */
type HalfOpenServer = Server & { httpAllowHalfOpen: boolean };
