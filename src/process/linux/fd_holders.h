/*
 * Which process holds the other end: sockets and pipes by inode number, found by the links in
 * /proc/PID/fd. Looked through, each once and only when asked for: the examined process itself, and
 * its tree, which is its descendants and the processes that run the same program image as it (the
 * parent it was forked from, and siblings forked from the same). A shell, a test driver or a
 * container runtime that merely started it is not its tree.
 */
#ifndef LK_PROCESS_LINUX_FD_HOLDERS_H
#define LK_PROCESS_LINUX_FD_HOLDERS_H

#include <sys/types.h>

#include "util/base.h"

enum lk_holder_of { LK_HOLDER_SOCKET, LK_HOLDER_PIPE };
enum lk_held { LK_HELD_UNKNOWN = -1, LK_HELD_OUTSIDE = 0, LK_HELD_SELF, LK_HELD_TREE };

struct lk_fd_holders;
/** dir: the folder that answers for it, borrowed. */
struct lk_fd_holders *lk_fd_holders_create(pid_t pid, int dir);
void lk_fd_holders_destroy(struct lk_fd_holders *h);

/** The examined process first, then its tree. UNKNOWN: nobody found, and the descriptors could not
 * all be read. */
enum lk_held lk_fd_holders_find(struct lk_fd_holders *h, enum lk_holder_of what, uint64_t inode);
/** The examined process's first descriptor for it; -1 for none. */
int lk_fd_holders_fd(struct lk_fd_holders *h, enum lk_holder_of what, uint64_t inode);
/** A process of the tree that holds it (for a pipe: open for the other direction than we_read
 * says); 0 for none. */
pid_t lk_fd_holders_pid(struct lk_fd_holders *h, uint64_t socket_inode);
pid_t lk_fd_holders_pipe_pid(struct lk_fd_holders *h, uint64_t inode, bool we_read);
/**
 * Who holds the end of a pipe that fd (open for reading or writing) is not: TREE when any of the
 * tree does (then the examined process may hold a copy too), SELF when only the examined process
 * does.
 */
enum lk_held lk_fd_holders_pipe_other_end(struct lk_fd_holders *h, uint64_t inode, bool we_read);

#endif
