// The generated parts of the documents match the code, and the picture matches the output of its commands.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { documentsWithParts, fillParts } from '../../scripts/docs/generated-parts.ts';
import { parseRecording, recordTerminal } from '../../scripts/docs/recording.ts';
import { drawTerminal } from '../../scripts/docs/terminal-picture.ts';
import { startTestApp } from '../support/start-app.ts';
import { ROOT, readDocument } from './markdown.ts';
import { masked } from './masked.ts';

const recording = parseRecording(readFileSync(join(ROOT, 'docs/terminal.cast'), 'utf8'));
const textOf = ({ output }: typeof recording): string => output.map(([, text]) => text).join('');

for (const document of documentsWithParts) {
  test(`the generated parts of ${document} match the output of "npm run docs"`, () => {
    expect(readDocument(document)).toBe(fillParts(document, readDocument(document)));
  });
}

test('the picture in the README is drawn from the recording', () => {
  expect(readFileSync(join(ROOT, 'docs/terminal.svg'), 'utf8')).toBe(drawTerminal(recording));
});

test('the recording matches the output of the two commands', async () => {
  const app = await startTestApp({ demoPath: join(ROOT, 'config/demo') });
  expect(masked(textOf(await recordTerminal(app.url, 0)))).toBe(masked(textOf(recording)));
});
