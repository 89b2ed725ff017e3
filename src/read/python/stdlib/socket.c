/* The other end of a connection: by the kernel's word where the descriptor is known, else by what
 * the transport says. */
#include "read/python/stdlib/socket.h"

#include "read/python/interpreter/attribute.h"
#include "read/python/interpreter/class.h"
#include "read/python/interpreter/container.h"
#include "read/python/interpreter/interpreter.h"
#include "read/python/interpreter/scalar.h"
#include "read/python/interpreter/type.h"
#include "read/python/reader/reader.h"

enum {
    MAX_FD = 1 << 20,
    MAX_ATTRS = 256, /* of one object */
    MAX_ARGS = 4,    /* of a work item */
    OBJ_FIRST = 16,  /* first field after PyObject_HEAD */
    MAX_ASKED = 256, /* descriptors of one sample about which the kernel is asked */
    MAX_WRAPPED = 4, /* transports inside of transports (TLS) */
};

/* File descriptor in a C object; LK_UNKNOWN when implausible. */
int64_t lk_py_fd_at(struct lk_py *py, lk_addr at)
{
    int32_t fd;
    if (!lk_read_i32(py->t, at, &fd) || fd < 0 || fd >= MAX_FD)
        return LK_UNKNOWN;
    return fd;
}

/* _socket.socket: sock_fd is its first field (Modules/socketmodule.h PySocketSockObject);
 * socket.socket derives from it. */
int64_t lk_py_socket_fd(struct lk_py *py, lk_addr sock)
{
    if (!sock || !lk_py_isinstance(py, sock, NULL, "socket"))
        return LK_UNKNOWN;
    return lk_py_fd_at(py, lk_py_field(py, sock, OBJ_FIRST));
}

/* pyEpoll_Object.epfd is its first field (Modules/selectmodule.c). */
int64_t lk_py_epoll_fd(struct lk_py *py, lk_addr obj)
{
    const struct lk_pytype *ty = obj ? lk_py_type(py, obj) : NULL;
    return ty && strcmp(ty->name, "select.epoll") == 0
               ? lk_py_fd_at(py, lk_py_field(py, obj, OBJ_FIRST))
               : LK_UNKNOWN;
}

static const char *fd_text(struct lk_py *py, int64_t fd)
{
    return lk_arena_printf(py->s->arena, "file descriptor %lld", (long long)fd);
}

struct lk_ref lk_py_peer_of_syscall(struct lk_py *py, const struct lk_syscall_wait *os)
{
    enum lk_extern_kind kind = LK_EXT_OUTSIDE;
    const char *text = os->peer;

    if (os->listening)
        text = os->local ? lk_arena_printf(py->s->arena, "connections to %s", os->local)
                         : "connections";
    else if (os->peer && os->peer_is == LK_PEER_SELF)
        kind = LK_EXT_SELF_LISTENER;
    else if (os->on == LK_OS_FILE)
        kind = LK_EXT_FILE;
    if (!os->listening && os->accepted && text)
        text = lk_arena_printf(py->s->arena, "client %s", text);
    if (!text)
        text = os->path ? os->path : os->local ? os->local : "";
    if (!*text && os->fd != LK_UNKNOWN)
        text = fd_text(py, os->fd);
    struct lk_ref ref = lk_snapshot_extern(py->s, kind, text, LK_UNKNOWN);
    lk_extern_at(py->s, ref)->client = os->listening || os->accepted;
    return ref;
}

/* What the descriptor is. */
static bool ask(struct lk_py *py, int64_t fd, struct lk_syscall_wait *ret)
{
    if (lk_reader(py)->peers.n >= MAX_ASKED || !lk_process_fd(py->t, fd, py->s->arena, ret))
        return false;
    return ret->on != LK_OS_OTHER && ret->on != LK_OS_NONE;
}

/* Tasks that wait on the same descriptor wait for the same party. */
static struct lk_ref peer_of_fd(struct lk_py *py, int64_t fd, const char *otherwise)
{
    struct lk_reader *a = lk_reader(py);
    struct lk_syscall_wait os = { .on = LK_OS_NONE };
    uint64_t index;

    if (fd == LK_UNKNOWN)
        return lk_snapshot_extern(py->s, *otherwise ? LK_EXT_OUTSIDE : LK_EXT_UNKNOWN, otherwise,
                                  LK_UNKNOWN);
    if (lk_map_get(&a->peers, (uint64_t)fd, &index))
        return lk_ref_make(LK_KIND_EXTERN, index);
    /* Who is there may be this very process: where nobody can be asked that is not known. */
    const enum lk_extern_kind kind =
        !*otherwise && lk_process_is_moment(py->t) ? LK_EXT_UNKNOWN : LK_EXT_OUTSIDE;
    if (!*otherwise)
        otherwise = fd_text(py, fd);
    struct lk_ref ref = ask(py, fd, &os) ? lk_py_peer_of_syscall(py, &os)
                                         : lk_snapshot_extern(py->s, kind, otherwise, LK_UNKNOWN);
    /* a pair of its own: any code that has the other end may write there */
    if (os.peer_is == LK_PEER_SELF && !os.peer)
        lk_extern_at(py->s, ref)->kind = LK_EXT_UNKNOWN;
    if (os.on == LK_OS_SOCKET) {
        struct lk_extern *e = lk_extern_at(py->s, ref);
        e->local = os.local;
        e->quiet_ms = lk_process_quiet_ms(py->t, fd);
    }
    lk_map_put(&a->peers, (uint64_t)fd, ref.index);
    return ref;
}

/* ---- what the program's own objects say -------------------------------------------------- */

/* "10.0.0.7:5432" of a socket address as Python has it; a unix socket's path. */
static const char *address_text(struct lk_py *py, lk_addr address)
{
    int64_t port;
    if (lk_py_kind(py, address) == LK_PYK_TUPLE) {
        const char *host = lk_py_str(py, lk_py_item(py, address, 0));
        if (host && lk_py_int(py, lk_py_item(py, address, 1), &port))
            return lk_arena_printf(py->s->arena, strchr(host, ':') ? "[%s]:%lld" : "%s:%lld", host,
                                   (long long)port);
    }
    const char *path = address ? lk_py_str(py, address) : NULL;
    return path ? path : "";
}

static int64_t fd_attr(struct lk_py *py, lk_addr obj, const char *name)
{
    int64_t fd;
    lk_addr v = lk_py_attr(py, obj, name);
    return v && lk_py_int(py, v, &fd) && fd >= 0 && fd <= INT32_MAX ? fd : LK_UNKNOWN;
}

/* The transport that has the descriptor: TLS stands over it (asyncio/sslproto.py). */
static lk_addr unwrapped(struct lk_py *py, lk_addr transport)
{
    for (int i = 0; transport && i < MAX_WRAPPED; i++) {
        lk_addr tls = lk_py_attr(py, transport, "_ssl_protocol");
        lk_addr inner = tls ? lk_py_attr(py, tls, "_transport") : 0;
        if (!inner || lk_py_is_none(py, inner))
            break;
        transport = inner;
    }
    return transport;
}

/* selector_events.py _SelectorTransport; unix_events.py pipe transports */
static int64_t fd_of(struct lk_py *py, lk_addr transport)
{
    int64_t fd = transport ? fd_attr(py, transport, "_sock_fd") : LK_UNKNOWN;
    if (fd == LK_UNKNOWN && transport)
        fd = fd_attr(py, transport, "_fileno");
    if (fd == LK_UNKNOWN && transport)
        fd = lk_reader(py)->transport_fd(py, transport);
    return fd;
}

int64_t lk_py_transport_fd(struct lk_py *py, lk_addr wrapper)
{
    return fd_of(py, unwrapped(py, wrapper));
}

/* A process's own transport has no descriptor, but a pipe for each of its streams; who drains waits
 * for its input (asyncio/subprocess.py SubprocessStreamProtocol.stdin, uvloop alike). */
lk_addr lk_py_transport_of(struct lk_py *py, lk_addr protocol)
{
    lk_addr transport = lk_py_attr(py, protocol, "_transport");
    if (lk_py_transport_fd(py, transport) != LK_UNKNOWN)
        return transport;
    lk_addr input = lk_py_attr(py, protocol, "stdin");
    lk_addr pipe = input ? lk_py_attr(py, input, "_transport") : 0;
    return pipe ? pipe : transport;
}

/* By a server's listener: selector_events.py _SelectorTransport. */
static bool is_accepted(struct lk_py *py, lk_addr transport)
{
    const lk_addr server = transport ? lk_py_attr(py, transport, "_server") : 0;
    return server && !lk_py_is_none(py, server);
}

struct lk_ref lk_py_peer_of_transport(struct lk_py *py, lk_addr wrapper)
{
    lk_addr transport = unwrapped(py, wrapper);
    lk_addr extra = transport ? lk_py_attr(py, transport, "_extra") : 0;
    const char *name = address_text(py, extra ? lk_py_dict_get(py, extra, "peername") : 0);
    struct lk_ref ref = peer_of_fd(py, fd_of(py, transport), name);
    if (lk_process_is_moment(py->t) && is_accepted(py, transport)) {
        struct lk_extern *e = lk_extern_at(py->s, ref);
        e->kind = LK_EXT_OUTSIDE;
        e->client = true;
    }
    return ref;
}

struct lk_ref lk_py_peer_of_socket(struct lk_py *py, lk_addr sock)
{
    return peer_of_fd(py, lk_py_socket_fd(py, sock), "");
}

struct lk_ref lk_py_peer_of_fd(struct lk_py *py, int64_t fd)
{
    return peer_of_fd(py, fd, "");
}

struct lk_ref lk_py_peer_of_server(struct lk_py *py, lk_addr server)
{
    size_t n = 0;
    lk_addr list = lk_py_attr(py, server, "_sockets");
    lk_addr *sockets = list ? lk_py_items(py, list, 1, &n) : NULL;
    int64_t fd = sockets && n ? lk_py_socket_fd(py, sockets[0]) : LK_UNKNOWN;
    return peer_of_fd(py, fd, "connections");
}

/* ---- which connection an item serves ----------------------------------------------------- */

struct finder {
    int64_t fd;
    unsigned left;
};

static bool is_socket(struct lk_py *py, lk_addr key, lk_addr value, void *arg)
{
    struct finder *x = arg;
    (void)key;
    x->fd = lk_py_socket_fd(py, value);
    return x->fd == LK_UNKNOWN && --x->left > 0;
}

/* An object's own descriptor if it is a socket, else that of the first socket it holds (gunicorn's
 * TConn.sock, waitress's channel). */
int64_t lk_py_connection_of(struct lk_py *py, lk_addr obj)
{
    struct finder x = { .fd = lk_py_socket_fd(py, obj), .left = MAX_ATTRS };
    if (x.fd == LK_UNKNOWN && obj)
        lk_py_attr_each(py, obj, is_socket, &x);
    return x.fd;
}

int64_t lk_py_item_connection(struct lk_py *py, lk_addr item)
{
    lk_addr args = lk_py_attr(py, item, "args");
    if (!args) /* from 3.14: task = (fn, args, kwargs) */
        args = lk_py_item(py, lk_py_attr(py, item, "task"), 1);
    int64_t n = args ? LK_MIN(lk_py_len(py, args), (int64_t)MAX_ARGS) : 0, fd = LK_UNKNOWN;
    for (int64_t i = 0; i < n && fd == LK_UNKNOWN; i++)
        fd = lk_py_connection_of(py, lk_py_item(py, args, (size_t)i));
    return fd;
}
