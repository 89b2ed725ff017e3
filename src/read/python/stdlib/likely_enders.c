/*
 * Who would end a wait that any code may end (Event, Condition, Barrier, Queue.join, a Lock whose
 * holder is not known): whoever is in the midst of code that calls the method that ends it. Never
 * all there may be: what rests on it is inferred. Semaphores are in unit_holders.c.
 */
#include "read/python/stdlib/likely_enders.h"

#include "read/python/interpreter/code.h"
#include "read/python/interpreter/interpreter.h"
#include "read/python/interpreter/stdlib_paths.h"
#include "read/python/interpreter/thread_lookup.h"
#include "read/python/reader/known_class.h"
#include "read/python/reader/method_calls.h"
#include "read/python/reader/reader.h"

enum { MAX_ASKED = 20000 }; /* questions to code in one sample */

static const struct ender_row {
    enum lk_known_class cls;
    enum lk_wait_kind wait;
    const char *method, *other; /* either of them ends it */
    const char
        /* ... and this one too: a Lock that one side takes and the other one gives back is a
           signal, and no mutex */
        *pair;
    bool own; /* the waiter's own code counts: it would have got there first */
    const char *words;
} rows[] = {
    { LK_CLASS_LOCK, LK_WAIT_LOCK, "release", NULL, "acquire", false,
      "would be released by the code of" },
    { LK_CLASS_EVENT, LK_WAIT_EVENT, "set", NULL, NULL, false, "would be set by the code of" },
    { LK_CLASS_BARRIER, LK_WAIT_BARRIER, "wait", NULL, NULL, false,
      "is yet to be reached by the code of" },
    { LK_CLASS_QUEUE, LK_WAIT_QUEUE_JOIN, "task_done", NULL, NULL, true,
      "has items that are yet to be reported done by the code of" },
    { LK_CLASS_QUEUE, LK_WAIT_QUEUE_PUT, "get", NULL, NULL, false,
      "would be emptied by the code of" },
    { LK_CLASS_CONDITION, LK_WAIT_CONDITION, "notify_all", "notify", NULL, false,
      "would be notified by the code of" },
};

/* By the class, and by how the first of its waiters waits for it. */
static const struct ender_row *row_of(const struct lk_py *py, const struct lk_lock *l,
                                      enum lk_known_class cls)
{
    const struct lk_thread *t = l->waiters.n ? lk_thread_at(py->s, l->waiters.v[0]) : NULL;
    for (size_t i = 0; i < LK_ARRAY_LEN(rows); i++)
        if (rows[i].cls == cls && (!t || rows[i].wait == t->wait.kind))
            return &rows[i];
    return NULL;
}

/* All that wait for it do so in the way that the row is about, and for ever. */
static bool is_waited_for(const struct lk_py *py, const struct lk_lock *l,
                          const struct ender_row *row)
{
    for (size_t i = 0; i < l->waiters.n; i++) {
        const struct lk_thread *t = lk_thread_at(py->s, l->waiters.v[i]);
        if (t && (t->wait.kind != row->wait || t->wait.timeout_ms != LK_FOREVER))
            return false;
    }
    bool set = l->set && row->cls != LK_CLASS_QUEUE; /* a queue that is not empty ends neither */
    return l->waiters.n > 0 && !set &&
           (!l->mutex || (l->locked == LK_YES && l->owner_by == LK_OWNER_NONE && !l->lost_in_fork));
}

static enum lk_tri calls_both(struct lk_py *py, const struct lk_pyf *f, const struct ender_row *row,
                              lk_addr obj)
{
    enum lk_tri ends = lk_py_will_call_method_on(py, f, row->method, obj);
    if (ends == LK_NO && row->other)
        ends = lk_py_will_call_method_on(py, f, row->other, obj);
    return ends == LK_YES && row->pair ? lk_py_calls_method_on(py, f, row->pair, obj) : ends;
}

static enum lk_tri would_end(struct lk_py *py, const struct lk_pyframes *frames,
                             const struct ender_row *row, lk_addr obj, unsigned *left)
{
    enum lk_tri ret = LK_NO;
    for (size_t i = 0; i < frames->n && *left; i++) {
        const struct lk_pycode *c = lk_py_code(py, frames->v[i].code);
        if (!c || lk_py_of_stdlib(py, c->code))
            continue;
        --*left;
        enum lk_tri here = calls_both(py, &frames->v[i], row, obj);
        if (here == LK_YES)
            return LK_YES;
        if (here != LK_NO)
            ret = here;
    }
    return ret;
}

static void find_for(struct lk_py *py, size_t index, const struct ender_row *row, unsigned *left)
{
    struct lk_lock *l = &py->s->locks.v[index];
    struct lk_refs sure = { 0 }, maybe = { 0 };

    for (size_t i = 0; i < py->s->threads.n && *left; i++) {
        struct lk_ref thread = lk_ref_make(LK_KIND_THREAD, i);
        const struct lk_pyframes *frames = lk_py_frames_of_thread(py, i);
        bool own = lk_refs_has(&l->waiters, thread);
        if (!frames || (own && !row->own))
            continue;
        enum lk_tri ends = would_end(py, frames, row, l->addr, left);
        if (ends != LK_NO)
            lk_refs_add(py->s, ends == LK_YES ? &sure : &maybe, thread);
    }
    if (!sure.n || !*left)
        return;
    l->likely_enders = sure;
    l->likely_for = row->words;
    for (size_t i = 0; i < maybe.n; i++)
        lk_refs_add(py->s, &l->likely_enders, maybe.v[i]);
}

/* ---- whose work it is -------------------------------------------------------------------- */

/* What ends a thread's wait for a thing that is made for one answer. */
static const struct answer_row {
    enum lk_wait_kind wait;
    const char *methods[3];
} answers[] = {
    { LK_WAIT_EVENT, { "set" } },
    { LK_WAIT_CONDITION, { "notify", "notify_all" } },
    { LK_WAIT_SEMAPHORE, { "release" } },
    { LK_WAIT_QUEUE_GET, { "put", "put_nowait" } },
};

static const struct answer_row *answer_to(const struct lk_py *py, const struct lk_lock *l)
{
    const struct lk_thread *t =
        l->waiters.n == 1 ? lk_thread_at(py->s, l->waiters.v[0]) : NULL; /* one who asked */
    for (size_t i = 0; t && i < LK_ARRAY_LEN(answers); i++)
        if (answers[i].wait == t->wait.kind)
            return &answers[i];
    return NULL;
}

static bool works_on(struct lk_py *py, const struct lk_pyframes *frames,
                     const struct answer_row *row, lk_addr obj, unsigned *left)
{
    for (size_t i = 0; i < frames->n && *left; i++) {
        const struct lk_pycode *c = lk_py_code(py, frames->v[i].code);
        if (!c || lk_py_of_stdlib(py, c->code))
            continue;
        --*left;
        for (size_t k = 0; k < LK_ARRAY_LEN(row->methods) && row->methods[k]; k++)
            if (lk_py_will_call_method_once(py, &frames->v[i], row->methods[k], obj))
                return true;
    }
    return false;
}

static void find_worker(struct lk_py *py, struct lk_lock *l, unsigned *left)
{
    const struct answer_row *row = answer_to(py, l);
    for (size_t i = 0; row && i < py->s->threads.n && *left; i++) {
        struct lk_ref thread = lk_ref_make(LK_KIND_THREAD, i);
        const struct lk_pyframes *frames = lk_py_frames_of_thread(py, i);
        if (!frames || lk_refs_has(&l->waiters, thread) ||
            !works_on(py, frames, row, l->addr, left))
            continue;
        l->worked_on_by = thread;
        return;
    }
}

void lk_py_find_likely_enders(struct lk_py *py)
{
    unsigned left = MAX_ASKED, left_for_work = MAX_ASKED;
    for (size_t i = 0; i < py->s->locks.n && left_for_work; i++)
        find_worker(py, &py->s->locks.v[i], &left_for_work);
    for (size_t i = 0; i < py->s->locks.n && left; i++) {
        const struct lk_lock *l = &py->s->locks.v[i];
        const struct ender_row *row =
            l->waiters.n ? row_of(py, l, lk_py_known_class(py, l->addr, NULL)) : NULL;
        if (row && is_waited_for(py, l, row))
            find_for(py, i, row, &left);
    }
}
