/*
 * A library's loop is known by its function on the stack, which the dynamic symbols of a stripped
 * library have too (uv_run, libuv 1.x; event_base_loop, libevent 2.x; ev_run, libev 4.x;
 * g_main_loop_run, GLib 2; QEventLoop::exec, Qt 5 and 6; scheduler::run, Asio, which is linked into
 * the program as headers are; sd_event_run, systemd). What stands inside of it is the library's
 * own, or else a callback. The loop object is not read: what waits in its queues is not known.
 */
#include "read/loops/native/native_loops.h"

#include <string.h>

#include "snapshot/builder.h"
#include "util/map.h"
#include "util/text.h"

struct row {
    const char *kind, *function;
    const char
        *own[2]; /* beginnings of its own functions' names, where it is linked in statically */
    const char *offload;
    bool calls_poll; /* its wait may be a function of the program */
    size_t poll_at;  /* which stands so many frames inside of the loop's function; 0: in no place */
    /* threads that run it wait for their turn, too; then a part of the name of the function that
     * calls callbacks, into which these may have been inlined. NULL: they do not */
    const char *parks;
};

static const char of_glib[] = "g_task_run_in_thread()",
                  of_qt[] = "a QThread, or QtConcurrent::run()",
                  of_asio[] = "post to an asio::thread_pool",
                  of_libevent[] = "a thread of its own that hands back by event_active()",
                  of_libev[] = "a thread of its own that hands back by ev_async_send()",
                  of_systemd[] = "a thread or process of its own";

static const char of_asio_calls[] = "::do_complete(";

static const struct row rows[] = {
    { "libuv", "uv_run", .own = { "uv_" }, .offload = "uv_queue_work()" },
    { "libevent", "event_base_loop", .own = { "event_", "ev" }, .offload = of_libevent },
    { "libev", "ev_run", .own = { "ev_" }, .offload = of_libev },
    { "GLib", "g_main_loop_run", .own = { "g_" }, .offload = of_glib, .calls_poll = true,
      .poll_at = 2 },
    { "GLib", "g_main_context_iteration", .own = { "g_" }, .offload = of_glib, .calls_poll = true,
      .poll_at = 2 },
    { "GLib", "g_main_context_dispatch", .own = { "g_" }, .offload = of_glib, .calls_poll = true },
    { "Qt", "QEventLoop::exec", .own = { "Q" }, .offload = of_qt },
    { "Qt", "QEventLoop::processEvents", .own = { "Q" }, .offload = of_qt },
    { "Asio", "boost::asio::detail::scheduler::run", .own = { "boost::asio::", "std::" },
      .offload = of_asio, .parks = of_asio_calls },
    { "Asio", "boost::asio::io_context::run", .own = { "boost::asio::", "std::" },
      .offload = of_asio, .parks = of_asio_calls },
    { "Asio", "asio::detail::scheduler::run", .own = { "asio::", "std::" }, .offload = of_asio,
      .parks = of_asio_calls },
    { "Asio", "asio::io_context::run", .own = { "asio::", "std::" }, .offload = of_asio,
      .parks = of_asio_calls },
    { "sd-event", "sd_event_loop", .own = { "sd_" }, .offload = of_systemd },
    { "sd-event", "sd_event_run", .own = { "sd_" }, .offload = of_systemd },
    { "sd-event", "sd_event_dispatch", .own = { "sd_" }, .offload = of_systemd },
};

/* Its demangled name has arguments behind it. */
static bool is_called(const struct lk_natframe *f, const char *function)
{
    const size_t n = strlen(function);
    return f->function && strncmp(f->function, function, n) == 0 &&
           (f->function[n] == '\0' || f->function[n] == '(');
}

static const struct row *row_of(const struct lk_natframe *f)
{
    for (size_t i = 0; i < LK_ARRAY_LEN(rows); i++)
        if (is_called(f, rows[i].function))
            return &rows[i];
    return NULL;
}

/* A sanitizer's function stands between a call and the C library's. */
static bool is_interceptor(const struct lk_natframe *f)
{
    static const char *const modules[] = { "libasan.so", "libtsan.so", "libubsan.so", "liblsan.so",
                                           "libclang_rt." };
    for (size_t i = 0; f->module && i < LK_ARRAY_LEN(modules); i++)
        if (lk_starts_with(f->module, modules[i]))
            return true;
    return f->function && lk_starts_with(f->function, "__interceptor_");
}

/* The demangled name of a template's function has its type before it. */
static bool begins(const char *function, const char *name)
{
    const size_t n = strcspn(function, " (<");
    return lk_starts_with(function, name) ||
           (function[n] == ' ' && lk_starts_with(function + n + 1, name));
}

/* Whether a frame inside of the loop's function is the library's own: LK_TRI_UNKNOWN where it is
 * part of the program, and has no name. */
static enum lk_tri is_own(const struct lk_snapshot *s, const struct row *r,
                          const struct lk_natframe *loop, const struct lk_natframe *f)
{
    const bool same =
        f->module_path && loop->module_path && strcmp(f->module_path, loop->module_path) == 0;
    if (f->system || is_interceptor(f))
        return LK_YES;
    if (!same)
        return LK_NO;
    if (!s->exe || strcmp(loop->module_path, s->exe) != 0)
        return LK_YES;
    if (!f->function)
        return LK_TRI_UNKNOWN;
    for (size_t i = 0; i < LK_ARRAY_LEN(r->own); i++)
        if (r->own[i] && begins(f->function, r->own[i]))
            return r->parks && strstr(f->function, r->parks) ? LK_NO : LK_YES;
    return LK_NO;
}

static bool is_in_selector(const struct lk_thread *t)
{
    return t->os.on == LK_OS_SELECTOR || t->wait.kind == LK_WAIT_SELECTOR ||
           (t->os.syscall &&
            (lk_starts_with(t->os.syscall, "poll") || lk_starts_with(t->os.syscall, "ppoll") ||
             lk_starts_with(t->os.syscall, "epoll_") || strstr(t->os.syscall, "select")));
}

/* The thread is in the loop's own wait, or in a callback (LK_NO). */
static enum lk_tri idles(const struct lk_snapshot *s, const struct lk_thread *t,
                         const struct row *r, size_t loop)
{
    const struct lk_natframe *v = t->native_stack->frames;
    enum lk_tri own = LK_YES;
    size_t called = 0; /* by the library: the outermost one that is not its own */
    for (size_t i = 0; i < loop; i++) {
        const enum lk_tri one = is_own(s, r, &v[loop], &v[i]);
        own = one == LK_YES || own == LK_NO ? own : one;
        called = one == LK_NO ? i : called;
    }
    if (own == LK_NO)
        return r->calls_poll && (loop - called <= r->poll_at || is_in_selector(t)) ? LK_TRI_UNKNOWN
                                                                                   : LK_NO;
    return own == LK_YES && (r->parks || is_in_selector(t)) ? LK_YES : LK_TRI_UNKNOWN;
}

static void enter(struct lk_snapshot *s, size_t index, const struct row *r, size_t frame)
{
    const struct lk_thread *t = &s->threads.v[index];
    /* it has no address that is known: the thread stands for it */
    const lk_addr id = lk_hash_u64(lk_hash_str(LK_HASH_INIT, "native loop"), (uint64_t)t->tid);
    struct lk_ref loop = lk_snapshot_loop(s, id, NULL);
    struct lk_loop *o = lk_loop_at(s, loop);
    o->kind = r->kind;
    o->kind_id = lk_hash_str(LK_HASH_INIT, r->kind);
    o->offload = r->offload;
    o->cancels = NULL;
    o->driven_in_python = false;
    o->alone = o->native = true;
    o->thread = lk_ref_make(LK_KIND_THREAD, index);
    o->run = LK_LOOP_RUNNING;
    o->read = t->read;
    o->shared = r->parks != NULL;
    o->in_own_selector = idles(s, t, r, frame);
}

/* Of several threads that run one loop a free one takes what comes while another one is in a
 * callback: whether it is the same loop is not known. */
static void doubt_shared(struct lk_snapshot *s)
{
    for (size_t i = 0; i < s->loops.n; i++) {
        struct lk_loop *o = &s->loops.v[i];
        for (size_t k = 0; o->shared && o->in_own_selector == LK_NO && k < s->loops.n; k++)
            if (s->loops.v[k].kind_id == o->kind_id && s->loops.v[k].in_own_selector == LK_YES)
                o->in_own_selector = LK_TRI_UNKNOWN;
    }
}

static bool reads(enum lk_runtime r)
{
    return r == LK_RUNTIME_NATIVE || r == LK_RUNTIME_PYTHON || r == LK_RUNTIME_UNKNOWN;
}

void lk_read_native_loops(struct lk_snapshot *s)
{
    for (size_t i = 0; reads(s->runtime) && i < s->threads.n; i++) {
        const struct lk_thread *t = &s->threads.v[i];
        const struct lk_natstack *st = t->native_stack;
        if (t->python || t->running)
            continue;
        for (size_t k = 0; st && k < st->n; k++) {
            const struct row *r = row_of(&st->frames[k]);
            if (r) {
                enter(s, i, r, k);
                break;
            }
        }
    }
    doubt_shared(s);
}
