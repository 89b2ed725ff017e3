/* What a descriptor of a live target is, without touching it. */
#ifndef LK_PROCESS_LINUX_DESCRIPTOR_H
#define LK_PROCESS_LINUX_DESCRIPTOR_H

#include "process/linux/kernel_reader.h"

#define LK_OSFD_MAX_FDS 1024 /* of a selector's set that we list */

/**
 * Fills on, fd, path, local, peer, peer_is, listening, accepted, queues and child_pid from what fd
 * is. For a timerfd timeout_ms becomes the time until it fires, if that is sooner. on = OTHER when
 * the descriptor cannot be read.
 */
void lk_descriptor_describe(struct lk_kernel_reader *r, int64_t fd, struct lk_syscall_wait *ret);

#endif
