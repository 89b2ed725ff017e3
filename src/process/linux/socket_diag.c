/*
 * Single questions about sockets by sock_diag(7) (net/ipv4/inet_diag.c, net/unix/diag.c), where the
 * process is in our own network namespace.
 */
#include "process/linux/socket_diag.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <string.h>
#include <unistd.h>

#include "process/linux/procfs.h"
#include "util/memory.h"

void lk_socket_diag_end(struct lk_socket_diag *d)
{
    lk_fd_close(d->fd);
}

static int diag_socket(struct lk_socket_diag *d)
{
    if (d->fd != -1)
        return d->fd;
    d->fd = -2;
    char ours[64], theirs[64];
    if (lk_procfs_link(ours, sizeof(ours), AT_FDCWD, "/proc/thread-self/ns/net") < 0 ||
        lk_procfs_link(theirs, sizeof(theirs), d->dir, "ns/net") < 0 || strcmp(ours, theirs) != 0)
        return d->fd;
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
    struct timeval patience = { .tv_usec = 100 * 1000 };
    if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) == 0)
        d->fd = lk_fd_hold(fd);
    else if (fd >= 0)
        close(fd);
    return d->fd;
}

/* One question, one answer, whose body has at least `least` bytes. NONE: the kernel says that there
 * is no such socket. */
struct diag_answer {
    union {
        struct nlmsghdr head;
        char bytes[2048];
    };
    size_t len;
};

static enum lk_diag_result diag_ask(struct lk_socket_diag *d, const void *request, size_t size,
                                    size_t least, struct diag_answer *ret)
{
    struct {
        struct nlmsghdr head;
        char body[128];
    } ask = { .head = { .nlmsg_len = (uint32_t)NLMSG_LENGTH(size),
                        .nlmsg_type = SOCK_DIAG_BY_FAMILY,
                        .nlmsg_flags = NLM_F_REQUEST } };
    int fd = diag_socket(d);
    if (fd < 0 || size > sizeof(ask.body))
        return LK_DIAG_UNAVAILABLE;
    memcpy(ask.body, request, size);
    if (send(fd, &ask, ask.head.nlmsg_len, 0) < 0)
        return LK_DIAG_UNAVAILABLE;
    ssize_t got = recv(fd, ret->bytes, sizeof(ret->bytes), 0);
    if (got < 0 || !NLMSG_OK(&ret->head, (size_t)got))
        return LK_DIAG_UNAVAILABLE;
    ret->len = ret->head.nlmsg_len;
    if (ret->head.nlmsg_type == NLMSG_ERROR) {
        struct nlmsgerr e = { 0 };
        memcpy(&e, ret->bytes + NLMSG_HDRLEN, LK_MIN(sizeof(e), ret->len - NLMSG_HDRLEN));
        /* else: no such module, not permitted */
        return e.error == -ENOENT ? LK_DIAG_NONE : LK_DIAG_UNAVAILABLE;
    }
    bool whole = ret->head.nlmsg_type == SOCK_DIAG_BY_FAMILY && ret->len >= NLMSG_LENGTH(least);
    return whole ? LK_DIAG_FOUND : LK_DIAG_UNAVAILABLE;
}

/* The value of an attribute behind `skip` bytes of fixed body, when it is there and holds a word.
 */
static bool diag_attribute(const struct diag_answer *answer, size_t skip, uint16_t type,
                           uint32_t *ret)
{
    size_t at = NLMSG_LENGTH(NLMSG_ALIGN(skip));
    while (at + NLA_HDRLEN <= answer->len) {
        struct nlattr attr;
        memcpy(&attr, answer->bytes + at, sizeof(attr));
        if (attr.nla_len < NLA_HDRLEN || attr.nla_len > answer->len - at)
            return false;
        if (attr.nla_type == type && attr.nla_len >= NLA_HDRLEN + sizeof(*ret)) {
            memcpy(ret, answer->bytes + at + NLA_HDRLEN, sizeof(*ret));
            return true;
        }
        at += NLA_ALIGN(attr.nla_len);
    }
    return false;
}

bool lk_socket_diag_unix_peer(struct lk_socket_diag *d, uint64_t inode, uint64_t *peer_inode,
                              uint32_t *rx)
{
    struct unix_diag_req ask = { .sdiag_family = AF_UNIX,
                                 .udiag_states = UINT32_MAX,
                                 .udiag_ino = (uint32_t)inode,
                                 .udiag_show = UDIAG_SHOW_PEER | UDIAG_SHOW_RQLEN,
                                 .udiag_cookie = { INET_DIAG_NOCOOKIE, INET_DIAG_NOCOOKIE } };
    struct diag_answer answer;
    uint32_t word;
    if (inode == 0 || inode > UINT32_MAX ||
        diag_ask(d, &ask, sizeof(ask), sizeof(struct unix_diag_msg), &answer) != LK_DIAG_FOUND)
        return false;
    if (peer_inode) {
        if (!diag_attribute(&answer, sizeof(struct unix_diag_msg), UNIX_DIAG_PEER, &word))
            return false;
        *peer_inode = word;
    }
    /* struct unix_diag_rqlen: the receive queue first */
    return !rx || diag_attribute(&answer, sizeof(struct unix_diag_msg), UNIX_DIAG_RQLEN, rx);
}

/* An end for inet_diag: IPv4 in the first word, ports in network order. */
static void diag_end(const struct lk_socket_end *end, bool v4, __be32 addr[4], __be16 *port)
{
    if (v4)
        memcpy(addr, end->addr.s6_addr + 12, 4);
    else
        memcpy(addr, end->addr.s6_addr, 16);
    *port = htons(end->port);
}

/* net/ipv4/inet_diag.c inet_diag_find_one_icsk */
enum lk_diag_result lk_socket_diag_inet(struct lk_socket_diag *d, enum lk_socket_proto proto,
                                        const struct lk_socket_end *local,
                                        const struct lk_socket_end *remote, struct lk_socket *ret)
{
    bool v4 = IN6_IS_ADDR_V4MAPPED(&local->addr);
    struct inet_diag_req_v2 ask = { .sdiag_family = v4 ? AF_INET : AF_INET6,
                                    .sdiag_protocol =
                                        proto == LK_SOCKET_TCP ? IPPROTO_TCP : IPPROTO_UDP,
                                    .idiag_states = UINT32_MAX,
                                    .id.idiag_cookie = { INET_DIAG_NOCOOKIE, INET_DIAG_NOCOOKIE } };
    struct diag_answer answer;
    struct inet_diag_msg msg;
    diag_end(local, v4, ask.id.idiag_src, &ask.id.idiag_sport);
    diag_end(remote, v4, ask.id.idiag_dst, &ask.id.idiag_dport);
    enum lk_diag_result result = diag_ask(d, &ask, sizeof(ask), sizeof(msg), &answer);
    if (result != LK_DIAG_FOUND)
        return result;
    memcpy(&msg, answer.bytes + NLMSG_HDRLEN, sizeof(msg));
    *ret = (struct lk_socket){ .inode = msg.idiag_inode,
                               .proto = proto,
                               .state = msg.idiag_state,
                               .listening = msg.idiag_state == LK_TCP_LISTEN,
                               .local = *local,
                               .remote = *remote,
                               .rx = msg.idiag_rqueue,
                               .tx = msg.idiag_wqueue };
    return LK_DIAG_FOUND;
}
