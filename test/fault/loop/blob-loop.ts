// Lets each file call of the blob store fail in turn. Every published file must have the content of its hash, and every blob
// that was acknowledged must be there.

import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { type BlobStore, openBlobStore } from '../../../src/files/blobs.ts';
import type { FaultControl } from './fault-library.ts';
import type { TryPoint } from './fault-loop.ts';
import type { FaultPoint } from './fault-points.ts';
import { FileChecks } from './file-checks.ts';

const HOUR = 3_600_000;
const NOW = 1_767_225_600_000;

/** In chunks, as a caller sends them. */
const LARGE = ['first', 'second', 'third'].map((name) => Buffer.alloc(50_001, name));
const SMALL = [Buffer.from('a small file')];
const OTHER = [Buffer.from('another file')];
const DISCARDED = [Buffer.from('a file that is not published')];
const OLD = [Buffer.from('an old file without a run')];
const LATER = [Buffer.from('a file after the fault')];

const sha256 = (chunks: readonly Uint8Array[]): string => createHash('sha256').update(Buffer.concat(chunks)).digest('hex');

async function* streamOf(chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* chunks;
}

export function blobLoop(folder: string): TryPoint {
  return async (point, control) => {
    control.pause();
    const directory = mkdtempSync(join(folder, 'blobs-'));
    try {
      return await new BlobAttempt(directory, control).run(point);
    } finally {
      control.pause();
      rmSync(directory, { recursive: true });
    }
  };
}

class BlobAttempt {
  readonly #directory: string;
  readonly #control: FaultControl;
  readonly #checks: FileChecks;
  /** Hashes of the blobs whose storage was acknowledged. */
  readonly #stored = new Set<string>();
  #isSwept = false;

  constructor(directory: string, control: FaultControl) {
    this.#directory = directory;
    this.#control = control;
    this.#checks = new FileChecks(control);
    mkdirSync(join(this.#pathOf(sha256(OLD)), '..'));
    writeFileSync(this.#pathOf(sha256(OLD)), Buffer.concat(OLD));
    utimesSync(this.#pathOf(sha256(OLD)), (NOW - 2 * HOUR) / 1000, (NOW - 2 * HOUR) / 1000);
  }

  async run({ call }: FaultPoint): Promise<string[]> {
    let blobs: BlobStore | undefined;
    this.#control.resume();
    const isOpen = await this.#checks.succeeds('openBlobStore', async () => {
      blobs = await openBlobStore(this.#directory, { owner: 1, isAlone: true });
    });
    if (isOpen) await this.#runScript(blobs as BlobStore);
    this.#control.pause();
    this.#checkFiles();
    if (isOpen) {
      const left = readdirSync(join(this.#directory, 'incoming', '1')).length;
      this.#checks.check(left === 0 || call === 'unlink', `${left} temporary files are left`);
      await this.#goOn('after the fault', blobs as BlobStore);
    }
    await this.#checks.mustSucceed('the next start', async () =>
      this.#goOn('after the next start', await openBlobStore(this.#directory, { owner: 1, isAlone: true })),
    );
    this.#checks.check(readdirSync(join(this.#directory, 'incoming', '1')).length === 0, 'temporary files are left after the next start');
    return this.#checks.problems;
  }

  async #runScript(blobs: BlobStore): Promise<void> {
    await this.#store('write', [LARGE], () => blobs.write(streamOf(LARGE)));
    const staged = blobs.stage();
    const isPublished = await this.#store('publish', [SMALL, OTHER], async () => {
      for (const content of [SMALL, OTHER, SMALL]) await staged.write(streamOf(content));
      await staged.publish();
    });
    if (!isPublished) await this.#checks.succeeds('discard', () => staged.discard());
    await this.#checks.succeeds('stage and discard', async () => {
      const unused = blobs.stage();
      await unused.write(streamOf(DISCARDED)).finally(() => unused.discard());
    });
    await this.#store('write again', [LARGE], () => blobs.write(streamOf(LARGE)));
    await this.#checks.succeeds('renew', () => blobs.renew([...this.#stored], NOW));
    this.#isSwept = await this.#checks.succeeds('sweep', () => this.#sweep(blobs));
    if (this.#stored.has(sha256(LARGE))) await this.#checks.succeeds('read', () => this.#read(blobs, LARGE));
  }

  async #store(name: string, contents: readonly Uint8Array[][], work: () => Promise<unknown>): Promise<boolean> {
    const isStored = await this.#checks.succeeds(name, work);
    if (isStored) for (const content of contents) this.#stored.add(sha256(content));
    return isStored;
  }

  async #sweep(blobs: BlobStore): Promise<void> {
    const findOrphans = async (hashes: string[]): Promise<string[]> => hashes.filter((hash) => hash === sha256(OLD));
    await blobs.sweep(findOrphans, { minAgeMs: HOUR, now: NOW, signal: new AbortController().signal });
  }

  async #read(blobs: BlobStore, chunks: readonly Uint8Array[]): Promise<void> {
    const content = Buffer.concat(chunks);
    const read = await buffer(blobs.read(sha256(chunks), content.length));
    this.#checks.check(read.equals(content), 'a blob is read with another content');
  }

  #checkFiles(): void {
    for (const shard of readdirSync(this.#directory).filter((name) => name !== 'incoming')) {
      for (const name of readdirSync(join(this.#directory, shard))) {
        const isWhole = sha256([readFileSync(this.#pathOf(name))]) === name;
        this.#checks.check(isWhole, `the content of blob ${name} is not that of its hash`);
      }
    }
    for (const hash of this.#stored) this.#checks.check(existsSync(this.#pathOf(hash)), `blob ${hash} was acknowledged and is missing`);
    this.#checks.check(!existsSync(this.#pathOf(sha256(DISCARDED))), 'a discarded file is published');
    if (this.#isSwept) this.#checks.check(!existsSync(this.#pathOf(sha256(OLD))), 'the sweep has left an orphan');
  }

  /** Stores, sweeps and reads without a fault. */
  async #goOn(when: string, blobs: BlobStore): Promise<void> {
    await this.#checks.mustSucceed(`write ${when}`, () => blobs.write(streamOf(LATER)));
    await this.#checks.mustSucceed(`write again ${when}`, () => blobs.write(streamOf(LARGE)));
    await this.#checks.mustSucceed(`sweep ${when}`, () => this.#sweep(blobs));
    for (const content of [LATER, LARGE]) await this.#checks.mustSucceed(`read ${when}`, () => this.#read(blobs, content));
    this.#isSwept = true;
    this.#checkFiles();
  }

  #pathOf(hash: string): string {
    return join(this.#directory, hash.slice(0, 2), hash);
  }
}
