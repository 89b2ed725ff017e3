/*
 * debuginfod-find executable BUILDID prints the path of the file in its cache, debuginfod-find(1).
 * It is a program of its own, so that nobody links with an HTTP client who never asks.
 */
#include "process/core/debuginfod.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "process/regular_file.h"
#include "util/base.h"

enum { LIMIT_MS = 60000, GRACE_MS = 1000, LOOK_MS = 5 }; /* for its line; to end after it */

extern char **environ;

static pid_t start(const char *id, int out)
{
    char *argv[] = { (char *)"debuginfod-find", (char *)"executable", (char *)id, NULL };
    posix_spawn_file_actions_t files;
    pid_t pid = -1;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&files, out, STDOUT_FILENO);
    posix_spawn_file_actions_addopen(&files, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    const int error = posix_spawnp(&pid, argv[0], &files, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&files);
    return error ? -1 : pid;
}

/* The first line that it prints; false when there is none, late when it was not there in time. */
static bool read_line(int fd, char *line, size_t size, bool *late)
{
    const uint64_t end = lk_now_ms() + LIMIT_MS;
    size_t n = 0;
    line[0] = '\0';
    while (!memchr(line, '\n', n)) {
        struct pollfd p = { .fd = fd, .events = POLLIN };
        const uint64_t now = lk_now_ms();
        const int ready = now < end ? poll(&p, 1, (int)(end - now)) : 0;
        *late = !ready;
        if (ready < 0 && errno == EINTR)
            continue;
        const ssize_t got = ready > 0 ? read(fd, line + n, size - 1 - n) : -1;
        if (got <= 0 || n + (size_t)got == size - 1)
            break;
        n += (size_t)got;
    }
    line[n] = '\0';
    char *newline = strchr(line, '\n');
    if (!newline)
        return false;
    *newline = '\0';
    return line[0] == '/';
}

/* What it has to say is said: it ends by itself, or is ended. A caller that ignores SIGCHLD has no
 * child to wait for. */
static void end(pid_t pid, uint64_t until_ms)
{
    pid_t ended;
    while ((ended = waitpid(pid, NULL, WNOHANG)) == 0 && lk_now_ms() < until_ms)
        usleep(LOOK_MS * 1000);
    if (ended)
        return;
    kill(pid, SIGKILL);
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
}

int lk_debuginfod_find(const char *id, bool *late)
{
    char path[PATH_MAX];
    struct stat st;
    int ends[2];
    *late = false;
    if (pipe2(ends, O_CLOEXEC) != 0)
        return -1;
    const pid_t pid = start(id, ends[1]);
    close(ends[1]);
    const bool found = pid > 0 && read_line(ends[0], path, sizeof path, late);
    close(ends[0]);
    if (pid > 0)
        end(pid, found ? lk_now_ms() + GRACE_MS : 0);
    return found ? lk_reopen_regular(open(path, O_PATH | O_CLOEXEC), &st) : -1;
}
