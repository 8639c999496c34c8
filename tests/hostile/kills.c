/* Kills a process tree at the n-th call that changes a file below a folder. Loaded by LD_PRELOAD, used by kills.py.

   zoo_arm(state, root) maps the file `state`, which all processes of the tree share: the number of calls so far, the
   number of the call to kill at (0: none), and the process to kill. The call is not made; of a write, half is. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

struct state {
    long calls, last, process;
};

static struct state *shared;
static char root[PATH_MAX];

void zoo_arm(const char *file, const char *folder) {
    int handle = open(file, O_RDWR);
    if (handle < 0) return;
    void *found = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED, handle, 0);
    close(handle);
    if (found == MAP_FAILED) return;
    snprintf(root, sizeof root, "%s/", folder);
    shared = found;
}

__attribute__((constructor)) static void start(void) {
    const char *file = getenv("ZOO_KILL_STATE"), *folder = getenv("ZOO_KILL_ROOT");
    if (file && folder) zoo_arm(file, folder);
}

static int inside(int folder, const char *path) {
    char whole[2 * PATH_MAX] = "";
    if (!shared || !path) return 0;
    if (path[0] != '/') {
        char link[64];
        ssize_t size;
        snprintf(link, sizeof link, folder == AT_FDCWD ? "/proc/self/cwd" : "/proc/self/fd/%d", folder);
        size = readlink(link, whole, PATH_MAX - 2);
        if (size < 0) return 0;
        whole[size] = '/';
        whole[size + 1] = 0;
    }
    strncat(whole, path, PATH_MAX - 1);
    return strncmp(whole, root, strlen(root)) == 0;
}

static int inside_fd(int file) {
    char link[64], path[PATH_MAX];
    if (!shared) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t size = readlink(link, path, sizeof path - 1);
    if (size < 0) return 0;
    path[size] = 0;
    return strncmp(path, root, strlen(root)) == 0;
}

static int is_last(void) {
    return __atomic_add_fetch(&shared->calls, 1, __ATOMIC_SEQ_CST) == shared->last;
}

static void end(void) {
    kill(shared->process, SIGKILL);
    kill(getpid(), SIGKILL);
}

static void count(int is_inside) {
    if (is_inside && is_last()) end();
}

#define REAL(type, name, ...)                                                                                          \
    static type (*real)(__VA_ARGS__);                                                                                  \
    if (!real) real = (type(*)(__VA_ARGS__))dlsym(RTLD_NEXT, #name)

/* Half of a write may have reached the file. */
ssize_t write(int file, const void *data, size_t size) {
    REAL(ssize_t, write, int, const void *, size_t);
    if (inside_fd(file) && is_last()) {
        real(file, data, size / 2);
        end();
    }
    return real(file, data, size);
}

#define PWRITE(name, offset_t)                                                                                         \
    ssize_t name(int file, const void *data, size_t size, offset_t place) {                                            \
        REAL(ssize_t, name, int, const void *, size_t, offset_t);                                                      \
        if (inside_fd(file) && is_last()) {                                                                            \
            real(file, data, size / 2, place);                                                                         \
            end();                                                                                                     \
        }                                                                                                              \
        return real(file, data, size, place);                                                                          \
    }
PWRITE(pwrite, off_t)
PWRITE(pwrite64, off64_t)

size_t fwrite(const void *data, size_t size, size_t many, FILE *file) {
    REAL(size_t, fwrite, const void *, size_t, size_t, FILE *);
    if (shared && inside_fd(fileno(file)) && is_last()) {
        real(data, 1, size * many / 2, file);
        fflush(file);
        end();
    }
    return real(data, size, many, file);
}

#define BY_FD(type, name, parameters, ...)                                                                             \
    type name parameters {                                                                                             \
        static type(*real) parameters;                                                                                 \
        if (!real) real = (type(*) parameters)dlsym(RTLD_NEXT, #name);                                                 \
        count(inside_fd(file));                                                                                        \
        return real(__VA_ARGS__);                                                                                      \
    }
BY_FD(ssize_t, writev, (int file, const struct iovec *parts, int many), file, parts, many)
BY_FD(int, ftruncate, (int file, off_t size), file, size)
BY_FD(int, ftruncate64, (int file, off64_t size), file, size)
BY_FD(int, fchmod, (int file, mode_t mode), file, mode)
BY_FD(ssize_t, sendfile, (int file, int from, off_t *place, size_t size), file, from, place, size)
BY_FD(ssize_t, sendfile64, (int file, int from, off64_t *place, size_t size), file, from, place, size)

#define BY_PATH(name, parameters, folder, path, ...)                                                                   \
    int name parameters {                                                                                              \
        static int(*real) parameters;                                                                                  \
        if (!real) real = (int(*) parameters)dlsym(RTLD_NEXT, #name);                                                  \
        count(inside(folder, path));                                                                                   \
        return real(__VA_ARGS__);                                                                                      \
    }
BY_PATH(rename, (const char *from, const char *to), AT_FDCWD, to, from, to)
BY_PATH(renameat, (int a, const char *from, int b, const char *to), b, to, a, from, b, to)
BY_PATH(renameat2, (int a, const char *from, int b, const char *to, unsigned how), b, to, a, from, b, to, how)
BY_PATH(unlink, (const char *path), AT_FDCWD, path, path)
BY_PATH(unlinkat, (int folder, const char *path, int how), folder, path, folder, path, how)
BY_PATH(rmdir, (const char *path), AT_FDCWD, path, path)
BY_PATH(remove, (const char *path), AT_FDCWD, path, path)
BY_PATH(mkdir, (const char *path, mode_t mode), AT_FDCWD, path, path, mode)
BY_PATH(mkdirat, (int folder, const char *path, mode_t mode), folder, path, folder, path, mode)
BY_PATH(chmod, (const char *path, mode_t mode), AT_FDCWD, path, path, mode)
BY_PATH(truncate, (const char *path, off_t size), AT_FDCWD, path, path, size)
BY_PATH(link, (const char *from, const char *to), AT_FDCWD, to, from, to)
BY_PATH(symlink, (const char *from, const char *to), AT_FDCWD, to, from, to)

#define OPEN(name)                                                                                                     \
    int name(const char *path, int flags, ...) {                                                                       \
        REAL(int, name, const char *, int, ...);                                                                       \
        va_list more;                                                                                                  \
        va_start(more, flags);                                                                                         \
        mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(more, mode_t) : 0;                                        \
        va_end(more);                                                                                                  \
        count((flags & (O_CREAT | O_TRUNC)) && inside(AT_FDCWD, path));                                                \
        return real(path, flags, mode);                                                                                \
    }
OPEN(open)
OPEN(open64)

#define OPENAT(name)                                                                                                   \
    int name(int folder, const char *path, int flags, ...) {                                                           \
        REAL(int, name, int, const char *, int, ...);                                                                  \
        va_list more;                                                                                                  \
        va_start(more, flags);                                                                                         \
        mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(more, mode_t) : 0;                                        \
        va_end(more);                                                                                                  \
        count((flags & (O_CREAT | O_TRUNC)) && inside(folder, path));                                                  \
        return real(folder, path, flags, mode);                                                                        \
    }
OPENAT(openat)
OPENAT(openat64)

#define FOPEN(name)                                                                                                    \
    FILE *name(const char *path, const char *mode) {                                                                   \
        REAL(FILE *, name, const char *, const char *);                                                                \
        count(mode[0] != 'r' && inside(AT_FDCWD, path));                                                               \
        return real(path, mode);                                                                                       \
    }
FOPEN(fopen)
FOPEN(fopen64)
