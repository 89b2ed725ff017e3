/*
 * Reading files below /proc: whole small files, links, directories of ids, stat lines. What stands
 * in them was partly chosen by the process they describe (names, paths, command lines), so
 * everything is bounded and raw; who puts it into a snapshot cleans it (util/text.h).
 *
 * Each function builds its path from a format, below an open folder or from AT_FDCWD: a number of
 * a process may be given anew at any moment, a folder that is held stays that of its process.
 */
#ifndef LK_PROCESS_LINUX_PROCFS_H
#define LK_PROCESS_LINUX_PROCFS_H

#include <fcntl.h>
#include <stdio.h>
#include <sys/types.h>

#include "util/base.h"

/**
 * Descriptors, memory or the device may give out while files are read, and each reader takes what
 * it cannot open for something that is not there. So the first such error of this thread is kept:
 * EMFILE, ENFILE, ENOMEM or EIO since lk_procfs_watch(), 0 none.
 */
void lk_procfs_watch(void);
int lk_procfs_ran_out(void);

#define LK_PROCFS_PATH 320 /* room for any path built here */

/** Reads at most size - 1 bytes and terminates them. Returns the length, -1 with errno when the
 * file cannot be read. */
ssize_t lk_procfs_read(char *buf, size_t size, int dir, const char *fmt, ...) LK_PRINTF(4, 5);
/** Reads a file below an open directory with one read (files of one thread come whole), without a
 * path of its own: for what is read of every thread in every sample. Bytes read, -1 with errno. */
ssize_t lk_procfs_read_at(int dir, const char *name, char *buf, size_t size);
/** The same into malloc'ed memory of up to max bytes; NULL with errno. The caller frees it. */
char *lk_procfs_read_all(size_t max, size_t *len, int dir, const char *fmt, ...) LK_PRINTF(4, 5);
/** Text of a symbolic link, terminated. Returns its length (cut at size - 1), -1 with errno. */
ssize_t lk_procfs_link(char *buf, size_t size, int dir, const char *fmt, ...) LK_PRINTF(4, 5);
/** Opens a file for reading line by line; NULL with errno. */
FILE *lk_procfs_open(int dir, const char *fmt, ...) LK_PRINTF(2, 3);
void lk_procfs_close(FILE *f);
/** The number after "name" at the start of a line, as in /proc/PID/status; false when there is no
 * such line. */
bool lk_procfs_field(const char *text, const char *name, int base, uint64_t *ret);

/** Calls visit for each entry of a directory whose name is a number, until it returns false. False
 * with errno. */
typedef bool (*lk_procfs_visit)(int64_t id, void *arg);
bool lk_procfs_each_id(lk_procfs_visit visit, void *arg, int dir, const char *fmt, ...)
    LK_PRINTF(4, 5);

/** What proc_pid_stat(5) says, as far as we need it. */
struct lk_procfs_stat {
    char comm[64];
    char state;
    pid_t ppid;
    uint32_t flags;          /* PF_* of the kernel's include/linux/sched.h */
    uint64_t cpu_ticks;      /* utime + stime, clock ticks */
    uint64_t children_ticks; /* cutime + cstime: of children that were waited for */
    int64_t threads;
    uint64_t start_ticks; /* clock ticks after boot: a reused id differs */
    uint64_t start_stack; /* bottom of the stack that execve made; 0 when we may not know */
    int processor;        /* that it ran on last; -1 unknown */
};
/** Of a process or of a thread. False when text is no such line. */
bool lk_procfs_stat_parse(const char *text, struct lk_procfs_stat *ret);
bool lk_procfs_stat_read(struct lk_procfs_stat *ret, int dir, const char *fmt, ...) LK_PRINTF(3, 4);
/** Of the process that has this number now. */
bool lk_procfs_stat_of(pid_t pid, struct lk_procfs_stat *ret);
/** A file in the folder of the process that has this number now; as lk_procfs_read. */
ssize_t lk_procfs_read_of(pid_t pid, const char *name, char *buf, size_t size);

/** comm as a user may see it: redacted, and anything but printable ASCII replaced by '?'. */
void lk_comm_clean(char *comm, size_t size);

/**
 * Calls visit for each living child of a process (whichever thread forked it), until it returns
 * false. Reads task/TID/children, or where that is not there or dear, the parents of all processes.
 * False with errno: they are not known.
 */
bool lk_procfs_children(pid_t pid, lk_procfs_visit visit, void *arg);

/** A process's folder in /proc, held. */
struct lk_procfs_folder {
    pid_t pid;
    int whole; /* of the process: /proc/PID; -1 none */
    /* that which still answers: the same, or task/TID of a living thread when the main thread has
     * ended before the others (its own cmdline, exe, fd, net and maps are then gone); -1 none */
    int dir;
};
/** False with errno: no such process; ret then has no folders. */
bool lk_procfs_enter(pid_t pid, struct lk_procfs_folder *ret);
void lk_procfs_leave(struct lk_procfs_folder *f);
/** The same of a folder that is open already, and not closed by lk_procfs_leave_answering. */
bool lk_procfs_find_answering(pid_t pid, int whole, struct lk_procfs_folder *ret);
void lk_procfs_leave_answering(struct lk_procfs_folder *f);

/** A command line split at its NULs: argv[argc] is NULL. text owns the bytes. */
struct lk_procfs_args {
    char *text;
    char **argv;
    size_t argc;
};
/** False when it cannot be read; an empty command line (kernel thread, zombie) has argc 0. */
bool lk_procfs_args_read(int dir, struct lk_procfs_args *ret);
void lk_procfs_args_deinit(struct lk_procfs_args *args);

#endif
