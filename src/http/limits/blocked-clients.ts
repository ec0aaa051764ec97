// The clients that an operator has blocked, each until a moment. They are in the database, and looked up in memory.

import ipaddr from 'ipaddr.js';
import { parseAddressRange } from '../../address-range.ts';
import type { Clock } from '../../clock.ts';
import { AppError } from '../../errors.ts';
import type { Logger } from '../../logger.ts';
import type { BlockedClient } from '../../storage/refusals/client-store.ts';
import type { Storage } from '../../storage/storage.ts';
import { AddressList } from './address-list.ts';
import { clientKeyOf } from './client-key.ts';

/** Another server on the database may change them. */
const RELOAD_EVERY_MS = 10_000;

export type BlockStorage = Pick<Storage, 'blockClient' | 'unblockClient' | 'listBlockedClients'>;

export class BlockedClients {
  readonly #storage: BlockStorage;
  /** Wall time: an operator states the end. */
  readonly #wallClock: Clock;
  readonly #logger: Logger;
  #blocks: readonly BlockedClient[] = [];
  /** Null while nobody is blocked. */
  #list: AddressList | null = null;
  #nextEnd = Number.POSITIVE_INFINITY;
  #reads = 0;
  #lastRead = 0;
  /** Null: there is no other server. */
  readonly #timer: NodeJS.Timeout | null;

  constructor(storage: BlockStorage, isAlone: boolean, wallClock: Clock, logger: Logger) {
    this.#timer = isAlone ? null : setInterval(() => void this.#reload(), RELOAD_EVERY_MS).unref();
    this.#storage = storage;
    this.#wallClock = wallClock;
    this.#logger = logger;
  }

  has(clientIp: string): boolean {
    if (this.#list === null) return false;
    if (this.#wallClock() >= this.#nextEnd) this.#compile();
    return this.#list?.has(clientIp) ?? false;
  }

  list(): readonly BlockedClient[] {
    const now = this.#wallClock();
    return this.#blocks.filter(({ endsAt }) => endsAt > now);
  }

  /** Rejects with `invalid` for a text that is no range, and with `conflict` when there are too many blocks. */
  async block(text: string, forMs: number): Promise<BlockedClient> {
    const blockedAt = this.#wallClock();
    const block = { range: readRange(text), blockedAt, endsAt: blockedAt + forMs };
    if (!(await this.#storage.blockClient(block)))
      throw new AppError('conflict', 'as many clients are blocked as can be: unblock one, or block a CIDR instead of its addresses');
    await this.load();
    return block;
  }

  /** Resolves to the range, or rejects with `not_found`. */
  async unblock(text: string): Promise<string> {
    const range = readRange(text);
    const wasBlocked = await this.#storage.unblockClient(range);
    await this.load();
    if (!wasBlocked)
      throw new AppError(
        'not_found',
        `${range} is not blocked by itself; GET /api/v1/clients/blocked lists the addresses and CIDRs that are`,
      );
    return range;
  }

  async load(): Promise<void> {
    this.#reads += 1;
    const read = this.#reads;
    const blocks = await this.#storage.listBlockedClients();
    // An earlier read may end later, and would not see the latest change.
    if (read < this.#lastRead) return;
    this.#lastRead = read;
    this.#blocks = blocks;
    this.#compile();
  }

  close(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
  }

  async #reload(): Promise<void> {
    await this.load().catch((error: unknown) => this.#logger.warn({ err: error }, 'blocked clients could not be read; trying again'));
  }

  #compile(): void {
    const blocks = this.list();
    this.#list = blocks.length === 0 ? null : new AddressList(blocks.map(({ range }) => range));
    this.#nextEnd = Math.min(...blocks.map(({ endsAt }) => endsAt));
  }
}

/** `203.0.113.9`, `10.0.0.0/8`; an IPv6 address is blocked with its /64, as it is counted. Throws `invalid`. */
function readRange(text: string): string {
  const range = parseAddressRange(text);
  if (range === null)
    throw new AppError('invalid', `address: "${text.slice(0, 100)}" is neither an address nor a CIDR, such as 203.0.113.0/24`);
  const { address, prefix } = range;
  if (prefix === 0) throw new AppError('invalid', `address: "${text}" is everybody; block fewer`);
  if (!text.includes('/')) return clientKeyOf(address);
  const network = networkOf(address, prefix);
  return network.kind() === 'ipv4' && prefix === 32 ? network.toString() : `${network.toString()}/${prefix}`;
}

/** The same text for every spelling of the range. */
function networkOf(address: string, prefix: number): ipaddr.IPv4 | ipaddr.IPv6 {
  const cidr = `${address}/${prefix}`;
  return address.includes(':') ? ipaddr.IPv6.networkAddressFromCIDR(cidr) : ipaddr.IPv4.networkAddressFromCIDR(cidr);
}
