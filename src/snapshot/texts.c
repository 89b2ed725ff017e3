/*
 * Tables of the places where such texts stand, one a type. Words of our own (kinds, states, names
 * of system calls) and ids are none, nor what is not shown (folders of the standard library).
 */
#include "snapshot/texts.h"

#include "util/map.h"

struct row {
    size_t at;
    enum lk_text_kind kind;
};
struct table {
    const struct row *rows;
    size_t n;
};

#define NAME(type, member)                                                                         \
    {                                                                                              \
        offsetof(struct type, member), LK_TEXT_NAME                                                \
    }
#define SENTENCE(type, member)                                                                     \
    {                                                                                              \
        offsetof(struct type, member), LK_TEXT_SENTENCE                                            \
    }
#define SOURCE(type, member)                                                                       \
    {                                                                                              \
        offsetof(struct type, member), LK_TEXT_SOURCE                                              \
    }
#define TABLE(name, ...)                                                                           \
    static const struct row name##_rows[] = { __VA_ARGS__ };                                       \
    static const struct table name = { name##_rows, LK_ARRAY_LEN(name##_rows) }

TABLE(process, NAME(lk_snapshot, comm), NAME(lk_snapshot, exe), NAME(lk_snapshot, host),
      NAME(lk_snapshot, container), NAME(lk_snapshot, unit), NAME(lk_snapshot, around.kernel),
      NAME(lk_snapshot, cwd), NAME(lk_snapshot, test_env), NAME(lk_snapshot, unit_test.group),
      NAME(lk_snapshot, unit_test.name), NAME(lk_snapshot, stop.tracer_comm),
      NAME(lk_snapshot, stop.d_where), SENTENCE(lk_snapshot, withheld),
      SENTENCE(lk_snapshot, stood_still_in), SENTENCE(lk_snapshot, decisive_why),
      SENTENCE(lk_snapshot, python.why_not));
TABLE(module, NAME(lk_module_version, name), NAME(lk_module_version, version));
TABLE(child, NAME(lk_child, comm));
TABLE(limit, SENTENCE(lk_limit, text));
TABLE(thread, NAME(lk_thread, name), NAME(lk_thread, interrupted_by), NAME(lk_thread, comm),
      NAME(lk_thread, wait.call), NAME(lk_thread, callees[0]), NAME(lk_thread, callees[1]),
      NAME(lk_thread, callees[2]), NAME(lk_thread, callees[3]), NAME(lk_thread, os.local),
      NAME(lk_thread, os.peer), NAME(lk_thread, os.path), NAME(lk_thread, os.peer_comm),
      NAME(lk_thread, os.lock_holder));
TABLE(task, NAME(lk_task, name), NAME(lk_task, coroutine), NAME(lk_task, wait.call));
TABLE(loop, NAME(lk_loop, cls), NAME(lk_loop, origin));
TABLE(handle, NAME(lk_handle, callback));
TABLE(future, NAME(lk_future, cls));
TABLE(lock, NAME(lk_lock, kind), NAME(lk_lock, name));
TABLE(executor, NAME(lk_executor, kind));
TABLE(item, NAME(lk_item, function));
TABLE(outside, NAME(lk_extern, text), NAME(lk_extern, local), NAME(lk_extern, fills));
TABLE(cross_wait, SENTENCE(lk_cross_wait, what), SENTENCE(lk_cross_wait, waits),
      SENTENCE(lk_cross_wait, awaits), SENTENCE(lk_cross_wait, finding));
TABLE(listener, NAME(lk_listener, address));
TABLE(sharer, NAME(lk_sharer, comm));
TABLE(connection, NAME(lk_own_connection, local), NAME(lk_own_connection, peer));
TABLE(at_hand, NAME(lk_at_hand, callback), SENTENCE(lk_at_hand, when));
TABLE(code, NAME(lk_code, function), NAME(lk_code, qualname), NAME(lk_code, file),
      NAME(lk_code, call));
TABLE(frame, SOURCE(lk_pyframe, source));
TABLE(context, SOURCE(lk_source_context, before), SOURCE(lk_source_context, at),
      SOURCE(lk_source_context, after));
TABLE(local, NAME(lk_local, name), NAME(lk_local, value));
TABLE(native, NAME(lk_natframe, function), NAME(lk_natframe, module),
      NAME(lk_natframe, module_path), NAME(lk_natframe, file), SOURCE(lk_natframe, source));

struct walk {
    lk_text_fn fn;
    void *arg;
    struct lk_map seen; /* stacks and code, which many share */
};

/* Column by column: many neighbours share a text. */
static void tell_list(struct walk *w, const struct table *t, void *v, size_t n, size_t size)
{
    for (size_t row = 0; row < t->n; row++)
        for (size_t i = 0; i < n; i++) {
            const char **at = (const char **)(void *)((char *)v + i * size + t->rows[row].at);
            if (*at)
                w->fn(at, t->rows[row].kind, w->arg);
        }
}

static void tell(struct walk *w, const struct table *t, void *of)
{
    tell_list(w, t, of, 1, 0);
}

#define TELL_ALL(w, table, list) tell_list(w, &(table), (list).v, (list).n, sizeof *(list).v)

static bool is_new(struct walk *w, const void *what)
{
    return what && lk_map_add(&w->seen, (uintptr_t)what, 0);
}

/* ---- frames ---------------------------------------------------------------------------------- */

static void tell_frame(struct walk *w, struct lk_pyframe *f)
{
    if (is_new(w, f->code))
        tell(w, &code, (void *)f->code);
    tell(w, &frame, f);
    if (f->context)
        tell(w, &context, f->context);
    for (size_t i = 0; f->locals && i < f->locals->n; i++)
        tell(w, &local, &f->locals->v[i]);
}

static void tell_stack(struct walk *w, struct lk_pystack *st)
{
    const uint32_t n = is_new(w, st) ? st->n : 0;
    for (uint32_t i = 0; i < n; i++)
        tell_frame(w, &st->frames[i]);
}

static void tell_native(struct walk *w, struct lk_natstack *st)
{
    const uint32_t n = is_new(w, st) ? st->n : 0;
    for (uint32_t i = 0; i < n; i++)
        tell(w, &native, &st->frames[i]);
}

static void tell_handles(struct walk *w, struct lk_handle *v, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        tell(w, &handle, &v[i]);
        if (is_new(w, v[i].frame))
            tell_frame(w, v[i].frame);
    }
}

/* ---- entities -------------------------------------------------------------------------------- */

static void tell_entities(struct walk *w, struct lk_snapshot *s)
{
    TELL_ALL(w, thread, s->threads);
    TELL_ALL(w, loop, s->loops);
    TELL_ALL(w, task, s->tasks);
    TELL_ALL(w, future, s->futures);
    TELL_ALL(w, lock, s->locks);
    TELL_ALL(w, executor, s->executors);
    TELL_ALL(w, outside, s->externs);
    for (size_t i = 0; i < s->threads.n; i++) {
        tell_stack(w, s->threads.v[i].python_stack);
        tell_stack(w, s->threads.v[i].before_fork);
        tell_native(w, s->threads.v[i].native_stack);
    }
    for (size_t i = 0; i < s->tasks.n; i++)
        tell_stack(w, s->tasks.v[i].stack);
    for (size_t i = 0; i < s->loops.n; i++) {
        tell_handles(w, s->loops.v[i].handles, s->loops.v[i].n_handles);
        tell_handles(w, s->loops.v[i].timer_handles, s->loops.v[i].n_timer_handles);
    }
    for (size_t i = 0; i < s->executors.n; i++)
        for (size_t k = 0; k < s->executors.v[i].n_items; k++)
            tell(w, &item, &s->executors.v[i].items[k]);
}

void lk_snapshot_each_text(struct lk_snapshot *s, lk_text_fn fn, void *arg)
{
    struct walk w = { .fn = fn, .arg = arg };
    tell(&w, &process, s);
    for (size_t i = 0; i < s->n_cmdline; i++)
        fn((const char **)&s->cmdline[i], LK_TEXT_NAME, arg);
    for (size_t i = 0; i < s->python.n_modules; i++)
        tell(&w, &module, &s->python.modules[i]);
    tell_entities(&w, s);
    TELL_ALL(&w, child, s->children);
    TELL_ALL(&w, limit, s->limits);
    TELL_ALL(&w, cross_wait, s->cross_waits);
    TELL_ALL(&w, connection, s->own_connections);
    TELL_ALL(&w, at_hand, s->at_hand);
    TELL_ALL(&w, listener, s->listeners);
    for (size_t i = 0; i < s->listeners.n; i++)
        TELL_ALL(&w, sharer, s->listeners.v[i].sharers);
    lk_map_deinit(&w.seen);
}
