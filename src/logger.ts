// The log: JSON lines without secrets, written asynchronously. It has one line per run and none per request.

import { type DestinationStream, destination, type Logger as PinoLogger, pino } from 'pino';
import type { LogLevel } from './config/config.ts';

export type Logger = PinoLogger;

const SECRET_FIELDS = new Set(['authorization', 'cookie', 'token', 'tokens', 'auth_token', 'secret', 'secrets', 'password', 'headers']);
/** Lines are buffered up to this many characters, or this long: a write costs more than its line. */
const MAX_BUFFERED_CHARACTERS = 15_000;
const FLUSH_EVERY_MS = 250;

export interface LogOutput {
  logger: Logger;
  /** Writes what is buffered, and stops the flush timer. */
  close(): void;
}

/** `stream` replaces standard output, for tests. Drops lines when the log cannot be written. */
export function createLogger(level: LogLevel, stream?: DestinationStream): LogOutput {
  const options = { level, base: null, formatters: { level: (label: string) => ({ level: label }), log: redactFields } };
  if (stream !== undefined) return { logger: pino(options, stream), close: () => undefined };
  const output = destination({ dest: 1, sync: false });
  output.on('error', () => undefined);
  let buffered = '';
  const flush = (): void => {
    if (buffered !== '') output.write(buffered);
    buffered = '';
  };
  const timer = setInterval(flush, FLUSH_EVERY_MS);
  const buffering: DestinationStream = {
    write(line) {
      buffered += line;
      if (buffered.length >= MAX_BUFFERED_CHARACTERS) flush();
    },
  };
  return {
    logger: pino(options, buffering),
    close() {
      clearInterval(timer);
      flush();
      try {
        output.flushSync();
      } catch {
        // The log's reader is gone.
      }
    },
  };
}

/** Unlike pino's redaction, copies an object only when it contains a secret field. */
function redactFields(fields: Record<string, unknown>): Record<string, unknown> {
  for (const name in fields) {
    if (!SECRET_FIELDS.has(name)) continue;
    const shown = Object.entries(fields).map(([key, value]) => [key, SECRET_FIELDS.has(key) ? '[redacted]' : value]);
    return Object.fromEntries(shown) as Record<string, unknown>;
  }
  return fields;
}
