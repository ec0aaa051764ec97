// The storage of blocked clients, which may not trigger any sink for a time.

/** Times are wall time: an operator states the end. */
export interface BlockedClient {
  /** An address or a CIDR, in canonical form. */
  range: string;
  blockedAt: number;
  endsAt: number;
}

export interface ClientStore {
  /**
   * Stores the block, or gives the range a new end. Deletes blocks that ended before `blockedAt`.
   * Returns false, and stores nothing, if there is a fixed number of blocks of other ranges.
   */
  blockClient(block: BlockedClient): Promise<boolean>;
  /** Returns false if the range was not blocked. */
  unblockClient(range: string): Promise<boolean>;
  /** Returns all blocks by range, also those that have ended. */
  listBlockedClients(): Promise<BlockedClient[]>;
}
