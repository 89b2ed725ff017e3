/* Single questions about sockets. */
#ifndef LK_PROCESS_LINUX_SOCKET_DIAG_H
#define LK_PROCESS_LINUX_SOCKET_DIAG_H

#include "process/linux/socket_table.h"

struct lk_socket_diag {
    int dir; /* that answers for the process */
    int fd;  /* netlink socket: -1 not tried, -2 not available */
};
void lk_socket_diag_end(struct lk_socket_diag *d);

/** NONE: the kernel says that there is no such socket. */
enum lk_diag_result { LK_DIAG_UNAVAILABLE, LK_DIAG_NONE, LK_DIAG_FOUND };

/** The socket that a packet from remote to local would go to: a connection with just these ends,
 * else a listener. */
enum lk_diag_result lk_socket_diag_inet(struct lk_socket_diag *d, enum lk_socket_proto proto,
                                        const struct lk_socket_end *local,
                                        const struct lk_socket_end *remote, struct lk_socket *ret);
/** As lk_socket_unix_peer. */
bool lk_socket_diag_unix_peer(struct lk_socket_diag *d, uint64_t inode, uint64_t *peer_inode,
                              uint32_t *rx);

#endif
