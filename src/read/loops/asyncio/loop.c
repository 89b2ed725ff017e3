/*
 * asyncio's own loops (Lib/asyncio/base_events.py, selector_events.py), and what every loop has
 * that keeps to their interface.
 */
#include "read/loops/asyncio/loop.h"

#include "read/loops/asyncio/ready_queue.h"
#include "read/python/interpreter/attribute.h"
#include "read/python/interpreter/container.h"
#include "read/python/interpreter/forked_threads.h"
#include "read/python/interpreter/interpreter.h"
#include "read/python/interpreter/scalar.h"
#include "read/python/interpreter/thread_lookup.h"
#include "read/python/interpreter/type.h"
#include "read/python/reader/mention.h"
#include "read/python/stdlib/socket.h"

static void read_selector(struct lk_py *py, lk_addr obj, struct lk_loop *o)
{
    lk_addr selector = lk_py_attr(py, obj, "_selector");
    if (!selector || lk_py_is_none(py, selector))
        return;
    o->epoll_fd = lk_py_epoll_fd(py, lk_py_attr(py, selector, "_selector"));
    int64_t n = lk_py_len(py, lk_py_attr(py, selector, "_fd_to_key"));
    if (n >= 0)
        o->watched_fds = n > 0 && o->wakeup_read_fd != LK_UNKNOWN ? n - 1 : n;
}

void lk_aio_set_run(struct lk_py *py, struct lk_loop *o)
{
    if (o->closed == LK_YES) {
        o->run = LK_LOOP_CLOSED;
        return;
    }
    if (o->thread_ident == 0) {
        o->run = o->closed == LK_NO ? LK_LOOP_STOPPED : LK_LOOP_UNKNOWN;
        return;
    }
    o->thread = lk_py_thread_by_ident(py, o->thread_ident);
    if (o->thread.kind == LK_KIND_THREAD)
        o->run = LK_LOOP_RUNNING;
    else
        o->run = lk_py_ident_may_live(py, o->thread_ident) ? LK_LOOP_UNKNOWN : LK_LOOP_LOST_IN_FORK;
}

void lk_aio_read_loop(struct lk_py *py, lk_addr obj, struct lk_ref ref)
{
    struct lk_loop *o = lk_loop_at(py->s, ref);
    int64_t ident;
    lk_addr thread_id = lk_py_attr(py, obj, "_thread_id");

    o->closed = lk_py_bool(py, lk_py_attr(py, obj, "_closed"));
    o->stopping = lk_py_bool(py, lk_py_attr(py, obj, "_stopping"));
    if (thread_id && lk_py_int(py, thread_id, &ident))
        o->thread_ident = (uint64_t)ident;
    o->wakeup_read_fd = lk_py_socket_fd(py, lk_py_attr(py, obj, "_ssock"));
    o->wakeup_write_fd = lk_py_socket_fd(py, lk_py_attr(py, obj, "_csock"));
    read_selector(py, obj, o);
    if (thread_id)
        lk_aio_set_run(py, o);
    lk_addr executor = lk_py_attr(py, obj, "_default_executor");
    if (executor && !lk_py_is_none(py, executor)) {
        struct lk_ref x = lk_py_executor(py, executor);
        lk_loop_at(py->s, ref)->executor = x;
    }
    lk_aio_read_ready(py, ref, lk_py_attr(py, obj, "_ready"), lk_aio_read_handle);
    bool all = lk_aio_read_timers(py, ref, lk_py_attr(py, obj, "_scheduled"), lk_aio_read_timer);
    lk_loop_at(py->s, ref)->timers_unread = !all;
}
