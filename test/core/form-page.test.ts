// To which pages a form may lead: paths, and exactly what the sink allows, however a browser would read the text.

import { expect, test } from 'vitest';
import { allowedPage, withParameter } from '../../src/core/sink/response/form-page.ts';

const PAGES = ['https://example.org/thanks', 'https://shop.example/forms/', 'http://local.example:8080/'];

test.each([
  ['/thanks', '/thanks'],
  ['/', '/'],
  ['/a/../b?x=1#y', '/b?x=1#y'],
  ['/ä', '/%C3%A4'],
  ['/a//b', '/a//b'],
  ['/@evil.example', '/@evil.example'],
  ['https://example.org/thanks', 'https://example.org/thanks'],
  ['https://EXAMPLE.org:443/thanks?a=1#b', 'https://example.org/thanks?a=1#b'],
  ['https://shop.example/forms/sent', 'https://shop.example/forms/sent'],
  ['http://local.example:8080', 'http://local.example:8080/'],
])('%s is allowed', (text, expected) => {
  expect(allowedPage(text, PAGES)).toBe(expected);
});

test.each([
  '',
  'thanks',
  '//evil.example',
  '///evil.example',
  '/\\evil.example',
  '\\/evil.example',
  '/\t/evil.example',
  '/\n/evil.example',
  ' /thanks',
  '/thanks ',
  '/.//evil.example',
  '/..//evil.example',
  '/x/..//evil.example',
  '/%2e//evil.example',
  'https:evil.example',
  'https:/example.org/thanks',
  'https:///example.org/thanks',
  'javascript:alert(1)',
  'data:text/html,x',
  'https://example.org',
  'https://example.org/thanks/',
  'https://example.org/thanks2',
  'https://example.org/thanks/../admin',
  'https://example.org/thanks%2f..',
  'http://example.org/thanks',
  'https://example.org:8443/thanks',
  'https://example.org.evil.example/thanks',
  'https://example.org@evil.example/thanks',
  'https://@example.org/thanks',
  'https://user@example.org/thanks',
  'https://evil.example\\@example.org/thanks',
  'https://example.org\\.evil.example/thanks',
  'https://shop.example/forms',
  'https://shop.example/forms/../admin',
  'https://shop.example/forms/%2e%2e/admin',
  'https://shop.example/forms/..%2fadmin',
  'https://shop.example/forms/..%5Cadmin',
  'https://exam\u00adple.org/thank',
  'https://example.org\u2024evil.example/thanks',
  `/${'a'.repeat(2048)}`,
])('%j is refused', (text) => {
  expect(allowedPage(text, PAGES)).toBeNull();
});

test.each([
  ['/thanks', '/thanks?run_id=1'],
  ['/thanks?a=b', '/thanks?a=b&run_id=1'],
  ['/thanks?', '/thanks?run_id=1'],
  ['https://example.org/#/sent?x', 'https://example.org/?run_id=1#/sent?x'],
])('a value is added to %s before its fragment', (location, expected) => {
  expect(withParameter(location, 'run_id', '1')).toBe(expected);
});
