/*
 * The sockets of a network namespace, from /proc/PID/net/{tcp,tcp6,udp,udp6,unix}. A table is read
 * when it is first needed and once; it may hold 100,000 lines, so it is parsed while it is read and
 * TIME_WAIT is left out. Even an empty one costs the kernel milliseconds (it walks all its hash
 * buckets), so where the target shares our network namespace single questions go to sock_diag(7),
 * which answers in microseconds.
 *
 * IPv4 addresses are kept as v4-mapped IPv6 ones, so that a client on 127.0.0.1 and its server
 * behind a dual-stack
 * [::] listener find each other.
 */
#ifndef LK_PROCESS_LINUX_SOCKET_TABLE_H
#define LK_PROCESS_LINUX_SOCKET_TABLE_H

#include <netinet/in.h>
#include <sys/socket.h>

#include "util/base.h"

enum lk_socket_proto { LK_SOCKET_TCP, LK_SOCKET_UDP, LK_SOCKET_UNIX };

/* Socket states as in include/net/tcp_states.h. */
enum {
    LK_TCP_ESTABLISHED = 1,
    LK_TCP_SYN_SENT = 2,
    LK_TCP_SYN_RECV = 3,
    LK_TCP_TIME_WAIT = 6,
    LK_TCP_CLOSE_WAIT = 8,
    LK_TCP_LISTEN = 10
};

struct lk_socket_end {
    struct in6_addr addr;
    uint16_t port;
};

struct lk_socket {
    /* 0: belongs to no descriptor: not accepted yet, or already closed by its owner */
    uint64_t inode;
    enum lk_socket_proto proto;
    uint8_t state; /* TCP and UDP */
    bool listening;
    struct lk_socket_end local, remote;
    /* queues in bytes; rx of a listener: connections waiting for accept. TCP and UDP only */
    uint32_t rx, tx;
    /* unix sockets: raw, "@" first for the abstract namespace; NULL = unnamed */
    const char *path;
};

struct lk_socket_table;
/** dir: the folder that answers for a process, borrowed; -1 none. */
struct lk_socket_table *lk_socket_create(int dir);
void lk_socket_destroy(struct lk_socket_table *n);

/** By inode, in whatever table. NULL: not there, or its table is not readable. */
const struct lk_socket *lk_socket_find(struct lk_socket_table *n, uint64_t inode);
/**
 * The same without any table, by asking a duplicate of the descriptor: ends, state and queues of a
 * TCP or UDP socket. inode is left 0. False for others, and for one that is not connected yet.
 */
bool lk_socket_ask(int fd, struct lk_socket *ret);
/**
 * Milliseconds since data came or went on a TCP connection, by a duplicate of its descriptor
 * (tcp(7) TCP_INFO; acknowledgements and keep-alive probes are no data); LK_UNKNOWN for other
 * sockets.
 */
int64_t lk_socket_quiet_ms(int fd);
/**
 * The same connection seen from its other end. False when that is not in this namespace. TCP and
 * UDP only. What the kernel answers from its hash tables (sock_diag) may also be the listener for a
 * connection that is not there.
 */
bool lk_socket_reverse(struct lk_socket_table *n, const struct lk_socket *s, struct lk_socket *ret);
/**
 * Inode of one TCP socket that listens where the connected socket s has its local end, from the
 * kernel's hash tables; there may be more of them (SO_REUSEPORT). 0 for none. False when the kernel
 * cannot be asked.
 */
bool lk_socket_ask_listener(struct lk_socket_table *n, const struct lk_socket *s, uint64_t *inode);
/** The next TCP socket that listens at end, or at any address with that port; start with after =
 * NULL. */
const struct lk_socket *lk_socket_listener(struct lk_socket_table *n,
                                           const struct lk_socket_end *end,
                                           const struct lk_socket *after);
/** Connections that wait to be accepted at a listener's end and have brought bytes already; -1
 * where the table could not be read to its end. */
int64_t lk_socket_backlog_asks(struct lk_socket_table *n, const struct lk_socket_end *end);
/** The next unix socket that listens at path; start with after = NULL. */
const struct lk_socket *lk_socket_unix_listener(struct lk_socket_table *n, const char *path,
                                                const struct lk_socket *after);
/** False when a table could not be read or was too long: what was not found may exist. */
bool lk_socket_complete(const struct lk_socket_table *n);

/**
 * Asks the kernel (unix_diag) for a unix socket's peer and queues; only where the target shares our
 * network namespace, since the answer is about ours. Each of ret may be NULL. False: not known.
 */
bool lk_socket_unix_peer(struct lk_socket_table *n, uint64_t inode, uint64_t *peer_inode,
                         uint32_t *rx);

/** "127.0.0.1:80", "[::1]:80". Returns false (and "") for the unspecified address with port 0. */
#define LK_SOCKET_TEXT 64
bool lk_socket_text(const struct lk_socket_end *end, char ret[LK_SOCKET_TEXT]);
/** From a sockaddr of the target; false for other families than IPv4 and IPv6. */
bool lk_socket_end_from(const void *sockaddr, size_t len, struct lk_socket_end *ret);
/** 127.0.0.0/8 or ::1. */
bool lk_socket_is_loopback(const struct lk_socket_end *end);

#endif
