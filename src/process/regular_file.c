/*
 * A name may lead through links to a FIFO that never opens, or to a device that acts when opened:
 * so it is opened as O_PATH first, openat2(2), and again by that descriptor's link in /proc once it
 * is known to be a regular file, proc_pid_fd(5).
 */
#include "process/regular_file.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "util/compat.h"

int lk_open_in_root(int root, const char *path)
{
    struct open_how how = {
        .flags = O_PATH | O_CLOEXEC,
        .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
    };

    return (int)syscall(SYS_openat2, root, path, &how, sizeof(how));
}

int lk_reopen_regular(int path_fd, struct stat *st)
{
    char link[40];
    int fd = -1, saved;

    if (path_fd < 0)
        return -1;
    if (fstat(path_fd, st) == 0) {
        if (S_ISREG(st->st_mode)) {
            snprintf(link, sizeof(link), "/proc/self/fd/%d", path_fd);
            fd = open(link, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
        } else {
            errno = S_ISDIR(st->st_mode) ? EISDIR : ENXIO;
        }
    }
    saved = errno;
    close(path_fd);
    errno = saved;
    return fd;
}
