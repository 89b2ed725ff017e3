/*
 * Twisted's reactors (twisted/internet/base.py ReactorBase, 22.4 - 26.10), but for the one that
 * runs on asyncio's loop, which is that loop's. threadCallQueue keeps what other threads want to be
 * called until a whole round of it is done; _pendingTimedCalls and _newTimedCalls are the timers.
 * The epoll reactor waits in its _poller; the others in a call that names no descriptor of theirs.
 * What a Deferred waits for is not read.
 */
#include "read/loops/twisted/reactor.h"

#include "read/python/interpreter/attribute.h"
#include "read/python/interpreter/code.h"
#include "read/python/interpreter/container.h"
#include "read/python/interpreter/frame.h"
#include "read/python/interpreter/scalar.h"
#include "read/python/interpreter/type.h"
#include "read/python/stdlib/socket.h"

static int64_t length_of(struct lk_py *py, lk_addr obj, const char *attr)
{
    lk_addr v = lk_py_attr(py, obj, attr);
    return v ? lk_py_len(py, v) : -1;
}

static void read_poller(struct lk_py *py, lk_addr reactor, struct lk_loop *o)
{
    o->epoll_fd = lk_py_epoll_fd(py, lk_py_attr(py, reactor, "_poller"));
    int64_t n = length_of(py, reactor, "_reads");
    if (n >= 0) /* one is its own, by which other threads wake it */
        o->watched_fds = LK_MAX(n - 1, (int64_t)0);
}

void lk_twisted_read_reactor(struct lk_py *py, lk_addr reactor, struct lk_ref ref)
{
    struct lk_loop *o = lk_loop_at(py->s, ref);
    int64_t ready = length_of(py, reactor, "threadCallQueue"),
            pending = length_of(py, reactor, "_pendingTimedCalls"),
            fresh = length_of(py, reactor, "_newTimedCalls");
    o->closed = o->stopping = LK_NO;
    if (lk_py_bool(py, lk_py_attr(py, reactor, "_started")) != LK_YES)
        o->run = LK_LOOP_STOPPED;
    if (ready >= 0)
        o->ready = ready;
    if (pending >= 0 && fresh >= 0)
        o->timers = pending + fresh;
    o->timers_unread = o->timers != 0; /* what they call is not looked at */
    read_poller(py, reactor, o);
}

void lk_twisted_read_current(struct lk_py *py, struct lk_ref loop, const struct lk_pyf *f)
{
    const struct lk_pycode *c = lk_py_code(py, f->code);
    struct lk_loop *o = lk_loop_at(py->s, loop);
    int64_t made;
    if (!c || strcmp(c->code->function, "runUntilCurrent") != 0 ||
        !lk_py_int(py, lk_py_local(py, f, "count"), &made) || made < 0 || made >= o->ready)
        return;
    o->ready -= made + 1; /* and the one that it makes now */
}
