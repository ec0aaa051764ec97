// The log: JSON lines, written asynchronously, with nothing in them that is secret. One line a run; requests are not
// logged one by one.

import { type DestinationStream, destination, type Logger as PinoLogger, pino } from 'pino';
import type { LogLevel } from './config/config.ts';

export type Logger = PinoLogger;

const SECRET_FIELDS = new Set(['authorization', 'cookie', 'token', 'tokens', 'auth_token', 'secret', 'secrets', 'password', 'headers']);
/** Lines gather up to this many characters, or this long, before they are written: a write for each costs more than the line. */
const GATHERED_CHARACTERS = 15_000;
const FLUSH_EVERY_MS = 250;

export interface LogOutput {
  logger: Logger;
  /** Writes what is buffered, and stops the flush timer. */
  close(): void;
}

/** `stream` replaces standard output, for tests. Falls silent rather than fail when the log cannot be written. */
export function createLogger(level: LogLevel, stream?: DestinationStream): LogOutput {
  const options = { level, base: null, formatters: { level: (label: string) => ({ level: label }), log: redactFields } };
  if (stream !== undefined) return { logger: pino(options, stream), close: () => undefined };
  const output = destination({ dest: 1, sync: false });
  output.on('error', () => undefined);
  let gathered = '';
  const flush = (): void => {
    if (gathered !== '') output.write(gathered);
    gathered = '';
  };
  const timer = setInterval(flush, FLUSH_EVERY_MS);
  const gathering: DestinationStream = {
    write(line) {
      gathered += line;
      if (gathered.length >= GATHERED_CHARACTERS) flush();
    },
  };
  return {
    logger: pino(options, gathering),
    close() {
      clearInterval(timer);
      flush();
      try {
        output.flushSync();
      } catch {
        // The log's reader has gone; there is nobody left to tell.
      }
    },
  };
}

/** pino's own redaction copies every object that it is given; a line that holds no secret field passes here as it is. */
function redactFields(fields: Record<string, unknown>): Record<string, unknown> {
  for (const name in fields) {
    if (!SECRET_FIELDS.has(name)) continue;
    const shown = Object.entries(fields).map(([key, value]) => [key, SECRET_FIELDS.has(key) ? '[redacted]' : value]);
    return Object.fromEntries(shown) as Record<string, unknown>;
  }
  return fields;
}
