// The storage of rejections: triggers that were refused before a run existed.

/** One entry: similar refusals and their count. Its texts are cut to their limits already. */
export interface Rejection {
  /** Null: no sink matches the request, or the entry combines several. */
  sinkId: string | null;
  appId: string | null;
  method: string;
  path: string;
  status: number;
  code: string;
  /** Finer than the code: `RefusalReason` of errors.ts, or a reason that an older version knew. */
  reason: string;
  message: string;
  clientIp: string;
  /** Null: all were alike. `requests`: they differ in method, path or message. `clients`: also in sink, app and client. */
  folded: 'requests' | 'clients' | null;
  count: number;
  firstAt: number;
  lastAt: number;
}

/** A new entry, or `count` more refusals for the entry at `position`, which takes method, path, message and client from them. */
export interface RejectionChange extends Rejection {
  position: number | null;
}

export interface RejectionFilter {
  appId?: string;
  sinkId?: string;
  reason?: string;
  clientIp?: string;
  /** Entries that were counted on then or later. */
  since?: number;
  /** The position of the last entry on the previous page. */
  before?: number;
  limit: number;
}

export interface RejectionStore {
  /**
   * Stores the entries, all or none.
   * An entry whose position was deleted is stored as a new one.
   * Deletes the oldest entries beyond a fixed number.
   * Returns the positions of the entries, in order.
   */
  recordRejections(changes: RejectionChange[]): Promise<number[]>;
  /** Returns one page of the entries that match, newest first. */
  listRejections(filter: RejectionFilter): Promise<(Rejection & { position: number })[]>;
  getRejection(position: number): Promise<(Rejection & { position: number }) | null>;
}
