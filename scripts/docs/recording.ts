// Records the picture in the README: two commands against a running server, with their output and its times. The format
// is asciicast (version 2), which terminal players can read.

import { spawn } from 'node:child_process';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { runCli } from '../../src/cli/run-cli.ts';

export interface Recording {
  columns: number;
  rows: number;
  /** Seconds since the start, and the output of that moment. */
  output: [seconds: number, text: string][];
}

const COLUMNS = 104;
const ROWS = 32;
/** The address of a reader's server. */
const SHOWN_HOST = 'localhost:9657';
/** The pause between the two commands, for the viewer. */
const PAUSE_MS = 1000;

/** Rejects when a command fails. */
export async function recordTerminal(url: string, pauseMs = PAUSE_MS): Promise<Recording> {
  const start = performance.now();
  const output: Recording['output'] = [];
  const host = new URL(url).host;
  const print = (text: string): void => {
    const shown = text.replaceAll(host, SHOWN_HOST).replaceAll('\n', '\r\n');
    output.push([Math.round(performance.now() - start) / 1000, shown]);
  };

  print(`$ curl -N -X POST http://${SHOWN_HOST}/demo/webhook \\\n    -H 'Content-Type: application/json' -d '${BODY}'\n`);
  await runCurl(`${url}/demo/webhook`, print);
  await sleep(pauseMs);
  print(`$ sluice send demo/webhook --json '${EXACT_BODY}'\n`);
  await runSend(url, print);
  return { columns: COLUMNS, rows: ROWS, output };
}

const BODY = '{"event": "test", "data": {"key": "value"}}';
const EXACT_BODY = '{"event": "paid", "data": {"id": 12345678901234567890}}';

async function runCurl(url: string, print: (text: string) => void): Promise<void> {
  const child = spawn('curl', ['-sN', '-X', 'POST', url, '-H', 'Content-Type: application/json', '-d', BODY]);
  child.stdout.setEncoding('utf8').on('data', print);
  const code = await new Promise((resolve) => child.once('close', resolve));
  if (code !== 0) throw new Error(`curl ended with ${String(code)}`);
}

async function runSend(url: string, print: (text: string) => void): Promise<void> {
  const code = await runCli(
    ['node', 'sluice', 'send', 'demo/webhook', '--json', EXACT_BODY, '--url', url],
    {},
    {
      stdout: { write: print },
      stderr: { write: print },
      stdin: (async function* () {})(),
      closeStdin: () => undefined,
      terminalColumns: () => COLUMNS,
      isTerminal: () => true,
      interruption: () => new AbortController().signal,
    },
  );
  if (code !== 0) throw new Error(`sluice send ended with ${code}`);
}

export function formatRecording({ columns, rows, output }: Recording): string {
  const header = { version: 2, width: columns, height: rows, title: 'Sluice: a request starts a run and streams it back' };
  const lines = output.map(([seconds, text]) => JSON.stringify([seconds, 'o', text]));
  return `${[JSON.stringify(header), ...lines].join('\n')}\n`;
}

export function parseRecording(text: string): Recording {
  const [header = '', ...lines] = text.trimEnd().split('\n');
  const { width, height } = JSON.parse(header) as { width: number; height: number };
  const events = lines.map((line) => JSON.parse(line) as [number, string, string]);
  return { columns: width, rows: height, output: events.map(([seconds, , data]) => [seconds, data]) };
}
