// Storage on one SQLite file: a writer thread behind a commit queue, and reader threads beside it. The lock of the data
// directory keeps other processes out, so that usually one owner has the database alone.

import type { MachineClocks } from '../../clock.ts';
import type { Logger } from '../../logger.ts';
import { announceChanges, HintExchange } from '../hints.ts';
import type { OpenedStorage, Storage, StorageNode } from '../storage.ts';
import { unpackClaims } from './deliveries/claimed-deliveries.ts';
import { deliveryAttempts } from './deliveries/delivery-columns.ts';
import { LISTS, READS, STAMPED_WRITES, WRITES } from './operations.ts';
import { runs } from './runs/run-columns.ts';
import { turns } from './runs/turn-columns.ts';
import { ServerTime } from './server-clock.ts';
import type { Stamp } from './stamp.ts';
import { StorageThreads, type ThreadsOptions } from './storage-threads.ts';

export interface SqliteStorageOptions extends ThreadsOptions {
  clocks: MachineClocks;
  logger: Logger;
}

/**
 * Opens the database of a data directory, or creates it, for one owner. Rejects with one line for the operator if the
 * directory is in use, damaged, read-only or of a newer program.
 */
export async function openSqliteStorage(options: SqliteStorageOptions): Promise<OpenedStorage> {
  const database = await openDatabase(options);
  const { storage, node } = await database.openStorage({ isAlone: true }).catch(async (error: unknown) => {
    await database.close();
    throw error;
  });
  return { storage: { ...storage, close: () => database.close() }, node };
}

export interface SharedDatabase {
  openStorage(): Promise<OpenedStorage>;
  close(): Promise<void>;
}

/** The same for several owners in this process. Each storage is closed by itself, and then the database. */
export async function openSqliteDatabase(options: SqliteStorageOptions): Promise<SharedDatabase> {
  const database = await openDatabase(options);
  return { openStorage: () => database.openStorage({ isAlone: false }), close: () => database.close() };
}

async function openDatabase(options: SqliteStorageOptions): Promise<SqliteDatabase> {
  const threads = await StorageThreads.open(options);
  try {
    const recorded = await threads.write('readServerTime', []);
    const time = new ServerTime({ ...options, recorded, record: (...args) => threads.write('recordServerTime', args) });
    return new SqliteDatabase(threads, time);
  } catch (error) {
    await threads.close();
    throw error;
  }
}

class SqliteDatabase {
  readonly #threads: StorageThreads;
  readonly #time: ServerTime;
  readonly #hints = new HintExchange();
  #closing: Promise<void> | undefined;

  constructor(threads: StorageThreads, time: ServerTime) {
    this.#threads = threads;
    this.#time = time;
  }

  async openStorage({ isAlone }: Pick<StorageNode, 'isAlone'>): Promise<OpenedStorage> {
    const node = { ...(await this.#threads.write('registerOwner', [])), isAlone, time: this.#time };
    const storage = this.#createStorage(node.owner);
    // Nobody listens to an owner that is alone.
    return { storage: isAlone ? storage : announceChanges(storage, (hint) => this.#hints.announce(node.owner, hint)), node };
  }

  close(): Promise<void> {
    this.#closing ??= this.#time.close().then(() => this.#threads.close());
    return this.#closing;
  }

  #createStorage(owner: number): Storage {
    const { read, list, write } = this.#threads;
    let closing: Promise<void> | undefined;
    const unlessClosed = ((call: Forward): Forward =>
      (name, args) =>
        closing === undefined ? call(name, args) : Promise.reject(new Error('the storage is closed'))) as <Calls>(call: Calls) => Calls;
    const calls = { read: unlessClosed(read), list: unlessClosed(list), write: unlessClosed(write) };
    const stamp = (): Stamp => ({ owner, now: this.#time.clock() });
    return {
      ...forwardingMethods(calls, stamp),
      ...packingMethods(calls, stamp),
      // Those of one run belong to its lookup.
      listDeliveries: (filter) => (filter.runId === undefined ? calls.list : calls.read)('listDeliveries', [filter]),
      watch: (listener) => this.#hints.watch(owner, listener),
      close: () => {
        // The writer answers in order, so that all earlier writes are settled then.
        closing ??= Promise.all([this.#threads.settleReads(), write('retireOwner', [owner])]).then(() => undefined);
        return closing;
      },
    };
  }
}

type Calls = Pick<StorageThreads, 'read' | 'list' | 'write'>;
/** A call whose types the caller ensures. */
type Forward = (name: string, args: unknown[]) => Promise<unknown>;
type ForwardedName = (typeof READS | typeof LISTS | typeof WRITES | typeof STAMPED_WRITES)[number];
type PackingName = 'createRun' | 'createRuns' | 'advanceRun' | 'recordAttempt' | 'claimDeliveries';

/** The methods whose arguments and results cross as they are. */
function forwardingMethods(calls: Calls, stamp: () => Stamp): Pick<Storage, ForwardedName> {
  const { read, list, write } = calls as unknown as Record<'read' | 'list' | 'write', Forward>;
  const methods: Partial<Record<ForwardedName, (...args: unknown[]) => Promise<unknown>>> = {};
  for (const name of READS) methods[name] = (...args) => read(name, args);
  for (const name of LISTS) methods[name] = (...args) => list(name, args);
  for (const name of WRITES) methods[name] = (...args) => write(name, args);
  for (const name of STAMPED_WRITES) methods[name] = (...args) => write(name, [stamp(), ...args]);
  return methods as unknown as Pick<Storage, ForwardedName>;
}

/** The methods whose arguments or results cross packed. */
function packingMethods({ write }: Calls, stamp: () => Stamp): Pick<Storage, PackingName> {
  return {
    createRun: (run) => write('createRun', runs.pack({ run, turn: run.turn, stamp: stamp() })),
    createRuns(created, key = null) {
      const at = stamp();
      return write('createRuns', [created.map((run) => runs.pack({ run, turn: run.turn, stamp: at })), key]);
    },
    advanceRun: (lease, turn) => write('advanceRun', [lease, turns.pack({ turn, stamp: stamp() })]),
    recordAttempt(delivery, attempt, next, waitingRun) {
      const at = stamp();
      const packedRun = waitingRun === null ? null : { lease: waitingRun.lease, turn: turns.pack({ turn: waitingRun.turn, stamp: at }) };
      return write('recordAttempt', [at, delivery, deliveryAttempts.pack(attempt), next, packedRun]);
    },
    claimDeliveries: async (limits) => unpackClaims(await write('claimDeliveries', [stamp(), limits])),
  };
}
