/*
 * Sockets three ways: the tables in /proc/PID/net (net/ipv4/tcp_ipv4.c get_tcp4_sock,
 * net/unix/af_unix.c unix_seq_show), single questions (socket_diag.c), and getsockopt(2) on a
 * duplicate (tcp(7), TCP_INFO).
 */
#include "process/linux/socket_table.h"

#include <arpa/inet.h>
#include <linux/sockios.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/un.h>
#include <unistd.h>

#include "process/linux/procfs.h"
#include "process/linux/socket_diag.h"
#include "util/map.h"
#include "util/vec.h"

#define MAX_SOCKETS (256u * 1024)
#define MAX_LINE    512u /* a unix path has at most 108 bytes */

/* In the order in which an inode is looked for: the cheap one first. */
static const struct {
    const char *file;
    enum lk_socket_proto proto;
    bool v6, optional; /* optional: not there without IPv6 */
} tables[] = {
    { "unix", LK_SOCKET_UNIX, false, false }, { "tcp", LK_SOCKET_TCP, false, false },
    { "tcp6", LK_SOCKET_TCP, true, true },    { "udp", LK_SOCKET_UDP, false, false },
    { "udp6", LK_SOCKET_UDP, true, true },
};

struct lk_socket_table {
    int dir;
    size_t loaded; /* tables read so far */
    bool incomplete;
    LK_VEC(struct lk_socket) v;
    LK_VEC(uint32_t) listeners;
    struct lk_map by_inode, by_ends; /* -> index */
    struct lk_arena *arena;          /* unix paths */
    struct lk_socket_diag diag;
    bool diag_tcp; /* it has answered a question about TCP */
};

struct lk_socket_table *lk_socket_create(int dir)
{
    struct lk_socket_table *n = lk_xcalloc(1, sizeof(*n));
    n->dir = dir;
    n->arena = lk_arena_create();
    n->diag = (struct lk_socket_diag){ .dir = dir, .fd = -1 };
    return n;
}

void lk_socket_destroy(struct lk_socket_table *n)
{
    if (!n)
        return;
    lk_socket_diag_end(&n->diag);
    lk_map_deinit(&n->by_inode);
    lk_map_deinit(&n->by_ends);
    lk_arena_destroy(n->arena);
    lk_free(n->listeners.v);
    lk_free(n->v.v);
    lk_free(n);
}

/* ---- parsing ------------------------------------------------------------------------- */

static bool parse_hex(const char **at, uint32_t *ret)
{
    uint32_t value = 0;
    const char *s = *at;
    int digits = 0;
    for (;; s++, digits++) {
        int d = *s >= '0' && *s <= '9'   ? *s - '0'
                : *s >= 'A' && *s <= 'F' ? *s - 'A' + 10
                : *s >= 'a' && *s <= 'f' ? *s - 'a' + 10
                                         : -1;
        if (d < 0 || digits == 8)
            break;
        value = value << 4 | (uint32_t)d;
    }
    *at = s;
    *ret = value;
    return digits > 0;
}

/* "0100007F:1F90": each 32-bit word of the address as the kernel's CPU loads it, so on a
 * little-endian one its bytes are in order. */
static bool parse_end(const char **at, bool v6, struct lk_socket_end *ret)
{
    uint32_t words[4] = { 0, 0, htonl(0xffff), 0 }, port;
    for (int i = v6 ? 0 : 3; i < 4; i++)
        if (!parse_hex(at, &words[i]))
            return false;
    if (*(*at)++ != ':' || !parse_hex(at, &port))
        return false;
    memcpy(&ret->addr, words, sizeof(ret->addr));
    ret->port = (uint16_t)port;
    return true;
}

static const char *skip_fields(const char *s, int count)
{
    while (count-- > 0) {
        s += strspn(s, " ");
        s += strcspn(s, " ");
    }
    return s + strspn(s, " ");
}

/* net/ipv4/tcp_ipv4.c get_tcp4_sock: "sl: local remote st tx:rx tr:when retrnsmt uid timeout inode
 * ..." */
static bool parse_inet(const char *line, bool v6, struct lk_socket *ret)
{
    const char *at = strchr(line, ':');
    uint32_t state;
    if (!at)
        return false;
    at++;
    at += strspn(at, " ");
    if (!parse_end(&at, v6, &ret->local))
        return false;
    at += strspn(at, " ");
    if (!parse_end(&at, v6, &ret->remote))
        return false;
    at += strspn(at, " ");
    if (!parse_hex(&at, &state))
        return false;
    at += strspn(at, " ");
    if (!parse_hex(&at, &ret->tx) || *at++ != ':' || !parse_hex(&at, &ret->rx))
        return false;
    ret->state = (uint8_t)state;
    ret->inode = strtoull(skip_fields(at, 4), NULL, 10);
    return true;
}

/* net/unix/af_unix.c unix_seq_show: "num: refcount protocol flags type st inode [path]" */
static bool parse_unix(struct lk_socket_table *n, const char *line, struct lk_socket *ret)
{
    const char *at = strchr(line, ':');
    uint32_t flags;
    if (!at)
        return false;
    at = skip_fields(at + 1, 2);
    if (!parse_hex(&at, &flags))
        return false;
    char *end;
    at = skip_fields(at, 2);
    ret->inode = strtoull(at, &end, 10);
    if (end == at)
        return false;
    ret->listening = (flags & 0x10000) != 0; /* __SO_ACCEPTCON, include/linux/net.h */
    if (*end == ' ')
        ret->path = lk_arena_strndup(n->arena, end + 1, strcspn(end + 1, "\n"));
    return true;
}

static uint64_t ends_key(enum lk_socket_proto proto, const struct lk_socket_end *local,
                         const struct lk_socket_end *remote)
{
    uint64_t h = lk_hash_u64(LK_HASH_INIT, proto);
    h = lk_hash(h, &local->addr, sizeof(local->addr));
    h = lk_hash_u64(h, local->port);
    h = lk_hash(h, &remote->addr, sizeof(remote->addr));
    return lk_hash_u64(h, remote->port);
}

static void add_socket(struct lk_socket_table *n, const struct lk_socket *s)
{
    uint32_t index = (uint32_t)n->v.n;
    *lk_vec_push(&n->v) = *s;
    if (s->inode)
        lk_map_put(&n->by_inode, s->inode, index);
    if (s->proto != LK_SOCKET_UNIX)
        lk_map_put(&n->by_ends, ends_key(s->proto, &s->local, &s->remote), index);
    if (s->listening)
        lk_vec_add(&n->listeners, index);
}

static void load_next(struct lk_socket_table *n)
{
    size_t t = n->loaded++;
    FILE *f = lk_procfs_open(n->dir, "net/%s", tables[t].file);
    if (!f) {
        n->incomplete |= !tables[t].optional;
        return;
    }
    char line[MAX_LINE];
    bool header = true, cut = false;
    while (fgets(line, sizeof(line), f)) {
        bool rest = cut; /* of a line that was longer than the buffer */
        cut = !strchr(line, '\n');
        struct lk_socket s = { .proto = tables[t].proto };
        bool ok = !rest && !header &&
                  (s.proto == LK_SOCKET_UNIX ? parse_unix(n, line, &s)
                                             : parse_inet(line, tables[t].v6, &s));
        header = false;
        if (!ok || (s.proto == LK_SOCKET_TCP && s.state == LK_TCP_TIME_WAIT))
            continue;
        if (n->v.n == MAX_SOCKETS) {
            n->incomplete = true;
            break;
        }
        if (s.proto == LK_SOCKET_TCP)
            s.listening = s.state == LK_TCP_LISTEN;
        add_socket(n, &s);
    }
    lk_procfs_close(f);
}

static void load_proto(struct lk_socket_table *n, enum lk_socket_proto proto)
{
    size_t last = 0;
    for (size_t t = 0; t < LK_ARRAY_LEN(tables); t++)
        if (tables[t].proto == proto)
            last = t;
    while (n->loaded <= last)
        load_next(n);
}

/* ---- looking up ---------------------------------------------------------------------- */

const struct lk_socket *lk_socket_find(struct lk_socket_table *n, uint64_t inode)
{
    uint64_t index;
    while (inode) {
        if (lk_map_get(&n->by_inode, inode, &index))
            return &n->v.v[index];
        if (n->loaded == LK_ARRAY_LEN(tables))
            break;
        load_next(n);
    }
    return NULL;
}

static bool same_end(const struct lk_socket_end *a, const struct lk_socket_end *b)
{
    return a->port == b->port && memcmp(&a->addr, &b->addr, sizeof(a->addr)) == 0;
}

static bool table_reverse(struct lk_socket_table *n, const struct lk_socket *s,
                          struct lk_socket *ret)
{
    load_proto(n, s->proto);
    uint64_t index;
    if (!lk_map_get(&n->by_ends, ends_key(s->proto, &s->remote, &s->local), &index))
        return false;
    *ret = n->v.v[index];
    return same_end(&ret->local, &s->remote) && same_end(&ret->remote, &s->local);
}

static bool is_any_address(const struct in6_addr *a)
{
    static const uint8_t v4_any[16] = { [10] = 0xff, [11] = 0xff };
    return IN6_IS_ADDR_UNSPECIFIED(a) || memcmp(a, v4_any, sizeof(v4_any)) == 0;
}

/* Position in listeners to go on from. */
static size_t listener_after(const struct lk_socket_table *n, const struct lk_socket *after)
{
    for (size_t i = 0; after && i < n->listeners.n; i++)
        if (&n->v.v[n->listeners.v[i]] == after)
            return i + 1;
    return 0;
}

const struct lk_socket *lk_socket_listener(struct lk_socket_table *n,
                                           const struct lk_socket_end *end,
                                           const struct lk_socket *after)
{
    const struct lk_socket_end copy = *end;
    if (!after)
        load_proto(n, LK_SOCKET_TCP);
    for (size_t i = listener_after(n, after); i < n->listeners.n; i++) {
        const struct lk_socket *s = &n->v.v[n->listeners.v[i]];
        if (s->proto == LK_SOCKET_TCP && s->local.port == copy.port &&
            (is_any_address(&s->local.addr) || same_end(&s->local, &copy)))
            return s;
    }
    return NULL;
}

/* Of no descriptor, and its client has not gone: it stands in the accept queue (net/ipv4/tcp_ipv4.c
 * get_tcp4_sock, sock_i_ino of a socket without a file is 0). */
int64_t lk_socket_backlog_asks(struct lk_socket_table *n, const struct lk_socket_end *end)
{
    int64_t asking = 0;
    load_proto(n, LK_SOCKET_TCP);
    for (size_t i = 0; i < n->v.n; i++) {
        const struct lk_socket *s = &n->v.v[i];
        asking += s->proto == LK_SOCKET_TCP && !s->inode && s->state == LK_TCP_ESTABLISHED &&
                  s->rx && s->local.port == end->port &&
                  (is_any_address(&end->addr) || same_end(&s->local, end));
    }
    return lk_socket_complete(n) ? asking : -1;
}

const struct lk_socket *lk_socket_unix_listener(struct lk_socket_table *n, const char *path,
                                                const struct lk_socket *after)
{
    if (!after)
        load_proto(n, LK_SOCKET_UNIX);
    for (size_t i = listener_after(n, after); i < n->listeners.n; i++) {
        const struct lk_socket *s = &n->v.v[n->listeners.v[i]];
        if (s->proto == LK_SOCKET_UNIX && s->path && strcmp(s->path, path) == 0)
            return s;
    }
    return NULL;
}

bool lk_socket_complete(const struct lk_socket_table *n)
{
    return !n->incomplete;
}

/* ---- single questions ----------------------------------------------------------------------- */

bool lk_socket_unix_peer(struct lk_socket_table *n, uint64_t inode, uint64_t *peer_inode,
                         uint32_t *rx)
{
    return lk_socket_diag_unix_peer(&n->diag, inode, peer_inode, rx);
}

/*
 * A kernel without tcp_diag says -ENOENT to everything, just as one that has it says for a socket
 * that does not exist. So its "none" counts only after it has found one that does exist.
 */
static bool diag_knows_tcp(struct lk_socket_table *n, const struct lk_socket *s)
{
    struct lk_socket self;
    if (s->proto != LK_SOCKET_TCP)
        return false;
    if (!n->diag_tcp)
        n->diag_tcp = lk_socket_diag_inet(&n->diag, LK_SOCKET_TCP, &s->local, &s->remote, &self) ==
                      LK_DIAG_FOUND;
    return n->diag_tcp;
}

bool lk_socket_reverse(struct lk_socket_table *n, const struct lk_socket *s, struct lk_socket *ret)
{
    if (s->proto == LK_SOCKET_UNIX || s->remote.port == 0)
        return false;
    const struct lk_socket copy = *s; /* loading may move the table */
    enum lk_diag_result result = LK_DIAG_UNAVAILABLE;
    if (diag_knows_tcp(n, &copy))
        result = lk_socket_diag_inet(&n->diag, LK_SOCKET_TCP, &copy.remote, &copy.local, ret);
    return result == LK_DIAG_UNAVAILABLE ? table_reverse(n, &copy, ret) : result == LK_DIAG_FOUND;
}

bool lk_socket_ask_listener(struct lk_socket_table *n, const struct lk_socket *s, uint64_t *inode)
{
    struct lk_socket_end nobody = { 0 };
    struct lk_socket found;
    if (!diag_knows_tcp(n, s))
        return false;
    if (IN6_IS_ADDR_V4MAPPED(&s->local.addr))
        nobody.addr.s6_addr[10] = nobody.addr.s6_addr[11] = 0xff;
    enum lk_diag_result result =
        lk_socket_diag_inet(&n->diag, LK_SOCKET_TCP, &s->local, &nobody, &found);
    *inode = result == LK_DIAG_FOUND && found.listening ? found.inode : 0;
    return result != LK_DIAG_UNAVAILABLE;
}

/* ---- duplicates ---------------------------------------------------------------------- */

static bool fd_option(int fd, int level, int name, int *ret)
{
    socklen_t len = sizeof(*ret);
    return getsockopt(fd, level, name, ret, &len) == 0 && len == sizeof(*ret);
}

static uint32_t fd_queue(int fd, unsigned long request)
{
    int bytes = 0;
    return ioctl(fd, request, &bytes) == 0 && bytes > 0 ? (uint32_t)bytes : 0;
}

bool lk_socket_ask(int fd, struct lk_socket *ret)
{
    int protocol, listening = 0;
    struct sockaddr_storage addr;
    socklen_t len = sizeof(addr);
    memset(ret, 0, sizeof(*ret));
    if (!fd_option(fd, SOL_SOCKET, SO_PROTOCOL, &protocol) ||
        (protocol != IPPROTO_TCP && protocol != IPPROTO_UDP))
        return false;
    ret->proto = protocol == IPPROTO_TCP ? LK_SOCKET_TCP : LK_SOCKET_UDP;
    if (getsockname(fd, (struct sockaddr *)&addr, &len) != 0 ||
        !lk_socket_end_from(&addr, len, &ret->local))
        return false;
    fd_option(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening);
    struct tcp_info info = { 0 };
    len = sizeof(info);
    bool have_info =
        ret->proto == LK_SOCKET_TCP && getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) == 0;
    ret->state = info.tcpi_state;
    ret->listening = listening;
    /* include/uapi/linux/tcp.h: of a listener, tcpi_unacked is the length of its accept queue */
    if (listening) {
        ret->rx = info.tcpi_unacked;
        return have_info;
    }
    len = sizeof(addr);
    bool connected = getpeername(fd, (struct sockaddr *)&addr, &len) == 0 &&
                     lk_socket_end_from(&addr, len, &ret->remote);
    ret->rx = fd_queue(fd, SIOCINQ);
    ret->tx = fd_queue(fd, SIOCOUTQ);
    return connected || ret->proto == LK_SOCKET_UDP;
}

int64_t lk_socket_quiet_ms(int fd)
{
    struct tcp_info info = { 0 };
    socklen_t len = sizeof(info);
    int protocol = 0;
    if (!fd_option(fd, SOL_SOCKET, SO_PROTOCOL, &protocol) || protocol != IPPROTO_TCP ||
        getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) != 0 ||
        len < offsetof(struct tcp_info, tcpi_last_ack_recv) ||
        (info.tcpi_state != LK_TCP_ESTABLISHED && info.tcpi_state != LK_TCP_CLOSE_WAIT))
        return INT64_MIN; /* LK_UNKNOWN */
    return LK_MIN(info.tcpi_last_data_sent, info.tcpi_last_data_recv);
}

/* ---- text ---------------------------------------------------------------------------- */

bool lk_socket_text(const struct lk_socket_end *end, char ret[LK_SOCKET_TEXT])
{
    char text[INET6_ADDRSTRLEN];
    ret[0] = '\0';
    if (end->port == 0 && is_any_address(&end->addr))
        return false;
    if (IN6_IS_ADDR_V4MAPPED(&end->addr)) {
        inet_ntop(AF_INET, end->addr.s6_addr + 12, text, sizeof(text));
        snprintf(ret, LK_SOCKET_TEXT, "%s:%u", text, end->port);
    } else {
        inet_ntop(AF_INET6, &end->addr, text, sizeof(text));
        snprintf(ret, LK_SOCKET_TEXT, "[%s]:%u", text, end->port);
    }
    return true;
}

bool lk_socket_end_from(const void *sockaddr, size_t len, struct lk_socket_end *ret)
{
    sa_family_t family;
    memset(ret, 0, sizeof(*ret));
    if (len < sizeof(family))
        return false;
    memcpy(&family, sockaddr, sizeof(family));
    if (family == AF_INET && len >= sizeof(struct sockaddr_in)) {
        struct sockaddr_in in;
        memcpy(&in, sockaddr, sizeof(in));
        ret->addr.s6_addr[10] = ret->addr.s6_addr[11] = 0xff;
        memcpy(ret->addr.s6_addr + 12, &in.sin_addr, 4);
        ret->port = ntohs(in.sin_port);
        return true;
    }
    if (family == AF_INET6 && len >= sizeof(struct sockaddr_in6) - sizeof(uint32_t)) {
        struct sockaddr_in6 in = { 0 };
        memcpy(&in, sockaddr, LK_MIN(len, sizeof(in)));
        ret->addr = in.sin6_addr;
        ret->port = ntohs(in.sin6_port);
        return true;
    }
    return false;
}

bool lk_socket_is_loopback(const struct lk_socket_end *end)
{
    if (IN6_IS_ADDR_V4MAPPED(&end->addr))
        return end->addr.s6_addr[12] == 127;
    return IN6_IS_ADDR_LOOPBACK(&end->addr);
}
