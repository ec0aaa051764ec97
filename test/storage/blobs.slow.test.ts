// The blob store: what comes in is whole or not there, lies under its hash, and goes when no run names it.

import { createHash } from 'node:crypto';
import { appendFileSync, existsSync, readdirSync, readFileSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createBlobLocks } from '../../src/files/blob-locks.ts';
import { type BlobStore, openBlobStore } from '../../src/files/blobs.ts';
import { tempDir } from '../support/temp-dir.ts';

const HOUR = 3_600_000;
/** A server that has the directory alone. */
const OWNER = { owner: 7, isAlone: true };

async function* chunks(...texts: string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield Buffer.from(text);
}

async function* cutOff(): AsyncGenerator<Uint8Array> {
  yield Buffer.from('half of a ');
  throw new Error('the caller went away');
}

async function contentOf(blobs: BlobStore, sha256: string): Promise<string> {
  const parts: Uint8Array[] = [];
  for await (const part of blobs.read(sha256)) parts.push(part as Uint8Array);
  return Buffer.concat(parts).toString();
}

const sweepAt = (now: number, signal = new AbortController().signal) => ({ minAgeMs: HOUR, now, signal });
const pathOf = (directory: string, sha256: string): string => join(directory, sha256.slice(0, 2), sha256);

test('a blob lies under the hash of what is in it, once, however often it comes', async () => {
  const directory = tempDir();
  const blobs = await openBlobStore(directory, OWNER);
  const expected = createHash('sha256').update('a picture').digest('hex');
  const results = await Promise.all(Array.from({ length: 10 }, () => blobs.write(chunks('a ', 'picture'))));
  expect(results).toEqual(Array.from({ length: 10 }, () => ({ sha256: expected, size: 9 })));
  expect(await contentOf(blobs, expected)).toBe('a picture');
  expect(readdirSync(join(directory, expected.slice(0, 2)))).toEqual([expected]);
});

test('an empty blob is a blob', async () => {
  const blobs = await openBlobStore(tempDir(), OWNER);
  const { sha256, size } = await blobs.write(chunks());
  expect(size).toBe(0);
  expect(await contentOf(blobs, sha256)).toBe('');
});

test('a blob that is cut off leaves nothing behind', async () => {
  const directory = tempDir();
  const blobs = await openBlobStore(directory, OWNER);
  await expect(blobs.write(cutOff())).rejects.toThrow('the caller went away');
  expect(readdirSync(directory)).toEqual(['incoming']);
  expect(readdirSync(join(directory, 'incoming', '7'))).toEqual([]);
});

describe('files that are looked at first', () => {
  test('are no blobs before they are published, and all of them after', async () => {
    const directory = tempDir();
    const blobs = await openBlobStore(directory, OWNER);
    const staged = blobs.stage();
    const [first, second, again] = [await staged.write(chunks('a')), await staged.write(chunks('b')), await staged.write(chunks('a'))];
    expect(again).toEqual(first);
    expect(readFileSync(staged.pathOf(second.sha256), 'utf8')).toBe('b');
    expect(readdirSync(directory)).toEqual(['incoming']);
    await staged.publish();
    expect([await contentOf(blobs, first.sha256), await contentOf(blobs, second.sha256)]).toEqual(['a', 'b']);
    await staged.discard();
    expect(await contentOf(blobs, first.sha256)).toBe('a');
    expect(readdirSync(join(directory, 'incoming', '7'))).toEqual([]);
  });

  test('leave nothing behind when they are discarded, nor what is stored already', async () => {
    const directory = tempDir();
    const blobs = await openBlobStore(directory, OWNER);
    const { sha256 } = await blobs.write(chunks('known'));
    const staged = blobs.stage();
    await staged.write(chunks('known'));
    await staged.write(chunks('new'));
    await expect(staged.write(cutOff())).rejects.toThrow('the caller went away');
    await staged.discard();
    expect(await contentOf(blobs, sha256)).toBe('known');
    expect(readdirSync(directory).toSorted()).toEqual([sha256.slice(0, 2), 'incoming'].toSorted());
    expect(readdirSync(join(directory, 'incoming', '7'))).toEqual([]);
  });
});

test('what a crash left half received is gone after the next start', async () => {
  const directory = tempDir();
  await openBlobStore(directory, OWNER);
  writeFileSync(join(directory, 'incoming', '7', 'half'), 'half');
  await openBlobStore(directory, { owner: 8, isAlone: true });
  expect(readdirSync(join(directory, 'incoming'))).toEqual(['8']);
  expect(readdirSync(join(directory, 'incoming', '8'))).toEqual([]);
});

test('what another owner is receiving stays, and becomes a blob that both read', async () => {
  const directory = tempDir();
  const blobs = await openBlobStore(directory, { owner: 7, isAlone: false });
  const staged = blobs.stage();
  const { sha256 } = await staged.write(chunks('shared'));
  const others = await openBlobStore(directory, { owner: 8, isAlone: false });
  expect(readFileSync(staged.pathOf(sha256), 'utf8')).toBe('shared');
  await staged.publish();
  expect(await contentOf(others, sha256)).toBe('shared');
});

test('a sweep removes old blobs that no run names, keeps all others, and counts those that runs name', async () => {
  const directory = tempDir();
  const blobs = await openBlobStore(directory, OWNER);
  const old = await blobs.write(chunks('old and free'));
  const named = await blobs.write(chunks('old and named'));
  const young = await blobs.write(chunks('young'));
  const now = Date.now();
  for (const { sha256 } of [old, named]) utimesSync(pathOf(directory, sha256), (now - 2 * HOUR) / 1000, (now - 2 * HOUR) / 1000);
  const orphans = async (hashes: string[]): Promise<string[]> => hashes.filter((hash) => hash !== named.sha256);
  expect(await blobs.sweep(orphans, sweepAt(now))).toBe('old and named'.length);
  await expect(contentOf(blobs, old.sha256)).rejects.toThrow('ENOENT');
  expect(await contentOf(blobs, named.sha256)).toBe('old and named');
  expect(await contentOf(blobs, young.sha256)).toBe('young');
});

test('a sweep spares an old blob that is received again while it runs', async () => {
  const directory = tempDir();
  const blobs = await openBlobStore(directory, OWNER);
  const { sha256 } = await blobs.write(chunks('again'));
  const now = Date.now();
  utimesSync(pathOf(directory, sha256), (now - 2 * HOUR) / 1000, (now - 2 * HOUR) / 1000);
  const receivedMeanwhile = async (hashes: string[]): Promise<string[]> => {
    await blobs.write(chunks('again'));
    return hashes;
  };
  await blobs.sweep(receivedMeanwhile, sweepAt(now));
  expect(await contentOf(blobs, sha256)).toBe('again');
});

test('a sweep that is told to stop stops', async () => {
  const directory = tempDir();
  const blobs = await openBlobStore(directory, OWNER);
  const { sha256 } = await blobs.write(chunks('orphan'));
  await blobs.sweep(async (hashes) => hashes, { ...sweepAt(Date.now() + 2 * HOUR), signal: AbortSignal.abort() });
  expect(await contentOf(blobs, sha256)).toBe('orphan');
  await blobs.sweep(async (hashes) => hashes, sweepAt(Date.now() + 2 * HOUR));
  await expect(contentOf(blobs, sha256)).rejects.toThrow('ENOENT');
});

describe('a sweep and what comes in again', () => {
  const OLD = new Date(Date.now() - 2 * HOUR);

  /** An old blob that no run names. */
  async function withOrphan() {
    const directory = tempDir();
    const blobs = await openBlobStore(directory, OWNER);
    const { sha256 } = await blobs.write(chunks('again'));
    utimesSync(pathOf(directory, sha256), OLD, OLD);
    return { directory, blobs, sha256 };
  }

  test('never lose a blob, wherever they meet', async () => {
    const { directory, blobs, sha256 } = await withOrphan();
    for (let round = 0; round < 400; round += 1) {
      utimesSync(pathOf(directory, sha256), OLD, OLD);
      const staged = blobs.stage();
      await staged.write(chunks('again'));
      let published: Promise<void> | undefined;
      const orphans = async (hashes: string[]): Promise<string[]> => {
        published = staged.publish();
        for (let turn = 0; turn < round % 40; turn += 1) await new Promise(setImmediate);
        return hashes;
      };
      await blobs.sweep(orphans, sweepAt(Date.now()));
      await published;
      expect(existsSync(pathOf(directory, sha256)), `round ${round}`).toBe(true);
    }
  });

  test('a blob that is renewed stays, and one that is gone stays gone', async () => {
    const { directory, blobs, sha256 } = await withOrphan();
    await blobs.renew([sha256], Date.now());
    await blobs.sweep(async (hashes) => hashes, sweepAt(Date.now()));
    expect(await contentOf(blobs, sha256)).toBe('again');
    utimesSync(pathOf(directory, sha256), OLD, OLD);
    await blobs.sweep(async (hashes) => hashes, sweepAt(Date.now()));
    await blobs.renew([sha256], Date.now());
    expect(existsSync(pathOf(directory, sha256))).toBe(false);
  });

  test('turns: who keeps waits for a removal, and nothing that is being kept is removed', async () => {
    const turns = createBlobLocks();
    const log: string[] = [];
    let finish: () => void = () => undefined;
    const removal = turns.remove('a', async () => {
      await new Promise<void>((resolve) => {
        finish = resolve;
      });
      log.push('removed');
    });
    const kept = turns.keep('a', async () => {
      log.push('kept');
      await turns.remove('a', async () => void log.push('removed what is kept'));
    });
    await turns.keep('b', async () => void log.push('another'));
    finish();
    await Promise.all([removal, kept]);
    expect(log).toEqual(['another', 'removed', 'kept']);
    await turns.remove('a', async () => void log.push('removed again'));
    expect(log.at(-1)).toBe('removed again');
    await expect(turns.remove('a', () => Promise.reject(new Error('EIO')))).rejects.toThrow('EIO');
    expect(await turns.keep('a', async () => 'after a fault')).toBe('after a fault');
  });
});

describe('a blob that was altered on the disk', () => {
  const CONTENT = 'x'.repeat(200_000);

  async function withAltered(alter: (path: string) => void) {
    const directory = tempDir();
    const blobs = await openBlobStore(directory, OWNER);
    const { sha256, size } = await blobs.write(chunks(CONTENT));
    alter(pathOf(directory, sha256));
    return { blobs, sha256, size };
  }

  test.each<[string, (path: string) => void]>([
    ['in one byte at its end', (path) => writeFileSync(path, `${CONTENT.slice(0, -1)}y`)],
    ['in one byte at its beginning', (path) => writeFileSync(path, `y${CONTENT.slice(1)}`)],
    ['to a shorter one', (path) => truncateSync(path, 100_000)],
    ['to none', (path) => truncateSync(path, 0)],
    ['to a longer one', (path) => appendFileSync(path, CONTENT)],
  ])('%s is an error when it is read, and never comes out whole', async (_how, alter) => {
    const { blobs, sha256, size } = await withAltered(alter);
    let read = 0;
    const reading = (async () => {
      for await (const piece of blobs.read(sha256, size)) read += (piece as Uint8Array).byteLength;
    })();
    await expect(reading).rejects.toMatchObject({ code: 'FILE_ALTERED', message: `the stored file ${sha256} was altered on the disk` });
    expect(read).toBeLessThan(size);
    await expect(contentOf(blobs, sha256)).rejects.toMatchObject({ code: 'FILE_ALTERED' });
  });

  test('is whole again once the same file is received again', async () => {
    const { blobs, sha256 } = await withAltered((path) => writeFileSync(path, 'wrong'));
    await blobs.write(chunks(CONTENT));
    expect(await contentOf(blobs, sha256)).toBe(CONTENT);
  });
});
