/*
 * Core files by gdb's gcore(1), a process for each, with a time limit. A gcore that is killed lets
 * its process run on: the kernel detaches a tracer that ends (kernel/ptrace.c exit_ptrace).
 */
#include "cli/run/write_core.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/run/descriptor_limit.h"
#include "util/place.h"

enum { LOOK_MS = 20 };

extern char **environ;

/* Silent, in the folder, with the signals as any program expects them. 0 or errno. */
static int start(pid_t *ret, int folder, char *const argv[])
{
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attr;
    sigset_t none;
    sigemptyset(&none);
    posix_spawn_file_actions_init(&files);
    posix_spawnattr_init(&attr);
    for (int fd = 0; fd < 3; fd++)
        posix_spawn_file_actions_addopen(&files, fd, "/dev/null", fd ? O_WRONLY : O_RDONLY, 0);
    posix_spawn_file_actions_addfchdir_np(&files, folder);
    posix_spawnattr_setsigmask(&attr, &none);
    posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK);
    descriptor_limit_restore();
    const int error = posix_spawnp(ret, argv[0], &files, &attr, argv, environ);
    descriptor_limit_raise();
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&attr);
    return error;
}

/* Its wait status; killed at the limit. */
static int await(pid_t pid, const volatile int *stop)
{
    int status = 0;
    for (unsigned spent = 0; waitpid(pid, &status, WNOHANG) == 0; spent += LOOK_MS) {
        usleep(LOOK_MS * 1000);
        if (spent >= CORE_WRITE_MS || *stop) {
            kill(pid, SIGKILL); /* the kernel detaches a tracer that dies */
            waitpid(pid, &status, 0);
            break;
        }
    }
    return status;
}

/* Whole, or not at all. */
static void write_cores(int folder, const pid_t *pids, size_t n, const volatile int *stop)
{
    for (size_t i = 0; i < n && !*stop; i++) {
        char number[16], file[32];
        char *argv[] = { (char *)"gcore", (char *)"-o", (char *)"core", number, NULL };
        struct stat st;
        pid_t pid;
        snprintf(number, sizeof number, "%d", (int)pids[i]);
        snprintf(file, sizeof file, "core.%s", number);
        unlinkat(folder, file, 0);
        const int error = start(&pid, folder, argv);
        if (error) {
            complain(0, "no core files: gcore (package gdb) cannot be run: %s", strerror(error));
            return;
        }
        const int status = await(pid, stop);
        if (WIFEXITED(status) && WEXITSTATUS(status) == 0 && fstatat(folder, file, &st, 0) == 0)
            continue;
        unlinkat(folder, file, 0);
        if (kill(pids[i], 0) == 0)
            complain(0, "no core file of process %s: gcore failed or took longer than %d s", number,
                     CORE_WRITE_MS / 1000);
    }
}

/* -1, and it was said why. */
static int open_folder(const char *dir, bool *made)
{
    const int fd = lk_open_private_folder(dir, made);
    if (fd < 0 && errno == EPERM)
        complain(0, "--core %s: it must be yours and closed to others: chmod 700 %s", dir, dir);
    else if (fd < 0)
        complain(0, "--core %s: %s", dir, strerror(errno));
    return fd;
}

bool core_try(const char *dir)
{
    bool made = false;
    const int fd = open_folder(dir, &made);
    if (fd < 0)
        return false;
    close(fd);
    if (made)
        rmdir(dir);
    return true;
}

void core_write(const char *dir, const pid_t *pids, size_t n, const volatile int *stop)
{
    bool made;
    const mode_t old = umask(077); /* all that the processes had in memory: for the owner */
    const int folder = open_folder(dir, &made);
    if (folder >= 0) {
        write_cores(folder, pids, n, stop);
        close(folder);
    }
    umask(old);
}
