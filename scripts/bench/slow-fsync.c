/*
 * A disk of known speed: preloaded into a process (LD_PRELOAD), it turns every fsync and fdatasync into a sleep of
 * BENCH_FSYNC_MICROS microseconds. Nothing reaches the disk sooner or later for it, so it is for measuring only.
 *
 *   cc -shared -fPIC -O2 -o slow-fsync.so slow-fsync.c
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/prctl.h>
#include <time.h>

static int sleep_instead(void) {
  static __thread int is_exact;
  const char *text = getenv("BENCH_FSYNC_MICROS");
  long micros = text == NULL ? 0 : atol(text);
  struct timespec delay = {micros / 1000000, micros % 1000000 * 1000};
  if (!is_exact) {
    /* Linux lets a sleep end 50 microseconds late unless told otherwise. */
    prctl(PR_SET_TIMERSLACK, 1);
    is_exact = 1;
  }
  if (micros > 0) nanosleep(&delay, NULL);
  return 0;
}

int fsync(int file) {
  (void)file;
  return sleep_instead();
}

int fdatasync(int file) {
  (void)file;
  return sleep_instead();
}
