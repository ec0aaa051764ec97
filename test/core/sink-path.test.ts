// Paths of sinks: the patterns that may be saved, and the one form in which they are kept.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canonicalPattern, patternFault, patternKey, requestPathFault } from '../../src/core/sink/sink-path.ts';

describe('patterns', () => {
  const good = [
    '/',
    '/webhook',
    '/webhook/',
    '/a/b/c',
    '/users/:id',
    '/users/:id/posts/:post_id',
    '/files/*',
    '/*',
    '/caf\u00e9',
    '/a.b~c-d_e',
    '/@x;y=1',
  ];
  for (const pattern of good) {
    test(`${pattern} may be saved`, () => {
      expect(patternFault(pattern)).toBeNull();
    });
  }

  const bad: [string, string][] = [
    ['', 'must start with "/"'],
    ['webhook', 'must start with "/"'],
    ['https://example.org/x', 'must start with "/"'],
    ['//', 'empty segment'],
    ['/a//b', 'empty segment'],
    ['/a//', 'empty segment'],
    ['/.', '"." or ".."'],
    ['/a/../b', '"." or ".."'],
    ['/a/*/b', '"*" may only be the last segment'],
    ['/a*', 'cannot'],
    ['/a/b*', 'cannot'],
    ['/:', 'is not a parameter'],
    ['/:1x', 'is not a parameter'],
    ['/:a-:b', 'is not a parameter'],
    ['/:a(\\d+)', 'is not a parameter'],
    ['/:a?', 'is not a parameter'],
    ['/x:a', 'cannot'],
    ['/:id/:id', 'appears twice'],
    ['/a?b=1', 'cannot'],
    ['/a#b', 'cannot'],
    ['/a%20b', 'cannot'],
    ['/a%2Fb', 'cannot'],
    ['/a\\b', 'cannot'],
    ['/a b', 'cannot'],
    ['/a\tb', 'cannot'],
    ['/a\0b', 'cannot'],
    ['/a\u0085b', 'cannot'],
    ['/a\u00a0b', 'cannot'],
    [`/${'x'.repeat(2048)}`, 'at most 2048'],
  ];
  for (const [pattern, reason] of bad) {
    test(`${JSON.stringify(pattern).slice(0, 40)} is refused: ${reason}`, () => {
      expect(patternFault(pattern)).toContain(reason);
    });
  }

  test('one trailing slash and the normal form of Unicode make no difference', () => {
    expect(canonicalPattern('/a/')).toBe('/a');
    expect(canonicalPattern('/')).toBe('/');
    expect(canonicalPattern('/cafe\u0301')).toBe('/caf\u00e9');
  });

  test('parameter names do not tell patterns apart, and all else does', () => {
    expect(patternKey('/users/:id/posts/:post')).toBe(patternKey('/users/:user/posts/:p'));
    expect(new Set(['/users/:id', '/users/*', '/users/id', '/users', '/Users/:id', '/users/:id/x'].map(patternKey)).size).toBe(6);
  });

  test('the canonical form is its own canonical form, for any good pattern', () => {
    const segment = fc.oneof(
      fc.stringMatching(/^[a-z\u00e0-\u00ff.~_-]{1,6}$/),
      fc.constant('e\u0301'),
      fc.stringMatching(/^:[a-z]{1,4}$/),
    );
    fc.assert(
      fc.property(fc.uniqueArray(segment, { minLength: 1, maxLength: 5 }), fc.boolean(), (segments, hasSlash) => {
        const pattern = `/${segments.join('/')}${hasSlash ? '/' : ''}`;
        fc.pre(patternFault(pattern) === null);
        const canonical = canonicalPattern(pattern);
        expect(canonicalPattern(canonical)).toBe(canonical);
        expect(patternFault(canonical)).toBeNull();
      }),
    );
  });
});

describe('paths of requests', () => {
  test('no text makes the check fail, and what it lets through can be decoded and holds no trick', () => {
    const piece = fc.oneof(
      fc.string({ maxLength: 4 }),
      fc.constantFrom('/', '..', '.', '%2e', '%2F', '%5c', '%00', '%', '%c3%a9', '\\', '#'),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
        const path = `/${pieces.join('')}`;
        if (requestPathFault(path) !== null) return;
        const decoded = decodeURIComponent(path);
        expect(decoded.split('/').length).toBe(path.split('/').length);
        expect(decoded.split('/')).not.toContain('..');
        // biome-ignore lint/suspicious/noControlCharactersInRegex: this is what must not be there
        expect(decoded).not.toMatch(/[\u0000-\u001f\\]/);
      }),
      { numRuns: 1000 },
    );
  });
});
