/*
 * File locks: who holds the one that a thread waits for, by /proc/locks and the "lock:" lines of
 * /proc/PID/fdinfo (fs/locks.c). A lock of fcntl(2) belongs to a process and never stands in its
 * own way; one of flock(2), or of F_OFD_SETLKW, belongs to an open file description, which several
 * descriptors and processes may share.
 */
#ifndef LK_PROCESS_LINUX_FILE_LOCKS_H
#define LK_PROCESS_LINUX_FILE_LOCKS_H

#include <sys/types.h>

#include "snapshot/snapshot.h"
#include "util/base.h"

enum lk_lock_family { LK_LOCK_POSIX, LK_LOCK_FLOCK, LK_LOCK_OFD, LK_LOCK_OTHER };

/** One line of /proc/locks, or of fdinfo behind "lock:". */
struct lk_lock_line {
    uint64_t id; /* of the lock that is held; those who wait for it have the same */
    bool waits;
    enum lk_lock_family family;
    int64_t pid; /* that asked for it; -1 for LK_LOCK_OFD; 0 or less: not in our pid namespace */
    uint64_t device, inode;
};
/** False when it is no such line. end may be NULL, or is set behind the line. */
bool lk_lock_line_parse(const char *text, struct lk_lock_line *ret, const char **end);

struct lk_file_lock {
    enum lk_locked_by by;
    int64_t fd;  /* LK_LOCKED_SELF, SHARED: the descriptor; -1: a lock of the process as a whole */
    int64_t pid; /* LK_LOCKED_OTHER */
    char comm[64];
    uint64_t inode;
};
/** For a thread of pid that sleeps in flock(fd) or a fcntl(fd) that waits. dir: the
 * folder that answers for it. */
void lk_file_lock_find(pid_t pid, int dir, int64_t fd, bool by_flock, struct lk_file_lock *ret);
/** The one process that can give that lock back, another one than pid; false where it may be
 * several, or that is not known. */
bool lk_file_lock_owner(pid_t pid, int dir, int64_t fd, bool by_flock, int64_t *owner);

#endif
