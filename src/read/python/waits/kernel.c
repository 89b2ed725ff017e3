/* What a thread waits for by the kernel's word, where nothing of Python says more. */
#include <string.h>

#include "read/python/waits/kernel.h"

#include "read/python/interpreter/interpreter.h"
#include "read/python/interpreter/thread_lookup.h"
#include "read/python/interpreter/value_stack.h"
#include "read/python/stdlib/socket.h"
#include "read/python/waits/lock_call.h"
#include "read/python/waits/resolve.h"

enum { MAX_CANDIDATES = 16 };

/* "socket.recv()" when the innermost frame calls a method of the very socket that the thread sleeps
 * on, else the system call. */
static const char *os_call(struct lk_py *py, const struct lk_syscall_wait *os, struct lk_ref thread)
{
    const struct lk_pyframes *frames = lk_py_frames_of_thread(py, thread.index);
    struct lk_pypending c[MAX_CANDIDATES];
    bool socket = (os->on == LK_OS_SOCKET || os->on == LK_OS_SELECTOR) && os->fd != LK_UNKNOWN;
    size_t n = socket && frames && frames->n
                   ? lk_py_pending_candidates(py, &frames->v[0], c, MAX_CANDIDATES)
                   : 0;

    for (size_t i = 0; i < n; i++)
        if (lk_py_socket_fd(py, c[i].self) == os->fd)
            return lk_arena_printf(py->s->arena, "socket.%s()",
                                   /* socket.accept calls _accept */
                                   c[i].method + (c[i].method[0] == '_'));
    return os->syscall ? lk_arena_printf(py->s->arena, "%s()", os->syscall) : NULL;
}

static void wait_in_io(struct lk_py *py, const struct lk_syscall_wait *os, struct lk_wait *w)
{
    lk_wait_on(py, w, LK_WAIT_IO, lk_py_peer_of_syscall(py, os), false);
    struct lk_extern *e = w->on.n ? lk_extern_at(py->s, w->on.v[0]) : NULL;
    if (!e || os->on != LK_OS_PIPE || os->peer_pid <= 0)
        return;
    const char *fills = lk_process_child_fills(py->t, os->peer_pid, py->s->arena);
    if (fills && (!e->text || strcmp(fills, e->text) != 0))
        e->fills = fills;
}

/* The loop whose own descriptor this thread polls (one that polls in C has no frame to tell). */
static struct lk_ref polled_loop(struct lk_py *py, const struct lk_syscall_wait *os,
                                 struct lk_ref thread)
{
    const struct lk_thread *t = lk_thread_at(py->s, thread);
    for (size_t i = 0; i < t->n_frame_loops; i++) {
        const struct lk_loop *o = lk_loop_at(py->s, t->frame_loops[i]);
        if (o && os->fd != LK_UNKNOWN && o->epoll_fd == os->fd)
            return t->frame_loops[i];
    }
    return lk_ref_make(LK_KIND_NONE, 0);
}

static void wait_in_selector(struct lk_py *py, const struct lk_syscall_wait *os,
                             struct lk_ref thread, struct lk_wait *w)
{
    struct lk_ref loop = polled_loop(py, os, thread);
    if (loop.kind == LK_KIND_LOOP) {
        w->call = "loop idle";
        lk_wait_on(py, w, LK_WAIT_SELECTOR, loop, false);
        return;
    }
    const char *text = os->peer ? os->peer : os->local;
    if (os->listening && os->local)
        text = lk_arena_printf(py->s->arena, "connections to %s", os->local);
    else if (!text && os->fds.n)
        text = lk_arena_printf(py->s->arena,
                               os->fds.n == 1 ? "file descriptor %lld"
                                              : "file descriptor %lld and others",
                               (long long)os->fds.v[0]);
    lk_wait_on_extern(py, w, LK_WAIT_IO, LK_EXT_OUTSIDE, text ? text : "file descriptors",
                      LK_UNKNOWN);
}

/* Other code sleeps, too: ctypes, an extension, perhaps with the GIL. */
static bool in_time_sleep(struct lk_py *py, struct lk_ref thread)
{
    const struct lk_pyframes *frames = lk_py_frames_of_thread(py, thread.index);
    return frames && frames->n && lk_py_calls_builtin(py, &frames->v[0], "sleep");
}

void lk_wait_in_kernel(struct lk_py *py, const struct lk_syscall_wait *os, struct lk_ref thread,
                       struct lk_wait *w)
{
    const struct lk_thread *t = lk_thread_at(py->s, thread);
    if (!w->call)
        w->call = os_call(py, os, thread);
    if (os->listening)
        w->traits |= LK_WAIT_LISTENS;
    switch (os->on) {
    case LK_OS_SOCKET:
    case LK_OS_PIPE:
    case LK_OS_FILE:
    case LK_OS_EVENTFD: wait_in_io(py, os, w); break;
    case LK_OS_CHILD: lk_wait_on_pid(py, w, os->child_pid); break;
    case LK_OS_TIMER:
        if (in_time_sleep(py, thread))
            w->call = "time.sleep()";
        lk_wait_on_extern(py, w, LK_WAIT_SLEEP, LK_EXT_TIMER, "timer",
                          os->timeout_ms == LK_FOREVER ? LK_UNKNOWN : os->timeout_ms);
        break;
    case LK_OS_SELECTOR: wait_in_selector(py, os, thread, w); break;
    case LK_OS_SIGNAL: w->kind = LK_WAIT_SIGNAL; break;
    case LK_OS_NONE:
        w->kind = t->running || t->kstate == 'R' ? LK_WAIT_NONE : LK_WAIT_UNKNOWN;
        break;
    default: w->kind = LK_WAIT_UNKNOWN; break;
    }
}
