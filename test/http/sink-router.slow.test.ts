// Which sink a request finds: static before parameter before wildcard, one method before any.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseSink, type Sink } from '../../src/core/sink/sink.ts';
import { toStoredSink } from '../../src/definitions/sinks/stored-sink.ts';
import { createSinkRouter, type SinkMatch } from '../../src/http/trigger/sink-router.ts';
import { createSealer } from '../../src/sealer.ts';

function sink(method: string, path: string, appId = 'shop'): Sink {
  const { sink: definition, faults } = parseSink({ method, path }, appId);
  if (definition === null) throw new Error(JSON.stringify(faults));
  return toStoredSink(definition, { managedBy: 'api', sealer: createSealer('key'), now: 0 });
}

/** `POST /a/:x {"x":"1"}`, or the methods of the path, or nothing. */
function describeMatch(match: SinkMatch): string {
  if (match.kind === 'sink') return `${match.sink.method} ${match.sink.path} ${JSON.stringify(match.params)}`;
  return match.kind === 'other_methods' ? `only ${match.methods.join(', ')}` : 'none';
}

describe('precedence', () => {
  const all = ['/a/b', '/a/:x', '/a/*', '/a/:x/c', '/a/:x/:y', '/:any', '/*', '/'].map((path) => sink('POST', path));
  const cases: [string, string][] = [
    ['/shop/a/b', 'POST /a/b {}'],
    ['/shop/a/b/', 'POST /a/b {}'],
    ['/shop/a/z', 'POST /a/:x {"x":"z"}'],
    ['/shop/a/z/c', 'POST /a/:x/c {"x":"z"}'],
    ['/shop/a/b/c', 'POST /a/:x/c {"x":"b"}'],
    ['/shop/a/z/d', 'POST /a/:x/:y {"x":"z","y":"d"}'],
    ['/shop/a/z/d/e', 'POST /a/* {"*":"z/d/e"}'],
    ['/shop/a', 'POST /:any {"any":"a"}'],
    ['/shop/q/r', 'POST /* {"*":"q/r"}'],
    ['/shop', 'POST / {}'],
    ['/shop/', 'POST / {}'],
    ['/other/a/b', 'none'],
    ['/shopper/a/b', 'none'],
  ];
  for (const [path, expected] of cases) {
    test(`POST ${path} finds ${expected}`, () => {
      expect(describeMatch(createSinkRouter(all).match('POST', path))).toBe(expected);
    });
  }

  test('does not hang on the order in which sinks were made', () => {
    fc.assert(
      fc.property(fc.shuffledSubarray(all, { minLength: all.length }), (shuffled) => {
        const router = createSinkRouter(shuffled);
        for (const [path, expected] of cases) expect(describeMatch(router.match('POST', path))).toBe(expected);
      }),
      { numRuns: 30 },
    );
  });
});

describe('methods', () => {
  const router = createSinkRouter([
    sink('ANY', '/a/:x'),
    sink('GET', '/a/:y'),
    sink('POST', '/b'),
    sink('PUT', '/b'),
    sink('ANY', '/c/d'),
    sink('POST', '/c/:x'),
  ]);
  const cases: [string, string, string][] = [
    ['GET', '/shop/a/1', 'GET /a/:y {"y":"1"}'],
    ['POST', '/shop/a/1', 'ANY /a/:x {"x":"1"}'],
    ['DELETE', '/shop/a/1', 'ANY /a/:x {"x":"1"}'],
    ['GET', '/shop/b', 'only POST, PUT'],
    ['HEAD', '/shop/b', 'only POST, PUT'],
    ['OPTIONS', '/shop/a/1', 'only GET, POST, PUT, PATCH, DELETE'],
    ['TRACE', '/shop/b', 'only POST, PUT'],
    ['POST', '/shop/c/d', 'ANY /c/d {}'],
    ['POST', '/shop/c/e', 'POST /c/:x {"x":"e"}'],
    ['GET', '/shop/c/e', 'only POST'],
    ['GET', '/shop/nothing', 'none'],
    ['BREW', '/shop/nothing', 'none'],
  ];
  for (const [method, path, expected] of cases) {
    test(`${method} ${path} finds ${expected}`, () => {
      expect(describeMatch(router.match(method, path))).toBe(expected);
    });
  }
});

describe('apps', () => {
  test('are apart: an app and a path never add up to another app and path', () => {
    const router = createSinkRouter([sink('POST', '/b/c', 'a'), sink('POST', '/c', 'ab'), sink('POST', '/:x/c', 'b')]);
    expect(describeMatch(router.match('POST', '/a/b/c'))).toBe('POST /b/c {}');
    expect(describeMatch(router.match('POST', '/ab/c'))).toBe('POST /c {}');
    expect(describeMatch(router.match('POST', '/a/bc'))).toBe('none');
    expect(describeMatch(router.match('POST', '/b/a/c'))).toBe('POST /:x/c {"x":"a"}');
  });

  test('may be many: ten thousand sinks are found one by one', () => {
    const sinks = Array.from({ length: 10_000 }, (_, index) => sink('POST', `/hook/${index}/:id`, `app${index % 100}`));
    const router = createSinkRouter(sinks);
    for (const index of [0, 57, 9999]) {
      const match = router.match('POST', `/app${index % 100}/hook/${index}/x`);
      expect(match.kind === 'sink' && match.sink.id).toBe(sinks[index]?.id);
    }
    expect(router.match('POST', '/app1/hook/0/x').kind).toBe('none');
  });
});
