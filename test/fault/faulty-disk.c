/*
 * A disk that fails on demand, for files below FAULTY_DISK, preloaded into the server (LD_PRELOAD). While the file
 * FAULTY_DISK_CONTROL exists, what it says fails: "full" lets no file grow, "sync" lets no sync succeed.
 *
 *   cc -shared -fPIC -O2 -o faulty-disk.so faulty-disk.c -ldl
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

static int is_ordered(const char *fault) {
  char order[16] = {0};
  const char *control = getenv("FAULTY_DISK_CONTROL");
  int file = control == NULL ? -1 : open(control, O_RDONLY | O_CLOEXEC);
  if (file == -1) return 0;
  ssize_t length = read(file, order, sizeof order - 1);
  close(file);
  return length > 0 && strncmp(order, fault, strlen(fault)) == 0;
}

static int is_on_disk(int file) {
  char link[64], path[4096];
  const char *disk = getenv("FAULTY_DISK");
  if (disk == NULL) return 0;
  snprintf(link, sizeof link, "/proc/self/fd/%d", file);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length <= 0) return 0;
  path[length] = '\0';
  return strncmp(path, disk, strlen(disk)) == 0;
}

static int cannot_grow(int file, off_t end) {
  struct stat found;
  if (!is_on_disk(file) || fstat(file, &found) != 0 || !S_ISREG(found.st_mode)) return 0;
  if (end >= 0 && end <= found.st_size) return 0;
  return is_ordered("full");
}

static int fail(int error) {
  errno = error;
  return -1;
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

ssize_t write(int file, const void *data, size_t size) {
  return cannot_grow(file, -1) ? fail(ENOSPC) : REAL(write)(file, data, size);
}

ssize_t writev(int file, const struct iovec *parts, int count) {
  return cannot_grow(file, -1) ? fail(ENOSPC) : REAL(writev)(file, parts, count);
}

ssize_t pwrite(int file, const void *data, size_t size, off_t offset) {
  return cannot_grow(file, offset + (off_t)size) ? fail(ENOSPC) : REAL(pwrite)(file, data, size, offset);
}

ssize_t pwrite64(int file, const void *data, size_t size, off64_t offset) {
  return cannot_grow(file, offset + (off_t)size) ? fail(ENOSPC) : REAL(pwrite64)(file, data, size, offset);
}

int fsync(int file) {
  return is_on_disk(file) && is_ordered("sync") ? fail(EIO) : REAL(fsync)(file);
}

int fdatasync(int file) {
  return is_on_disk(file) && is_ordered("sync") ? fail(EIO) : REAL(fdatasync)(file);
}
