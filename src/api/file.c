/*
 * Reading a file whole. What is neither regular nor, where that is wanted, a stream is refused by
 * its kind: a device may have no end.
 */
#include "api/file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FIRST_BYTES 65536

static const char *kind_of(mode_t mode)
{
    return S_ISDIR(mode)    ? "a folder"
           : S_ISFIFO(mode) ? "a FIFO"
           : S_ISSOCK(mode) ? "a socket"
                            : "a device";
}

/* O_NONBLOCK: opening a FIFO that is to be refused must not wait for its writer. */
static int open_file(const char *file, const char *name, const char *what, enum lk_api_file kind,
                     struct lk_error *err)
{
    struct stat st;
    const bool stream = kind == LK_API_STREAM;
    const int flags = O_RDONLY | O_NOCTTY | O_CLOEXEC | (stream ? 0 : O_NONBLOCK);
    const bool input = stream && strcmp(file, "-") == 0;
    const int fd = lk_fd_hold(input ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0) : open(file, flags));
    if (fd < 0) {
        lk_error_os(err, errno, "%s", name);
        return -1;
    }
    if (fstat(fd, &st) == 0 &&
        (S_ISREG(st.st_mode) || (stream && (S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode)))))
        return fd;
    lk_error_set(err, LK_ERR_USAGE, "%s: is %s; %s read from a regular file%s only", name,
                 kind_of(st.st_mode), what, stream ? " or a pipe" : "");
    lk_fd_close(fd);
    return -1;
}

/* 0 at the end, an errno otherwise. */
static int slurp(int fd, char **bytes, size_t max, size_t *n)
{
    size_t cap = 0;
    for (*n = 0; *n <= max;) {
        if (*n == cap) {
            cap = LK_MIN(cap ? cap * 2 : FIRST_BYTES, max + 1);
            *bytes = lk_xrealloc(*bytes, cap);
        }
        const ssize_t got = read(fd, *bytes + *n, cap - *n);
        if (got == 0)
            return 0;
        if (got < 0 && errno != EINTR)
            return errno;
        *n += got > 0 ? (size_t)got : 0;
    }
    return 0;
}

char *lk_api_read_file(const char *file, const char *name, const char *what, enum lk_api_file kind,
                       size_t max, size_t *n, struct lk_error *err)
{
    char *bytes = NULL;
    const int fd = open_file(file, name, what, kind, err);
    if (fd < 0)
        return NULL;
    const int why = slurp(fd, &bytes, max, n);
    lk_fd_close(fd);
    if (!why)
        return bytes;
    lk_error_os(err, why, "%s", name);
    lk_free(bytes);
    return NULL;
}

/* A stream is not touched: what was read of it would be missed by who reads it. */
size_t lk_api_peek(const char *file, void *ret, size_t n)
{
    struct stat st;
    if (stat(file, &st) != 0 || !S_ISREG(st.st_mode))
        return 0;
    const int fd = open(file, O_RDONLY | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
    const ssize_t got = fd >= 0 ? pread(fd, ret, n, 0) : -1;
    if (fd >= 0)
        close(fd);
    return got > 0 ? (size_t)got : 0;
}
