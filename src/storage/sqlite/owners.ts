// Owners in SQLite. The lock of the data directory lets one process open the database, so that every owner is dead that is not
// of this process. Opening writes nothing, so that a server also starts on a full disk.

import type { Database } from 'better-sqlite3';
import { SLOTS } from '../../core/run/run-id.ts';
import type { Recovery } from '../runs/run-records.ts';
import type { Stamp } from './stamp.ts';

export type RecoverRuns = (stamp: Stamp, owner: number) => Recovery;

export class Owners {
  readonly #sql: ReturnType<typeof prepareStatements>;
  readonly #recoverRuns: RecoverRuns;
  /** The slot of each owner of this process. */
  readonly #live = new Map<number, number>();
  #lastOwner = 0;

  constructor(database: Database, recoverRuns: RecoverRuns) {
    this.#sql = prepareStatements(database);
    this.#recoverRuns = recoverRuns;
  }

  /** Gives the owner a number above that of every earlier owner that has stored anything: such an owner has made a commit. */
  registerOwner(): { owner: number; slot: number } {
    const owner = Math.max(this.#lastOwner, this.#sql.selectCommits.get() as number) + 1;
    const taken = new Set(this.#live.values());
    const slot = Array.from({ length: SLOTS }, (_, index) => index).find((index) => !taken.has(index));
    if (slot === undefined) throw new Error(`the database has ${SLOTS} owners already, as many as run ids can tell apart`);
    this.#lastOwner = owner;
    this.#live.set(owner, slot);
    return { owner, slot };
  }

  /** From now on the owner counts as dead. */
  retireOwner(owner: number): void {
    this.#live.delete(owner);
  }

  reapOwners(stamp: Stamp): Recovery {
    const dead = [...new Set(this.#sql.selectLeases.all() as number[])].filter((owner) => !this.#live.has(owner));
    const recoveries = dead.map((owner) => this.#recoverRuns(stamp, owner));
    return {
      recovered: recoveries.reduce((sum, { recovered }) => sum + recovered, 0),
      poisoned: recoveries.flatMap(({ poisoned }) => poisoned),
    };
  }
}

function prepareStatements(database: Database) {
  return {
    selectCommits: database.prepare('SELECT commit_seq FROM database_state').pluck(),
    /** The owner of each lease. */
    selectLeases: database
      .prepare(
        `SELECT owner FROM runs WHERE wake_at IS NOT NULL AND status = 'running'
         UNION ALL SELECT owner FROM deliveries WHERE sink_no IN (SELECT no FROM sinks) AND status = 'sending'
         UNION ALL SELECT owner FROM jobs WHERE status = 'running'`,
      )
      .pluck(),
  };
}
