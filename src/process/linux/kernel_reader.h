/*
 * One examined process as the kernel shows it, without touching it: its directory in /proc, its
 * sockets, and a short-lived duplicate (pidfd_getfd) for what stands in no file. Private to this
 * folder: process_facts.h declares what others use.
 */
#ifndef LK_PROCESS_LINUX_KERNEL_READER_H
#define LK_PROCESS_LINUX_KERNEL_READER_H

#include "process/linux/fd_holders.h"
#include "process/linux/process_facts.h"
#include "process/linux/procfs.h"
#include "process/linux/socket_table.h"

struct lk_kernel_reader {
    struct lk_process *target;
    struct lk_arena *arena;
    pid_t pid;
    struct lk_procfs_folder folder; /* of the process; whole is borrowed */
    int pidfd;                      /* -1 not opened yet, -2 not to be had */
    struct lk_fd_holders *holders;
    struct lk_socket_table *net;
};

/** A duplicate of the target's descriptor, to be closed after one question; -1. */
int lk_kernel_borrow(struct lk_kernel_reader *r, int64_t fd);
/** The text of the descriptor's link in /proc; false when there is none. */
bool lk_kernel_fd_link(struct lk_kernel_reader *r, int64_t fd, char *buf, size_t size);
ssize_t lk_kernel_fdinfo(struct lk_kernel_reader *r, int64_t fd, char *buf, size_t size);
/** A path of the target, clean and redacted, in the reader's arena: to be shown, not compared. */
const char *lk_kernel_text(struct lk_kernel_reader *r, const char *s);
/** Whether fd, a socket of that inode, listens; where it does, ret's queue and address are filled
 * in as far as they are known. */
enum lk_tri lk_kernel_listens(struct lk_kernel_reader *r, int64_t fd, uint64_t inode,
                              struct lk_listener *ret);
/** SO_RCVTIMEO (or SO_SNDTIMEO): LK_FOREVER when not set, LK_UNKNOWN when we may not ask. */
int64_t lk_kernel_socket_timeout(struct lk_kernel_reader *r, int64_t fd, bool sending);

#endif
