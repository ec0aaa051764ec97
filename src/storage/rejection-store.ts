// Triggers that were refused before a run existed, in the storage.

/** One entry: refusals that belong together, and how many they were. Its texts are cut before they come here. */
export interface Rejection {
  /** Null: no sink takes the request, or the entry stands for more than one. */
  sinkId: string | null;
  appId: string | null;
  method: string;
  path: string;
  status: number;
  code: string;
  message: string;
  clientIp: string;
  /** Null: all of them were alike. `requests`: they differ in method, path or message. `clients`: in sink, app and client too. */
  folded: 'requests' | 'clients' | null;
  count: number;
  firstAt: number;
  lastAt: number;
}

/** A new entry, or `count` more refusals for the one at `position`, which then shows what the latest one was. */
export interface RejectionChange extends Rejection {
  position: number | null;
}

export interface RejectionStore {
  /** Stores refused triggers and forgets the oldest beyond a fixed number; returns the positions of the entries, in order. */
  recordRejections(changes: RejectionChange[]): Promise<number[]>;
  /** Newest first; `before` is the position of the last entry of the page before. */
  listRejections(filter: { appId?: string; before?: number; limit: number }): Promise<(Rejection & { position: number })[]>;
}
