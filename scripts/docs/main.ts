// Entry of `npm run docs`: writes the generated parts of the documents, and the picture in the README. With the URL of a
// running server, records the picture again.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { documentsWithParts, fillParts } from './generated-parts.ts';
import { formatRecording, parseRecording, recordTerminal } from './recording.ts';
import { drawTerminal } from './terminal-picture.ts';

const ROOT = join(import.meta.dirname, '../..');
const RECORDING = join(ROOT, 'docs/terminal.cast');
const PICTURE = join(ROOT, 'docs/terminal.svg');

const [url] = process.argv.slice(2);
if (url !== undefined) writeFileSync(RECORDING, formatRecording(await recordTerminal(url)));
writeFileSync(PICTURE, drawTerminal(parseRecording(readFileSync(RECORDING, 'utf8'))));
for (const document of documentsWithParts) {
  const path = join(ROOT, document);
  writeFileSync(path, fillParts(document, readFileSync(path, 'utf8')));
}
