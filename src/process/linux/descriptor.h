/*
 * What a descriptor of a live target is, without touching it: its link and fdinfo in /proc, the
 * socket tables, and for what stands in no file a short-lived duplicate (pidfd_getfd) that is only
 * asked and closed at once. Private to this station: process.h declares what others use.
 */
#ifndef LK_PROCESS_LINUX_DESCRIPTOR_H
#define LK_PROCESS_LINUX_DESCRIPTOR_H

#include "process/linux/fd_holders.h"
#include "process/linux/process_facts.h"
#include "process/linux/procfs.h"
#include "process/linux/socket_table.h"

#define LK_OSFD_MAX_FDS 1024 /* of a selector's set that we list */

struct lk_kernel_reader {
    struct lk_process *target;
    struct lk_arena *arena;
    pid_t pid;
    char base[LK_PROCFS_BASE]; /* lk_procfs_base; "" when there is no live process */
    int pidfd;                 /* -1 not opened yet, -2 not to be had */
    struct lk_fd_holders *holders;
    struct lk_socket_table *net;
};

/**
 * Fills on, fd, path, local, peer, peer_is, listening, accepted, queues and child_pid from what fd
 * is. For a timerfd timeout_ms becomes the time until it fires, if that is sooner. on = OTHER when
 * the descriptor cannot be read.
 */
void lk_descriptor_describe(struct lk_kernel_reader *r, int64_t fd, struct lk_syscall_wait *ret);
/** Peer of a socket that is still connecting, from the address given to connect(2). */
void lk_descriptor_connecting(struct lk_kernel_reader *r, const void *sockaddr, size_t len,
                              struct lk_syscall_wait *ret);
/** True when fd, a socket of that inode, listens; then ret's queue and address are filled in as far
 * as they are known. */
bool lk_descriptor_listens(struct lk_kernel_reader *r, int64_t fd, uint64_t inode,
                           struct lk_listener *ret);
/** SO_RCVTIMEO (or SO_SNDTIMEO): LK_FOREVER when not set, LK_UNKNOWN when we may not ask. */
int64_t lk_descriptor_socket_timeout(struct lk_kernel_reader *r, int64_t fd, bool sending);

#endif
