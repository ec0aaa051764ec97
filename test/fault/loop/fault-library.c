/*
 * Makes the n-th call of one kind fail, for files below FAULT_DIRECTORY (LD_PRELOAD, Linux). The file FAULT_CONTROL is
 * shared memory between this library and the test (fault-library.ts), so that a process loads once and fails often.
 *
 *   cc -shared -fPIC -O2 -o fault-library.so fault-library.c -ldl
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

/* In the order of CALLS in fault-points.ts. */
enum call { NONE, OPEN, READ, WRITE, SYNC, TRUNCATE, RENAME, UNLINK, MKDIR, MAP, CLOSE };

struct control {
  int call;
  /* From this call on, counted from 1, `lasts` calls fail. 0: all that follow. */
  int nth, lasts;
  /* Of the calls that fail. 0: none fails, and every write is cut. */
  int error;
  /* Whether the first of these calls is a write that stores only half of its bytes. */
  int is_cut;
  /* The calls of this kind so far, and those of them that failed or were cut. */
  int seen, hits;
};

enum fault { PASS, CUT, FAIL };

static struct control *control;
static const char *directory;

__attribute__((constructor)) static void begin(void) {
  const char *path = getenv("FAULT_CONTROL");
  directory = getenv("FAULT_DIRECTORY");
  int file = path == NULL || directory == NULL ? -1 : open(path, O_RDWR | O_CLOEXEC);
  if (file == -1) return;
  void *mapped = mmap(NULL, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  close(file);
  if (mapped != MAP_FAILED) control = mapped;
}

static int is_below(const char *path) {
  size_t length = strlen(directory);
  return strncmp(path, directory, length) == 0 && path[length] == '/';
}

static int is_open_below(int file) {
  char link[32], path[PATH_MAX];
  snprintf(link, sizeof link, "/proc/self/fd/%d", file);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length <= 0) return 0;
  path[length] = '\0';
  return is_below(path);
}

static int is_path_below(const char *path) {
  int file;
  return is_below(path) || (sscanf(path, "/proc/self/fd/%d/", &file) == 1 && is_open_below(file));
}

static int is_watched(enum call call) {
  return control != NULL && control->call == (int)call;
}

static enum fault next_fault(void) {
  int number = __atomic_add_fetch(&control->seen, 1, __ATOMIC_SEQ_CST) - control->nth;
  if (number < 0 || (control->lasts > 0 && number >= control->lasts)) return PASS;
  __atomic_add_fetch(&control->hits, 1, __ATOMIC_SEQ_CST);
  if (control->is_cut && (number == 0 || control->error == 0)) return CUT;
  errno = control->error;
  return FAIL;
}

static enum fault file_fault(enum call call, int file) {
  return is_watched(call) && is_open_below(file) ? next_fault() : PASS;
}

static int path_fails(enum call call, const char *path) {
  return is_watched(call) && is_path_below(path) && next_fault() == FAIL;
}

static size_t half_of(size_t size) {
  return size < 2 ? size : size / 2;
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

#define MODE(flags)                        \
  mode_t mode = 0;                         \
  if (flags & (O_CREAT | O_TMPFILE)) {     \
    va_list rest;                          \
    va_start(rest, flags);                 \
    mode = va_arg(rest, mode_t);           \
    va_end(rest);                          \
  }

int open(const char *path, int flags, ...) {
  MODE(flags)
  return path_fails(OPEN, path) ? -1 : REAL(open)(path, flags, mode);
}

int open64(const char *path, int flags, ...) {
  MODE(flags)
  return path_fails(OPEN, path) ? -1 : REAL(open64)(path, flags, mode);
}

int openat(int folder, const char *path, int flags, ...) {
  MODE(flags)
  return path_fails(OPEN, path) ? -1 : REAL(openat)(folder, path, flags, mode);
}

int openat64(int folder, const char *path, int flags, ...) {
  MODE(flags)
  return path_fails(OPEN, path) ? -1 : REAL(openat64)(folder, path, flags, mode);
}

#define READING(name, parameters, ...)                                        \
  ssize_t name parameters {                                                   \
    return file_fault(READ, file) == FAIL ? -1 : REAL(name)(__VA_ARGS__);     \
  }

READING(read, (int file, void *data, size_t size), file, data, size)
READING(pread, (int file, void *data, size_t size, off_t offset), file, data, size, offset)
READING(pread64, (int file, void *data, size_t size, off64_t offset), file, data, size, offset)
READING(readv, (int file, const struct iovec *parts, int count), file, parts, count)

#define WRITING(name, parameters, ...)                   \
  ssize_t name parameters {                              \
    enum fault fault = file_fault(WRITE, file);          \
    if (fault == CUT) size = half_of(size);              \
    return fault == FAIL ? -1 : REAL(name)(__VA_ARGS__); \
  }

WRITING(write, (int file, const void *data, size_t size), file, data, size)
WRITING(pwrite, (int file, const void *data, size_t size, off_t offset), file, data, size, offset)
WRITING(pwrite64, (int file, const void *data, size_t size, off64_t offset), file, data, size, offset)

/* A cut write of several parts stores half of the first one. */
#define WRITING_PARTS(name, parameters, ...)                              \
  ssize_t name parameters {                                               \
    enum fault fault = file_fault(WRITE, file);                           \
    struct iovec half;                                                    \
    if (fault == CUT && count > 0) {                                      \
      half = (struct iovec){parts->iov_base, half_of(parts->iov_len)};    \
      parts = &half;                                                      \
      count = 1;                                                          \
    }                                                                     \
    return fault == FAIL ? -1 : REAL(name)(__VA_ARGS__);                  \
  }

WRITING_PARTS(writev, (int file, const struct iovec *parts, int count), file, parts, count)
WRITING_PARTS(pwritev, (int file, const struct iovec *parts, int count, off_t offset), file, parts, count, offset)
WRITING_PARTS(pwritev64, (int file, const struct iovec *parts, int count, off64_t offset), file, parts, count, offset)

#define OF_FILE(call, name, parameters, ...)                                  \
  int name parameters {                                                       \
    return file_fault(call, file) == FAIL ? -1 : REAL(name)(__VA_ARGS__);     \
  }

OF_FILE(SYNC, fsync, (int file), file)
OF_FILE(SYNC, fdatasync, (int file), file)
OF_FILE(TRUNCATE, ftruncate, (int file, off_t size), file, size)
OF_FILE(TRUNCATE, ftruncate64, (int file, off64_t size), file, size)
OF_FILE(TRUNCATE, fallocate, (int file, int mode, off_t offset, off_t size), file, mode, offset, size)
OF_FILE(TRUNCATE, fallocate64, (int file, int mode, off64_t offset, off64_t size), file, mode, offset, size)

#define OF_PATH(call, name, parameters, ...)                           \
  int name parameters {                                                \
    return path_fails(call, path) ? -1 : REAL(name)(__VA_ARGS__);      \
  }

OF_PATH(RENAME, rename, (const char *path, const char *to), path, to)
OF_PATH(RENAME, renameat, (int from, const char *path, int at, const char *to), from, path, at, to)
OF_PATH(RENAME, link, (const char *path, const char *to), path, to)
OF_PATH(UNLINK, unlink, (const char *path), path)
OF_PATH(UNLINK, unlinkat, (int folder, const char *path, int flags), folder, path, flags)
OF_PATH(UNLINK, rmdir, (const char *path), path)
OF_PATH(MKDIR, mkdir, (const char *path, mode_t mode), path, mode)

#define MAPPING(name, offset_type)                                                                             \
  void *name(void *at, size_t size, int protection, int flags, int file, offset_type offset) {                 \
    int fails = file >= 0 && file_fault(MAP, file) == FAIL;                                                    \
    return fails ? MAP_FAILED : REAL(name)(at, size, protection, flags, file, offset);                         \
  }

MAPPING(mmap, off_t)
MAPPING(mmap64, off64_t)

/* The file is closed all the same, as on Linux. */
int close(int file) {
  enum fault fault = file_fault(CLOSE, file);
  int error = errno;
  int result = REAL(close)(file);
  if (fault != FAIL) return result;
  errno = error;
  return -1;
}
