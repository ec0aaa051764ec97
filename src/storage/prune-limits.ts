// What retention keeps of runs that have ended.

export interface PruneLimits {
  /** Ended runs created before this are removed. */
  before: number | null;
  /** Oldest ended runs go until the database, without its rejections, is no larger. */
  maxBytes: number | null;
  /** At most so many runs in one call. */
  limit: number;
}
