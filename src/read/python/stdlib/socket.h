/* Sockets: their descriptors, and the other end of a connection. */
#ifndef LK_READ_PYTHON_STDLIB_SOCKET_H
#define LK_READ_PYTHON_STDLIB_SOCKET_H

#include "read/python/interpreter/interpreter.h"

/** File descriptor at that address of a C object; LK_UNKNOWN when implausible. */
int64_t lk_py_fd_at(struct lk_py *py, lk_addr at);
/** Descriptor of a select.epoll; LK_UNKNOWN for what is none. */
int64_t lk_py_epoll_fd(struct lk_py *py, lk_addr obj);
/** File descriptor of a socket.socket; LK_UNKNOWN for anything else. */
int64_t lk_py_socket_fd(struct lk_py *py, lk_addr sock);
/** An object's own descriptor if it is a socket, else that of the first socket it holds. */
int64_t lk_py_connection_of(struct lk_py *py, lk_addr obj);
/** Descriptor of the connection that a queued work item is given to serve; LK_UNKNOWN. */
int64_t lk_py_item_connection(struct lk_py *py, lk_addr item);
/** Descriptor of an asyncio transport, below TLS; LK_UNKNOWN for anything else. */
int64_t lk_py_transport_fd(struct lk_py *py, lk_addr transport);
/** The transport that a stream or a protocol of asyncio reads from or writes to; 0. */
lk_addr lk_py_transport_of(struct lk_py *py, lk_addr protocol);
/** Who is at the other end, as an extern of the snapshot: of what a thread's system call waits on,
 * ... */
struct lk_ref lk_py_peer_of_syscall(struct lk_py *py, const struct lk_syscall_wait *os);
/** ... of an asyncio transport, ... */
struct lk_ref lk_py_peer_of_transport(struct lk_py *py, lk_addr transport);
/** ... of a socket.socket, ... */
struct lk_ref lk_py_peer_of_socket(struct lk_py *py, lk_addr sock);
/** ... of a descriptor, ... */
struct lk_ref lk_py_peer_of_fd(struct lk_py *py, int64_t fd);
/** ... and whoever connects to an asyncio.Server. */
struct lk_ref lk_py_peer_of_server(struct lk_py *py, lk_addr server);

#endif
