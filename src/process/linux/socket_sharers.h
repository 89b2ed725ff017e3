/*
 * Which other processes hold a descriptor of a socket, and what they do with it. Private to this
 * station.
 *
 * A socket gets into another process by fork, or by being handed over: SCM_RIGHTS, pidfd_getfd. All
 * processes whose descriptors may be read are looked through, so however it came there, it is
 * found. One whose descriptors may not be read belongs to another user, or forbids it; it counts as
 * a possible holder when it is related by birth: an ancestor (init only if it passed sockets on,
 * which LISTEN_FDS tells, sd_listen_fds(3)), a descendant, or one of the same session. Of others it
 * is assumed that nobody handed them the socket. Descriptors that are under way in a message, and
 * processes in pid namespaces that are not shown here, are not seen.
 */
#ifndef LK_PROCESS_LINUX_SOCKET_SHARERS_H
#define LK_PROCESS_LINUX_SOCKET_SHARERS_H

#include "process/process.h"

#define LK_SHARERS_MAX 32 /* of one socket */

/** Fills alone and sharers (all but examined) of v[n], whose inodes are set, for process t. */
void lk_socket_sharers_read(struct lk_process *t, struct lk_listener *v, size_t n,
                            struct lk_arena *a);

#endif
