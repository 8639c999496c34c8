/* A quota of ZOO_QUOTA bytes for what a process writes below ZOO_QUOTA_ROOT. Loaded by LD_PRELOAD, used by
   test_disks.py: real quotas do not hold for root, and take a file system of their own. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static long used;

/* Whether a file may not grow by so many bytes. What is written over counts as well. */
static int exceeds(int file, size_t size, int grows) {
    const char *quota = getenv("ZOO_QUOTA"), *root = getenv("ZOO_QUOTA_ROOT");
    char link[64], path[PATH_MAX];
    if (!quota || !root) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    if (strncmp(path, root, strlen(root))) return 0;
    if (used + (long)size > atol(quota)) return 1;
    used += grows ? size : 0;
    return 0;
}

#define REAL(type, name, ...) type (*real)(__VA_ARGS__) = (type(*)(__VA_ARGS__))dlsym(RTLD_NEXT, #name)

ssize_t write(int file, const void *data, size_t size) {
    REAL(ssize_t, write, int, const void *, size_t);
    return exceeds(file, size, 1) ? (errno = EDQUOT, -1) : real(file, data, size);
}

#define PWRITE(name, offset_t)                                                                                         \
    ssize_t name(int file, const void *data, size_t size, offset_t place) {                                            \
        REAL(ssize_t, name, int, const void *, size_t, offset_t);                                                      \
        return exceeds(file, size, 1) ? (errno = EDQUOT, -1) : real(file, data, size, place);                          \
    }
PWRITE(pwrite, off_t)
PWRITE(pwrite64, off64_t)

size_t fwrite(const void *data, size_t size, size_t many, FILE *file) {
    REAL(size_t, fwrite, const void *, size_t, size_t, FILE *);
    return exceeds(fileno(file), size * many, 1) ? (errno = EDQUOT, 0) : real(data, size, many, file);
}

#define FALLOCATE(name, offset_t)                                                                                      \
    int name(int file, offset_t place, offset_t size) {                                                                \
        REAL(int, name, int, offset_t, offset_t);                                                                      \
        return exceeds(file, size, 0) ? EDQUOT : real(file, place, size);                                              \
    }
FALLOCATE(posix_fallocate, off_t)
FALLOCATE(posix_fallocate64, off64_t)

/* Files are copied in the kernel: Python then falls back to write. */
#define SENDFILE(name, offset_t)                                                                                       \
    ssize_t name(int to, int from, offset_t *place, size_t size) {                                                     \
        REAL(ssize_t, name, int, int, offset_t *, size_t);                                                             \
        return exceeds(to, 1 << 30, 0) ? (errno = EDQUOT, -1) : real(to, from, place, size);                           \
    }
SENDFILE(sendfile, off_t)
SENDFILE(sendfile64, off64_t)
