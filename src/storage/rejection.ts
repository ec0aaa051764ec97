// A trigger that was refused before a run existed, as it is stored.

/** The same ones within a flush are one entry with a count. */
export interface Rejection {
  appId: string | null;
  method: string;
  path: string;
  status: number;
  code: string;
  message: string;
  clientIp: string;
  count: number;
  firstAt: number;
  lastAt: number;
}
