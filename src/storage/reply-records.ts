// Records of replies: what is stored, and what the storage tells of the run that a reply is for.

/** A reply to the URLs of one step, in one visit. */
export interface NewReply {
  runId: string;
  replyId: string;
  choice: string;
  /** JSON text. Null: the reply has no body. */
  body: string | null;
}

export type StoreReplyResult =
  /** It is the first one, or the first one again. */
  | { kind: 'stored' }
  /** Another reply was faster. */
  | { kind: 'taken'; choice: string }
  /** The run has ended without a reply, or there is no such run. */
  | { kind: 'ended' };

/** The run that a reply is for. */
export interface FoundReply {
  appId: string;
  workflow: { id: string; version: number } | null;
  /** The run has ended. */
  isOver: boolean;
  /** Of the stored reply. Null: none is stored. */
  choice: string | null;
}
