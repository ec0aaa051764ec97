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

export interface RejectionStore {
  /**
   * Stores the entries, all or none.
   * An entry whose position was deleted is stored as a new one.
   * Deletes the oldest entries beyond a fixed number.
   * Returns the positions of the entries, in order.
   */
  recordRejections(changes: RejectionChange[]): Promise<number[]>;
  /** Returns one page, newest first. `before` is the position of the last entry on the previous page. */
  listRejections(filter: { appId?: string; before?: number; limit: number }): Promise<(Rejection & { position: number })[]>;
}
