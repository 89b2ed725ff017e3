/* A socket of the examined process and who has its other end. */
#ifndef LK_PROCESS_LINUX_SOCKET_PEER_H
#define LK_PROCESS_LINUX_SOCKET_PEER_H

#include "process/linux/kernel_reader.h"

/** Fills local, peer, peer_is, listening, accepted, queues and what else a socket has. */
void lk_socket_describe(struct lk_kernel_reader *r, int64_t fd, uint64_t inode,
                        struct lk_syscall_wait *ret);
/** Peer of a socket that is still connecting, from the address given to connect(2). */
void lk_socket_connecting(struct lk_kernel_reader *r, const void *sockaddr, size_t len,
                          struct lk_syscall_wait *ret);

enum lk_peer_is lk_socket_peer_is(enum lk_held held);
/** Names the process that has the other end. */
void lk_socket_peer_process(struct lk_kernel_reader *r, pid_t pid, struct lk_syscall_wait *ret);

#endif
