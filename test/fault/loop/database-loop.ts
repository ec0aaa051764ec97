// Lets each file call of the database fail in turn. Checks after each fault what the next start finds: after a crash at that
// moment, and after the writer was closed.

import { mkdtempSync, readdirSync, rmSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { Batch } from '../../../src/storage/commit-queue.ts';
import type { Role, ThreadResult } from '../../../src/storage/sqlite/batches.ts';
import { LOG_FILE } from '../../../src/storage/sqlite/database-file/open-database.ts';
import { describeRefusal } from '../../../src/storage/sqlite/storage-thread.ts';
import { openWriter } from '../../../src/storage/sqlite/writer.ts';
import { type FaultMessage, packFault } from '../../../src/storage/storage-fault.ts';
import { copyDirectory, differingTables, type Found, Oracle, startAndStop, writerOptions } from './database-content.ts';
import { type Action, AFTERWARDS } from './database-script.ts';
import type { FaultControl } from './fault-library.ts';
import { type TryPoint, unclear } from './fault-loop.ts';

/** Long enough for the upkeep to fold the log. */
const TOO_LONG_BYTES = 64 * 2 ** 20;
const FILES_AT_REST = ['server.lock', 'sluice.db', 'sluice.witness'];

/** Returns the loop over a script, on a data directory that is empty, or has the commits `before`. `folder` is its own. */
export function databaseLoop(folder: string, script: readonly Action[], before: readonly Batch[] | null): TryPoint {
  const oracle = new Oracle(join(folder, 'oracle'), before ?? []);
  return (_point, control) => {
    control.pause();
    const directory = before === null ? mkdtempSync(join(folder, 'data-')) : copyDirectory(oracle.template, folder);
    const attempt = new DatabaseAttempt(directory, folder, script, oracle, control);
    control.resume();
    try {
      return attempt.run();
    } finally {
      control.pause();
      for (const name of readdirSync(folder)) if (name !== 'oracle') rmSync(join(folder, name), { recursive: true });
    }
  };
}

/** One run of the script, with one fault. */
class DatabaseAttempt {
  readonly #directory: string;
  readonly #folder: string;
  readonly #script: readonly Action[];
  readonly #oracle: Oracle;
  readonly #control: FaultControl;
  readonly #problems: string[] = [];
  readonly #acknowledged: Batch[] = [];
  readonly #results: ThreadResult[] = [];
  /** Positions of the acknowledged batches in the script. */
  #key = '';
  /** The batch in flight when the writer failed: it may be stored or not. */
  #uncertain: Batch | null = null;

  constructor(directory: string, folder: string, script: readonly Action[], oracle: Oracle, control: FaultControl) {
    this.#directory = directory;
    this.#folder = folder;
    this.#script = script;
    this.#oracle = oracle;
    this.#control = control;
  }

  run(): string[] {
    const writer = this.#open();
    if (writer === null) {
      this.#control.pause();
      this.#checkNextStart('a refused start', this.#directory);
      return this.#problems;
    }
    const isAlive = this.#runScript(writer);
    this.#control.pause();
    if (isAlive && !this.#perform(writer, AFTERWARDS, 'afterwards')) this.#problems.push('no write succeeds after the fault');
    const crashed = copyDirectory(this.#directory, this.#folder);
    const hits = this.#control.counts().hits;
    this.#control.resume();
    const isClosed = this.#close(writer);
    this.#control.pause();
    this.#checkResults();
    this.#checkNextStart('a crash', crashed);
    const isOrdinaryStop = isAlive && hits > 0 && this.#control.counts().hits === hits;
    if (!isOrdinaryStop) this.#checkNextStart('the stop', isClosed ? this.#directory : copyDirectory(this.#directory, this.#folder));
    return this.#problems;
  }

  #open(): Role | null {
    try {
      return openWriter(writerOptions(this.#directory));
    } catch (error) {
      this.#checkLine(
        'the refusal',
        this.#control.paused(() => describeRefusal(error, this.#directory)),
      );
      return null;
    }
  }

  /** Returns whether the writer is still alive. */
  #runScript(writer: Role): boolean {
    return this.#script.every((action, index) => (action === 'tend' ? this.#tend(writer) : this.#perform(writer, action, String(index))));
  }

  /** Returns false if the server would stop now. */
  #perform(writer: Role, batch: Batch, name: string): boolean {
    const failedSyncs = this.#control.watchSyncs();
    const result = writer.run(structuredClone(batch));
    const failure = result.faults.map(({ fault }) => fault).find((fault) => fault.kind !== 'app' || fault.code === 'unavailable');
    if (failure === undefined) {
      if (failedSyncs() > 0) this.#problems.push(`batch ${name} is acknowledged, although its sync failed`);
      this.#acknowledged.push(batch);
      this.#results.push(result);
      this.#key += `${name} `;
      return true;
    }
    if (result.faults.length !== batch.length / 2) this.#problems.push(`only some operations of batch ${name} were refused`);
    this.#checkFailure(failure);
    if (failure.kind === 'app') return name !== 'afterwards';
    this.#uncertain = batch;
    return false;
  }

  #checkFailure(fault: FaultMessage): void {
    if (fault.kind === 'bug') this.#problems.push(`a fault of the disk is taken for a bug: ${fault.message}`);
    if (fault.kind === 'fatal' && !fault.message.includes('the server stops'))
      this.#problems.push(`does not say that the server stops: ${fault.message}`);
    this.#checkLine('the fault', fault.message);
  }

  #tend(writer: Role): boolean {
    const log = join(this.#directory, LOG_FILE);
    const size = this.#control.paused(() => {
      const { size } = statSync(log);
      truncateSync(log, TOO_LONG_BYTES);
      return size;
    });
    try {
      writer.tend?.();
      return true;
    } catch (error) {
      const fault = packFault(error);
      if (fault.kind === 'app') this.#problems.push(`the upkeep stops the server, although the fault may pass: ${fault.message}`);
      this.#checkFailure(fault);
      return false;
    } finally {
      this.#control.paused(() => {
        if (statSync(log).size === TOO_LONG_BYTES) truncateSync(log, size);
      });
    }
  }

  #close(writer: Role): boolean {
    try {
      writer.close();
      return true;
    } catch (error) {
      this.#checkLine('the fault of the stop', (error as Error).message);
      return false;
    }
  }

  #checkLine(name: string, line: string): void {
    const fault = unclear(line);
    if (fault !== null) this.#problems.push(`${name}: ${fault}`);
  }

  #checkResults(): void {
    const { results } = this.#oracle.expect(this.#key, this.#acknowledged);
    if (!isDeepStrictEqual(this.#results, results)) this.#problems.push(`other results than without a fault, after ${this.#key}`);
  }

  /** Opens the database without faults, and compares its content with what was acknowledged. */
  #checkNextStart(after: string, directory: string): void {
    try {
      this.#checkFound(after, startAndStop(directory));
    } catch (error) {
      this.#problems.push(`after ${after} the next start fails: ${(error as Error).message}`);
    }
    const left = readdirSync(directory).sort();
    if (!isDeepStrictEqual(left, FILES_AT_REST)) this.#problems.push(`after ${after} and the next stop there are ${left.join(', ')}`);
  }

  #checkFound(after: string, { content, uncounted }: Found): void {
    if (uncounted > (this.#uncertain === null ? 0 : 1)) this.#problems.push(`after ${after} the witness lacks ${uncounted} commits`);
    const certain = differingTables(content, this.#oracle.expect(this.#key, this.#acknowledged).content);
    if (certain.length === 0) return;
    if (this.#uncertain !== null) {
      const { content: withLast } = this.#oracle.expect(`${this.#key}?`, [...this.#acknowledged, this.#uncertain]);
      if (differingTables(content, withLast).length === 0) return;
    }
    this.#problems.push(`after ${after} the tables ${certain.join(', ')} are not what was acknowledged (${this.#key})`);
  }
}
