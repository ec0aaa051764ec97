// URLs that Node 20 refuses once URL.canParse is optimized: its compiled form takes Latin-1 for UTF-8.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parseUrl } from '../src/parse-url.ts';

test('a URL with a letter such as "ü" is one, however often it is parsed', () => {
  const refused = Array.from({ length: 20_000 }, () => parseUrl('https://bücher.example/ü')).filter((url) => url === null);
  expect(refused).toEqual([]);
});

test('a text that is no URL is none', () => {
  expect(['', 'example.org', 'https://', 'http://[', '/path'].map((text) => parseUrl(text))).toEqual([null, null, null, null, null]);
  expect(parseUrl('/path', 'https://example.org')?.href).toBe('https://example.org/path');
});

test('no file calls URL.canParse', () => {
  const folder = join(import.meta.dirname, '../src');
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(
    (path) => path.endsWith('.ts') && path !== 'parse-url.ts',
  );
  expect(files.filter((path) => readFileSync(join(folder, path), 'utf8').includes('URL.canParse'))).toEqual([]);
});
