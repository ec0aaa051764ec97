// The head of an answer: what is settled, what passes as it came, and how long hostile ones take.

import { describe, expect, test } from 'vitest';
import { settleHead } from '../../src/delivery/http/answer-head.ts';

const head = (status: string, ...fields: string[]): string => [`HTTP/1.1 ${status}`, ...fields, '', ''].join('\r\n');

describe('passes as it came', () => {
  test.each([
    head('200 OK'),
    head('200'),
    head('200 OK', 'Content-Length: 5'),
    head('200 OK', 'content-length:5'),
    head('200 OK', 'Transfer-Encoding: chunked'),
    head('200 OK', 'X-Content-Length: 5', 'Content-Length: 5'),
    head('200 OK', 'Content-Length: 5', 'Content-Length: 6'),
    head('200 OK', 'Content-Length: 5, 6'),
    head('200 OK', 'Content-Length: -5'),
    head('200 OK', 'Content-Length: 5,'),
    head('200 OK', 'Content-Length:'),
    head('200 OK', 'Content-Length: 0x5', 'Content-Length: 0x5'),
    head('204 No Content'),
    head('204 No Content', 'Content-Length: 0'),
    head('205 Reset Content', 'Content-Length: 0'),
    head('205 Reset Content', 'Transfer-Encoding: chunked'),
    head('101 Switching Protocols', 'Upgrade: x'),
    'HTTP/2 200\r\n\r\n',
    'ICY 200 OK\r\n\r\n',
  ])('%j', (text) => {
    expect(settleHead(text)).toBe(text);
  });
});

describe('is settled, and closes the connection', () => {
  test.each([
    [head('204 No Content', 'Content-Length: 5', 'X: y'), head('204 No Content', 'X: y', 'Connection: close')],
    [head('304 Not Modified', 'Transfer-Encoding: chunked'), head('304 Not Modified', 'Connection: close')],
    [head('205 Reset Content', 'Content-Length: 5'), head('205 Reset Content', 'Content-Length: 0', 'Connection: close')],
    [head('200 OK', 'Content-Length: 5', 'X: y', 'CONTENT-LENGTH: 5'), head('200 OK', 'X: y', 'Content-Length: 5', 'Connection: close')],
    [head('200 OK', 'Content-Length:\t5 ,5'), head('200 OK', 'Content-Length: 5', 'Connection: close')],
    [
      head('200 OK', 'Connection: keep-alive', 'Keep-Alive: timeout=5', 'Content-Length: 5, 5'),
      head('200 OK', 'Content-Length: 5', 'Connection: close'),
    ],
    [head('200 OK', 'Content-Length: 5', 'Transfer-Encoding: chunked'), head('200 OK', 'Transfer-Encoding: chunked', 'Connection: close')],
  ])('%j', (text, expected) => {
    expect(settleHead(text)).toBe(expected);
  });
});

test.each(['100 Continue', '102 Processing', '103 Early Hints', '199 What'])('%s is passed over', (status) => {
  expect(settleHead(head(status, 'Content-Length: 5'))).toBeNull();
});

test('of the longest kind takes no time worth speaking of, whatever it holds', () => {
  const length = 16_000;
  const hostile = [
    head('200 OK', `Content-Length: 5${' '.repeat(length)}x`),
    head('200 OK', `Content-Length:${' \t'.repeat(length / 2)}`),
    head('200 OK', `Content-Length: 5${' ,'.repeat(length / 2)}`),
    head('200 OK', 'content-length:'.repeat(length / 15)),
    head('200 OK', ...Array.from({ length: length / 20 }, () => 'Content-Length: 55')),
    head(`200 ${' '.repeat(length)}`),
  ];
  for (const text of hostile) {
    const start = process.cpuUsage().user;
    settleHead(text);
    expect((process.cpuUsage().user - start) / 1000, text.slice(0, 60)).toBeLessThan(100);
  }
});
