/*
 * A wall clock that a test can set, preloaded into the server (LD_PRELOAD). The file STEPPED_CLOCK has the difference to
 * the machine's clock in milliseconds, as one 64-bit integer; it is mapped, so that a write takes effect at once. The
 * monotonic clock is left alone.
 *
 *   cc -shared -fPIC -O2 -o stepped-clock.so stepped-clock.c -ldl
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static volatile const int64_t *offset_ms;
static int (*real_clock)(clockid_t, struct timespec *);

__attribute__((constructor)) static void map_offset(void) {
  real_clock = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
  const char *path = getenv("STEPPED_CLOCK");
  int file = path == NULL ? -1 : open(path, O_RDONLY | O_CLOEXEC);
  if (file == -1) return;
  void *mapped = mmap(NULL, sizeof(int64_t), PROT_READ, MAP_SHARED, file, 0);
  close(file);
  if (mapped != MAP_FAILED) offset_ms = mapped;
}

static int64_t now_ns(void) {
  struct timespec now;
  real_clock(CLOCK_REALTIME, &now);
  int64_t offset = offset_ms == NULL ? 0 : *offset_ms;
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec + offset * 1000000;
}

int clock_gettime(clockid_t clock, struct timespec *time) {
  if (real_clock == NULL) map_offset();
  if (clock != CLOCK_REALTIME && clock != CLOCK_REALTIME_COARSE) return real_clock(clock, time);
  int64_t ns = now_ns();
  time->tv_sec = ns / 1000000000;
  time->tv_nsec = ns % 1000000000;
  return 0;
}

int gettimeofday(struct timeval *restrict time, void *restrict zone) {
  (void)zone;
  if (real_clock == NULL) map_offset();
  int64_t ns = now_ns();
  time->tv_sec = ns / 1000000000;
  time->tv_usec = ns % 1000000000 / 1000;
  return 0;
}

time_t time(time_t *result) {
  if (real_clock == NULL) map_offset();
  time_t seconds = now_ns() / 1000000000;
  if (result != NULL) *result = seconds;
  return seconds;
}
