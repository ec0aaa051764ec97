// The stamp of a call: the owner that makes it, and the server time of it. The storage adds it on the way to the writer
// thread, so that no caller can lease in another name or by another clock.

export interface Stamp {
  owner: number;
  now: number;
}
