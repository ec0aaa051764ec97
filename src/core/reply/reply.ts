// Replies: requests from outside that a waiting run waits for. Each is made through a URL whose token says which run, step and
// visit made it, which choice it stands for, and until when.

/** The first reply to the URLs of one step, in one visit. */
export interface Reply {
  kind: 'replied';
  choice: string;
  /** JSON text. Null: the reply had no body. */
  body: string | null;
  /** In server time. */
  at: number;
}

/** What one reply URL stands for. */
export interface ReplyReference {
  /** The position of the step that made it in its workflow, and the visit. */
  place: number;
  visit: number;
  /** The number of the choice. Null: the reply makes it. */
  choice: number | null;
  /** In server time. */
  expiresAt: number;
}

/** The path of reply URLs. It lies under `/runs/`, which no app can have. */
export const REPLY_PATH = '/runs/replies/';

const REFERENCE = /^reply_(\d{1,6})_(\d{1,6})_(\d{1,2}|any)_(\d{1,16})$/;
const TOKEN_TEXT = /^(run_[0-9a-z]{1,64}) (reply_\w{1,60})$/;

/** Shared by all URLs of the step's visit: the first reply to one of them counts. */
export function replyIdOf({ place, visit }: Pick<ReplyReference, 'place' | 'visit'>): string {
  return `reply_${place}_${visit}`;
}

const REPLY_ID = /^reply_(\d{1,6})_(\d{1,6})$/;

export function isReplyId(text: unknown): text is string {
  return typeof text === 'string' && REPLY_ID.test(text);
}

/** The id must be one. */
export function parseReplyId(id: string): Pick<ReplyReference, 'place' | 'visit'> {
  const [, place, visit] = REPLY_ID.exec(id) ?? [];
  return { place: Number(place), visit: Number(visit) };
}

/** Writes the reference as a name that a secret placeholder can have. */
export function formatReplyReference(reference: ReplyReference): string {
  return `${replyIdOf(reference)}_${reference.choice ?? 'any'}_${reference.expiresAt}`;
}

/** Null for any other text. */
export function parseReplyReference(text: string): ReplyReference | null {
  const match = REFERENCE.exec(text);
  if (match === null) return null;
  const [, place, visit, choice, expiresAt] = match;
  return { place: Number(place), visit: Number(visit), choice: choice === 'any' ? null : Number(choice), expiresAt: Number(expiresAt) };
}

/** The content of a token, before it is sealed. */
export function replyTokenText(runId: string, reference: ReplyReference): string {
  return `${runId} ${formatReplyReference(reference)}`;
}

/** Null for any other text. */
export function parseReplyToken(text: string): { runId: string; reference: ReplyReference } | null {
  const [, runId = '', written = ''] = TOKEN_TEXT.exec(text) ?? [];
  const reference = parseReplyReference(written);
  return reference === null ? null : { runId, reference };
}
