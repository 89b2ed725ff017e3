/*
 * Values are read after the diagnosis, so whose they are may have gone on since its stack was: when
 * all are read each frame is looked at once more, and of a party that has moved nothing is told. A
 * record keeps the texts, secrets hidden, and nothing of what was read for them.
 */
#include "read/loops/read_locals.h"

#include "read/loops/could_end.h"
#include "read/python/interpreter/frame.h"
#include "read/python/interpreter/thread_lookup.h"
#include "read/python/stdlib/value_text.h"

enum { MAX_PARTIES = 64, MAX_FRAMES = 24 /* user frames of one party */, MAX_LOCALS = 40 };

/* One frame whose variables are shown. */
struct shown {
    struct lk_ref who;
    uint32_t frame; /* of its stack */
    struct lk_pyf raw;
};

struct reading {
    struct lk_py *py;
    struct lk_snapshot *s;
    LK_VEC(struct shown) v;
    struct lk_pyframes chain; /* buffer */
};

static struct lk_pystack *stack_of(struct lk_snapshot *s, struct lk_ref who)
{
    return (struct lk_pystack *)lk_stack_of(s, who); /* made by lk_snapshot_own_stack() */
}

static void make_own(struct lk_snapshot *s, struct lk_ref who)
{
    struct lk_pystack *st = lk_snapshot_own_stack(s, lk_stack_of(s, who));
    if (who.kind == LK_KIND_THREAD)
        lk_thread_at(s, who)->python_stack = st;
    else
        lk_task_at(s, who)->stack = st;
}

/* A task's own number changes from sample to sample. */
static struct lk_key key_of(const struct lk_snapshot *s, struct lk_ref who, uint32_t frame)
{
    const struct lk_thread *t = lk_thread_at(s, who);
    const struct lk_pyframe *f = &lk_stack_of(s, who)->frames[frame];
    return (struct lk_key){ .pid = who.kind,
                            .n = t ? t->tid : (int64_t)lk_task_at(s, who)->addr,
                            .m = frame,
                            .text = f->code->function };
}

/* ---- reading --------------------------------------------------------------------------------- */

/* A task that runs stands on its thread's stack; the chain of one that does not is outermost first,
 * a thread's frames are innermost first. */
static const struct lk_pyf *raw_frame(struct reading *x, const struct lk_pyframes *frames,
                                      struct lk_ref who, uint32_t i)
{
    const struct lk_pyframe *f = &lk_stack_of(x->s, who)->frames[i];
    const bool reversed = frames == &x->chain;
    for (size_t k = i; frames && k < frames->n; k++) {
        const struct lk_pyf *raw = &frames->v[reversed ? frames->n - 1 - k : k];
        if (raw->code == f->code->addr && (raw->lasti < 0 ? 0 : (uint32_t)raw->lasti) == f->lasti)
            return raw;
    }
    return NULL;
}

static void gather(struct reading *x, struct lk_ref who)
{
    const struct lk_task *k = lk_task_at(x->s, who);
    const struct lk_pystack *st = lk_stack_of(x->s, who);
    const struct lk_pyframes *frames = k && k->run_by.kind == LK_KIND_THREAD
                                           ? lk_py_frames_of_thread(x->py, k->run_by.index)
                                           : lk_frames_of_party(x->py, who, &x->chain);
    size_t n = 0, lost = 0;
    for (uint32_t i = 0; i < st->n && n < MAX_FRAMES; i++) {
        if (!lk_is_user_frame(&st->frames[i]))
            continue;
        const struct lk_pyf *raw = raw_frame(x, frames, who, i);
        if (raw)
            lk_vec_add(&x->v, ((struct shown){ who, i, *raw }));
        n += raw != NULL;
        lost += !raw;
    }
    if (lost) /* of a greenlet, say */
        lk_snapshot_limit_of(x->s, who, (struct lk_failed_read){ 0 },
                             "variables of %zu frames of %s were not read: the frames were not "
                             "found again",
                             lost, lk_ref_id(x->s, who));
}

static bool add_local(struct lk_py *py, const char *name, lk_addr value, void *arg)
{
    struct lk_locals *to = arg;
    if (name[0] == '.') /* what a comprehension goes through */
        return true;
    for (size_t i = 0; i < to->n; i++) /* 3.8 - 3.10: an argument that is a cell too stands twice */
        if (strcmp(to->v[i].name, name) == 0)
            return true;
    to->v[to->n++] = (struct lk_local){ name, lk_py_value_text(py, name, value) };
    return to->n < MAX_LOCALS;
}

static void read_frame(struct reading *x, const struct shown *f)
{
    struct lk_locals *to = lk_arena_alloc(x->s->arena, sizeof *to);
    to->v = lk_arena_array(x->s->arena, MAX_LOCALS, sizeof *to->v);
    lk_py_local_each(x->py, &f->raw, add_local, to);
    stack_of(x->s, f->who)->frames[f->frame].locals = to;
}

static bool stands_there(struct lk_py *py, const struct lk_pyf *f)
{
    struct lk_pyf now = { 0 };
    lk_addr caller = 0;
    bool shim = false;
    return lk_py_frame(py, f->addr, &now, &caller, &shim) && now.code == f->code &&
           now.lasti == f->lasti && now.localsplus == f->localsplus;
}

/* All frames of a party stand together in the list. */
static void leave_out(struct reading *x, struct lk_ref who)
{
    struct lk_pystack *st = stack_of(x->s, who);
    for (uint32_t i = 0; i < st->n; i++)
        st->frames[i].locals = NULL;
    lk_snapshot_limit_of(x->s, who, (struct lk_failed_read){ 0 },
                         "the variables of %s were left out: it went on while they were read",
                         lk_ref_id(x->s, who));
}

static void read_all(struct reading *x, const struct lk_refs *of)
{
    lk_process_aside(x->py->t);
    for (uint32_t i = 0; i < of->n; i++)
        gather(x, of->v[i]);
    for (size_t i = 0; i < x->v.n; i++)
        read_frame(x, &x->v.v[i]);
    lk_process_begin_sample(x->py->t);
    for (size_t i = 0; i < x->v.n; i++)
        if (!stands_there(x->py, &x->v.v[i].raw))
            leave_out(x, x->v.v[i].who);
    lk_process_aside_end(x->py->t);
    for (size_t i = 0; i < x->v.n; i++) {
        const struct shown *f = &x->v.v[i];
        const struct lk_locals *l = stack_of(x->s, f->who)->frames[f->frame].locals;
        const struct lk_key key = key_of(x->s, f->who, f->frame);
        if (l)
            lk_process_keep(x->py->t, LK_FACT_LOCALS, &key, 0, l);
    }
}

/* ---- of a record ----------------------------------------------------------------------------- */

static bool recall(struct reading *x, struct lk_ref who)
{
    struct lk_pystack *st = stack_of(x->s, who);
    bool any = false;
    for (uint32_t i = 0; i < st->n; i++) {
        if (!lk_is_user_frame(&st->frames[i]))
            continue;
        struct lk_locals *l = lk_arena_alloc(x->s->arena, sizeof *l);
        const struct lk_key key = key_of(x->s, who, i);
        int why;
        if (!lk_process_recall(x->py->t, LK_FACT_LOCALS, &key, x->s->arena, l, &why) || why)
            continue;
        for (size_t k = 0; k < l->n; k++) {
            l->v[k].name = l->v[k].name ? l->v[k].name : "";
            l->v[k].value = l->v[k].value ? l->v[k].value : "";
        }
        st->frames[i].locals = l;
        any = true;
    }
    return any;
}

static void recall_all(struct reading *x, const struct lk_refs *of)
{
    bool any = false;
    for (uint32_t i = 0; i < of->n; i++)
        any |= recall(x, of->v[i]);
    if (!any && of->n)
        lk_snapshot_limit(x->s, "values of variables are not in the capture: it was made without "
                                "--locals");
}

void lk_py_read_locals(struct lk_py *py, struct lk_snapshot *s, const struct lk_refs *of)
{
    struct reading x = { .py = py, .s = s };
    struct lk_refs some = { .v = of->v, .n = LK_MIN(of->n, (uint32_t)MAX_PARTIES) };
    if (!py || py->s != s || !py->readable)
        return;
    for (uint32_t i = 0; i < some.n; i++)
        make_own(s, some.v[i]);
    if (lk_process_recalls(py->t))
        recall_all(&x, &some);
    else
        read_all(&x, &some);
    lk_free(x.v.v);
    lk_free(x.chain.v);
}
