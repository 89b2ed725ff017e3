/* Futures, asyncio's and concurrent ones: their state, and who will complete them. */
#include "read/python/reader/reader.h"

#include "read/python/interpreter/attribute.h"
#include "read/python/interpreter/class.h"
#include "read/python/interpreter/code.h"
#include "read/python/interpreter/container.h"
#include "read/python/interpreter/frame.h"
#include "read/python/interpreter/scalar.h"
#include "read/python/interpreter/type.h"
#include "read/python/reader/entities.h"

enum {
    MAX_CALLBACKS = 1 << 20, /* of one future */
    MAX_ROUNDS = 8,          /* how often one future's enders are looked for again */
    MAX_CELLS = 8,           /* of a hand-written callback's closure or arguments */
    HEAD = 256,              /* no task or future structure is larger */
};

/* ---- reading ------------------------------------------------------------------------- */

/* The structure made in C (Modules/_asynciomodule.c FutureObj, TaskObj). Its size is this
 * version's, or it is not read. */
static bool read_c(struct lk_py *py, lk_addr obj, bool task, struct lk_aio_fut *ret)
{
    const struct lk_layout *l = &py->layout;
    const struct lk_pytype *ty = lk_py_type(py, obj);
    uint8_t b[HEAD];
    uint32_t size = task ? l->task_size : l->fut_size, cancel;
    int32_t state;

    if (!ty || size > HEAD || ty->basicsize < (int64_t)size ||
        (ty->basicsize > (int64_t)size && !ty->base)) {
        lk_reader(py)->bad_task = true;
        return false;
    }
    if (!lk_read(py->t, obj, b, size))
        return false;
    ret->loop = lk_word_at(b, l->fut_loop);
    ret->callback0 = lk_word_at(b, l->fut_callback0);
    ret->callbacks = lk_word_at(b, l->fut_callbacks);
    memcpy(&state, b + l->fut_state, sizeof state);
    if (state < 0 || state > 2) {
        lk_reader(py)->bad_task = true;
        return false;
    }
    ret->state = state;
    if (!task)
        return true;
    ret->fut_waiter = lk_word_at(b, l->task_fut_waiter);
    ret->coro = lk_word_at(b, l->task_coro);
    ret->name = lk_word_at(b, l->task_name);
    memcpy(&cancel, b + l->task_must_cancel, l->task_must_cancel_bit == LK_OFF_NONE ? 4 : 1);
    if (l->task_must_cancel_bit == LK_OFF_NONE)
        ret->must_cancel = cancel != 0;
    else
        ret->must_cancel = (b[l->task_must_cancel] >> l->task_must_cancel_bit) & 1;
    return true;
}

static int state_of_text(struct lk_py *py, lk_addr state)
{
    static const struct {
        const char *name;
        int state;
    } names[] = {
        { "PENDING", 0 },  { "RUNNING", 3 }, { "CANCELLED", 1 }, { "CANCELLED_AND_NOTIFIED", 1 },
        { "FINISHED", 2 },
    };
    for (size_t i = 0; i < LK_ARRAY_LEN(names); i++)
        if (lk_py_str_eq(py, state, names[i].name))
            return names[i].state;
    return -1;
}

static lk_addr not_none(struct lk_py *py, lk_addr obj)
{
    return obj && !lk_py_is_none(py, obj) ? obj : 0;
}

/* asyncio.futures.Future has the first state in its class; instances get one of their own when it
 * changes. */
static lk_addr state_attr(struct lk_py *py, lk_addr obj)
{
    lk_addr own = lk_py_attr(py, obj, "_state");
    const struct lk_pytype *ty = own ? NULL : lk_py_type(py, obj);
    return ty ? lk_py_type_attr(py, ty, "_state") : own;
}

static void read_python(struct lk_py *py, lk_addr obj, bool task, struct lk_aio_fut *ret)
{
    ret->state = state_of_text(py, state_attr(py, obj));
    ret->loop = not_none(py, lk_py_attr(py, obj, "_loop"));
    ret->callbacks = not_none(py, lk_py_attr(py, obj, "_callbacks"));
    if (!task)
        return;
    ret->fut_waiter = not_none(py, lk_py_attr(py, obj, "_fut_waiter"));
    ret->coro = not_none(py, lk_py_attr(py, obj, "_coro"));
    ret->name = lk_py_attr(py, obj, "_name");
    ret->must_cancel = lk_py_bool(py, lk_py_attr(py, obj, "_must_cancel")) == LK_YES;
}

static bool made_in_c(struct lk_py *py, lk_addr obj)
{
    return lk_py_isinstance(py, obj, "_asyncio", "Future");
}

bool lk_aio_read_fut(struct lk_py *py, lk_addr obj, struct lk_aio_fut *ret)
{
    *ret = (struct lk_aio_fut){ .cls = lk_py_known_class(py, obj, NULL), .state = -1 };
    switch (ret->cls) {
    case LK_CLASS_TASK: return read_c(py, obj, true, ret);
    case LK_CLASS_FUTURE: return read_c(py, obj, false, ret);
    case LK_CLASS_GATHER:
        if (made_in_c(py, obj))
            return read_c(py, obj, false, ret);
        read_python(py, obj, false, ret);
        return true;
    case LK_CLASS_PYTASK:
    case LK_CLASS_PYFUTURE: read_python(py, obj, ret->cls == LK_CLASS_PYTASK, ret); return true;
    case LK_CLASS_CFUTURE:
        ret->state = state_of_text(py, lk_py_attr(py, obj, "_state"));
        ret->callbacks = lk_py_attr(py, obj, "_done_callbacks");
        return true;
    default: return false;
    }
}

bool lk_aio_is_pending(struct lk_py *py, lk_addr future)
{
    struct lk_aio_fut f;
    return lk_aio_read_fut(py, future, &f) && f.state != 1 && f.state != 2;
}

/* ---- callbacks ----------------------------------------------------------------------- */

static const struct lk_callback_row *row_of(struct lk_py *py, lk_addr func)
{
    char qualname[128];
    lk_addr name = lk_py_kind(py, func) == LK_PYK_FUNCTION
                       ? lk_py_ptr(py, func + py->layout.func_qualname)
                       : 0;
    if (!name || !lk_py_str_raw(py, name, qualname, sizeof qualname))
        return NULL;
    for (size_t i = 0; i < lk_n_callback_rows; i++) {
        if (strcmp(lk_callback_rows[i].qualname, qualname) != 0)
            continue;
        const struct lk_pycode *c = lk_py_code(py, lk_py_function_code(py, func));
        return c && lk_ends_with(c->code->file, lk_callback_rows[i].file) ? &lk_callback_rows[i]
                                                                          : NULL;
    }
    return NULL;
}

static bool is_waitable(struct lk_py *py, lk_addr obj)
{
    switch (lk_py_known_class(py, obj, NULL)) {
    case LK_CLASS_FUTURE:
    case LK_CLASS_PYFUTURE:
    case LK_CLASS_GATHER:
    case LK_CLASS_CFUTURE:
    case LK_CLASS_TASK:
    case LK_CLASS_PYTASK:
    case LK_CLASS_AIO_QUEUE: return true;
    default: return false;
    }
}

/* self.set_result, self.set_exception of a future: whoever calls it completes it. */
static void bound_to_future(struct lk_py *py, lk_addr callback, lk_addr self,
                            struct lk_aio_callback *c)
{
    const char *name = lk_py_callable_name(py, callback);
    bool sets = lk_ends_with(name, "set_result") || lk_ends_with(name, "set_exception");
    enum lk_known_class cls = lk_py_known_class(py, self, NULL);
    if (!sets || cls == LK_CLASS_TASK || cls == LK_CLASS_PYTASK || !is_waitable(py, self))
        return;
    c->does = LK_CB_COMPLETES;
    c->target = self;
}

static void by_row(struct lk_py *py, const struct lk_callback_row *row, lk_addr func, lk_addr self,
                   lk_addr args, struct lk_aio_callback *c)
{
    c->known = true;
    c->does = row->does;
    c->origin = row->origin;
    if (!row->var)
        return;
    if (strcmp(row->var, "0") == 0) {
        c->first_arg = args == 0;
        c->target = args ? lk_py_item(py, args, 0) : 0;
    } else if (self) {
        c->target = lk_py_attr(py, self, row->var);
    } else {
        c->target = lk_py_closure(py, func, row->var);
    }
    /* asyncio.wait(): how many are needed is its argument. */
    lk_addr needed = self ? 0 : lk_py_closure(py, func, "return_when");
    if (needed && c->does == LK_CB_COMPLETES_WHEN_ALL && !lk_py_str_eq(py, needed, "ALL_COMPLETED"))
        c->does = LK_CB_COMPLETES;
    if (c->target && !is_waitable(py, c->target))
        c->target = 0;
    if (!c->target && !c->first_arg)
        c->does = LK_CB_NOTHING;
}

/* A callback of the program's own that has a pending future at hand, in its closure or in a
 * partial's arguments, may complete it: asyncio itself relays like that, so programs do. */
static void by_hand(struct lk_py *py, lk_addr func, lk_addr args, struct lk_aio_callback *c)
{
    size_t n[2] = { 0, 0 };
    lk_addr closure =
        lk_py_kind(py, func) == LK_PYK_FUNCTION ? lk_py_ptr(py, func + py->layout.func_closure) : 0;
    lk_addr *held[2] = { closure ? lk_py_items(py, closure, MAX_CELLS, &n[0]) : NULL,
                         args ? lk_py_items(py, args, MAX_CELLS, &n[1]) : NULL };

    for (int k = 0; k < 2; k++)
        for (size_t i = 0; held[k] && i < n[k]; i++) {
            lk_addr obj = k == 0 ? lk_py_cell(py, held[k][i]) : held[k][i];
            enum lk_known_class cls = obj ? lk_py_known_class(py, obj, NULL) : LK_CLASS_OTHER;
            if (cls != LK_CLASS_FUTURE && cls != LK_CLASS_PYFUTURE && cls != LK_CLASS_CFUTURE)
                continue;
            c->does = LK_CB_MAY_COMPLETE;
            c->target = obj;
            return;
        }
}

static void look_at_callback(struct lk_py *py, lk_addr callback, struct lk_aio_callback *c)
{
    lk_addr func = callback, self = 0, args = 0;

    if (lk_py_partial(py, callback, &func, &args))
        callback = func;
    if (lk_py_method(py, callback, &func, &self)) {
        bound_to_future(py, callback, self, c);
        if (c->target || !func)
            return;
    }
    const struct lk_callback_row *row = row_of(py, func);
    if (row)
        by_row(py, row, func, self, args, c);
    else
        by_hand(py, func, args, c);
}

const struct lk_aio_callback *lk_aio_callback(struct lk_py *py, lk_addr callback)
{
    static const struct lk_aio_callback wakeup = { .known = true };
    struct lk_reader *a = lk_reader(py);
    uint64_t known;

    /* By far most callbacks are a waiting task's own wake-up: each is an object of its own. */
    enum lk_pykind kind = lk_py_kind(py, callback);
    if (kind == LK_PYK_TASKWAKEUP || kind == LK_PYK_TASKSTEP)
        return &wakeup;
    if (kind == LK_PYK_BUILTIN_METHOD) {
        lk_addr func, self;
        if (lk_py_method(py, callback, &func, &self) &&
            lk_py_known_class(py, self, NULL) == LK_CLASS_TASK)
            return &wakeup;
    }
    if (lk_map_get(&a->callbacks, callback, &known))
        return (const struct lk_aio_callback *)(uintptr_t)known;
    struct lk_aio_callback *c = lk_arena_alloc(py->s->arena, sizeof *c);
    lk_map_put(&a->callbacks, callback, (uintptr_t)c);
    look_at_callback(py, callback, c);
    return c;
}

/* ---- the reverse index ---------------------------------------------------------------- */

static struct lk_aio_sources *sources_of(struct lk_reader *a, lk_addr target, bool make)
{
    uint64_t i;
    if (lk_map_get(&a->sources, target, &i))
        return &a->source_lists.v[i];
    if (!make)
        return NULL;
    lk_map_put(&a->sources, target, a->source_lists.n);
    return lk_vec_push(&a->source_lists);
}

/* What a known future's callback completes is of interest too, whoever waits for it: a chain is
 * followed from the work item up as well as from the waiter down. It is read by the driver, never
 * from here: chains may be long. */
static void mention_relay(struct lk_reader *a, struct lk_aio_sources *s, lk_addr target)
{
    if (s->queued)
        return;
    s->queued = true;
    lk_vec_add(&a->relays_todo, target);
}

static void index_callback(struct lk_py *py, lk_addr obj, lk_addr callback)
{
    struct lk_reader *a = lk_reader(py);
    const struct lk_aio_callback *c = lk_aio_callback(py, callback);

    if (c->does == LK_CB_NOTHING || !c->target || c->target == obj)
        return;
    if (c->does == LK_CB_FOLLOWS) {
        lk_map_put(&a->follows, obj, c->target);
        return;
    }
    if (c->does == LK_CB_MAY_COMPLETE) {
        lk_map_add(&a->may_complete, c->target, obj);
        return;
    }
    struct lk_aio_sources *s = sources_of(a, c->target, true);
    mention_relay(a, s, c->target);
    s->all = c->does == LK_CB_COMPLETES_WHEN_ALL;
    s->known = c->known;
    if (c->origin)
        s->origin = c->origin;
    lk_vec_add(s, obj);
}

void lk_aio_index_callbacks(struct lk_py *py, lk_addr obj, const struct lk_aio_fut *f)
{
    size_t n = 0;

    if (f->callback0)
        index_callback(py, obj, f->callback0);
    if (!f->callbacks || lk_py_len(py, f->callbacks) <= 0)
        return;
    lk_addr *items = lk_py_items(py, f->callbacks, MAX_CALLBACKS, &n);
    bool pairs = f->cls != LK_CLASS_CFUTURE; /* asyncio keeps (callback, context) */
    for (size_t i = 0; i < n; i++) {
        lk_addr callback = pairs && lk_py_kind(py, items[i]) == LK_PYK_TUPLE
                               ? lk_py_item(py, items[i], 0)
                               : items[i];
        if (callback)
            index_callback(py, obj, callback);
    }
}

void lk_py_future_set_by(struct lk_py *py, lk_addr future, struct lk_ref by, bool known,
                         enum lk_future_origin origin)
{
    struct lk_reader *a = lk_reader(py);
    if (!future || by.kind == LK_KIND_NONE || !lk_map_add(&a->setters, future, lk_ref_pack(by)))
        return;
    if (known)
        lk_map_put(&a->setters_known, future, 1);
    if (origin)
        lk_map_put(&a->setter_rows, future, (uint64_t)origin);
}

static void note_setter(struct lk_py *py, const struct lk_setter_row *row, const struct lk_pyf *f,
                        struct lk_ref by)
{
    lk_addr future = lk_py_local(py, f, row->local);
    if (future && row->attr)
        future = lk_py_attr(py, future, row->attr);
    if (!future || !is_waitable(py, future))
        return;
    lk_py_future_set_by(py, future, by, true, row->origin);
    if (!row->works_on || by.kind != LK_KIND_THREAD)
        return;
    struct lk_ref ref = lk_py_future(py, future);
    struct lk_thread *t = lk_thread_at(py->s, by);
    if (t->works_on.kind == LK_KIND_NONE)
        t->works_on = ref;
}

size_t lk_aio_note_setters(struct lk_py *py, const struct lk_pyframes *frames, struct lk_ref by)
{
    size_t n = 0;
    for (size_t i = 0; i < frames->n; i++) {
        const struct lk_pycode *c = lk_py_code(py, frames->v[i].code);
        for (size_t r = 0; c && r < lk_n_setter_rows; r++) {
            if (strcmp(c->code->function, lk_setter_rows[r].function) != 0 ||
                !lk_ends_with(c->code->file, lk_setter_rows[r].file))
                continue;
            note_setter(py, &lk_setter_rows[r], &frames->v[i], by);
            n++;
        }
    }
    return n;
}

/* What a coroutine's frame on a thread's stack sets is its task's doing, not the thread's: it goes
 * through the task's loop. */
static void hand_over(struct lk_py *py, const struct lk_setter_row *row, const struct lk_pyf *f,
                      struct lk_ref task)
{
    struct lk_reader *a = lk_reader(py);
    uint64_t by;
    lk_addr future = lk_py_local(py, f, row->local);
    if (future && row->attr)
        future = lk_py_attr(py, future, row->attr);
    if (future && lk_map_get(&a->setters, future, &by) && lk_ref_unpack(by).kind == LK_KIND_THREAD)
        lk_map_put(&a->setters, future, lk_ref_pack(task));
}

void lk_aio_hand_setters(struct lk_py *py, const struct lk_pyframes *frames, size_t n,
                         struct lk_ref task)
{
    for (size_t i = 0; i < n && i < frames->n; i++) {
        const struct lk_pyf *f = &frames->v[i];
        const struct lk_pycode *c = f->generator ? lk_py_code(py, f->code) : NULL;
        for (size_t r = 0; c && r < lk_n_setter_rows; r++)
            if (strcmp(c->code->function, lk_setter_rows[r].function) == 0 &&
                lk_ends_with(c->code->file, lk_setter_rows[r].file))
                hand_over(py, &lk_setter_rows[r], f, task);
    }
}

/* ---- futures of the snapshot ----------------------------------------------------------- */

static enum lk_future_state state_of(const struct lk_aio_fut *f)
{
    switch (f->state) {
    case 0: return LK_FUTURE_PENDING;
    case 1: return LK_FUTURE_CANCELLED;
    case 2: return LK_FUTURE_DONE;
    case 3: return LK_FUTURE_RUNNING;
    default: return LK_FUTURE_STATE_UNKNOWN;
    }
}

struct lk_ref lk_py_future(struct lk_py *py, lk_addr obj)
{
    struct lk_aio_fut fut;
    bool is_new;
    enum lk_known_class cls = lk_py_known_class(py, obj, NULL);

    if (cls == LK_CLASS_TASK || cls == LK_CLASS_PYTASK)
        return lk_py_task(py, obj);
    if (cls != LK_CLASS_FUTURE && cls != LK_CLASS_PYFUTURE && cls != LK_CLASS_GATHER &&
        cls != LK_CLASS_CFUTURE)
        return lk_ref_make(LK_KIND_NONE, 0);
    struct lk_ref ref = lk_snapshot_future(py->s, obj, &is_new);
    if (!is_new)
        return ref;
    struct lk_future *f = lk_future_at(py->s, ref);
    f->concurrent = cls == LK_CLASS_CFUTURE;
    f->cls = f->concurrent            ? "concurrent.futures.Future"
             : cls == LK_CLASS_GATHER ? "_GatheringFuture"
                                      : "asyncio.Future";
    if (!lk_aio_read_fut(py, obj, &fut))
        return ref;
    f->state = state_of(&fut);
    if (fut.loop) {
        struct lk_ref loop = lk_py_loop(py, fut.loop, LK_FOUND_TASK);
        lk_future_at(py->s, ref)->loop = loop;
    }
    lk_aio_index_callbacks(py, obj, &fut);
    lk_vec_add(&lk_reader(py)->futures_todo, ref.index);
    return ref;
}

/* ---- enders -------------------------------------------------------------------------- */

/* known: by a documented mechanism that is the only one to complete this future; else others may do
 * it, too. */
static void add_ender(struct lk_py *py, struct lk_ref future, struct lk_ref ender, bool known,
                      enum lk_future_origin origin)
{
    if (ender.kind == LK_KIND_NONE)
        return;
    struct lk_future *f = lk_future_at(py->s, future);
    lk_refs_add(py->s, &f->enders, ender);
    if (origin)
        f->origin = origin;
    f->enders_complete |= known;
}

static void add_loop_of_ender(struct lk_py *py, struct lk_ref future, struct lk_ref ender)
{
    struct lk_future *f = lk_future_at(py->s, future);
    if (!f->concurrent || f->loop.kind != LK_KIND_NONE)
        return;
    if (ender.kind == LK_KIND_LOOP)
        f->loop = ender;
    /* A task mentioned now is read later: its loop is taken from the object. */
    const struct lk_task *k = lk_task_at(py->s, ender);
    struct lk_aio_fut fut;
    if (k && lk_aio_read_fut(py, k->addr, &fut)) {
        struct lk_ref loop = lk_py_loop(py, fut.loop, LK_FOUND_TASK);
        lk_future_at(py->s, future)->loop = loop;
    }
}

/* gather: all children that are not done; when all are, the callback that sets the result is in
 * their loop's queue. */
static bool enders_of_gather(struct lk_py *py, struct lk_ref ref, lk_addr obj)
{
    size_t n;
    lk_addr list = lk_py_attr(py, obj, "_children");
    lk_addr *children = list ? lk_py_items(py, list, LK_PY_MAX_ITEMS, &n) : NULL;
    if (!children)
        return false;
    for (size_t i = 0; i < n; i++)
        if (lk_aio_is_pending(py, children[i]))
            add_ender(py, ref, lk_py_future(py, children[i]), true, LK_ORIGIN_GATHER);
    struct lk_future *f = lk_future_at(py->s, ref);
    f->all = true;
    f->origin = LK_ORIGIN_GATHER;
    if (f->enders.n == 0)
        add_ender(py, ref, f->loop, true, LK_ORIGIN_GATHER);
    return true;
}

static void enders_of_sources(struct lk_py *py, struct lk_ref ref, lk_addr target)
{
    const struct lk_aio_sources *s = sources_of(lk_reader(py), target, false);
    if (!s)
        return;
    bool all = s->all, known = s->known;
    enum lk_future_origin origin = s->origin;
    size_t n = s->n;
    for (size_t i = 0; i < n; i++) {
        s = sources_of(lk_reader(py), target, false); /* mentions below may add lists */
        lk_addr source = s->v[i];
        if (lk_aio_is_pending(py, source))
            add_ender(py, ref, lk_py_future(py, source), known, origin);
    }
    if (all)
        lk_future_at(py->s, ref)->all = true;
}

static void enders_of_timer(struct lk_py *py, struct lk_ref ref, lk_addr obj)
{
    uint64_t when;
    if (!lk_map_get(&lk_reader(py)->timer_sets, obj, &when))
        return;
    struct lk_ref timer =
        lk_snapshot_extern(py->s, LK_EXT_TIMER, "timer", lk_reader_left_ms(py, (int64_t)when));
    add_ender(py, ref, timer, false, LK_ORIGIN_UNKNOWN);
    struct lk_future *f = lk_future_at(py->s, ref);
    if (!f->origin)
        f->origin = LK_ORIGIN_TIMER;
}

/* A hand-written callback counts only where nothing else is known to complete the future, and then
 * other code may do so too. */
static void enders_by_hand(struct lk_py *py, struct lk_ref ref, lk_addr obj)
{
    uint64_t source;
    if (lk_future_at(py->s, ref)->enders.n == 0 &&
        lk_map_get(&lk_reader(py)->may_complete, obj, &source) && lk_aio_is_pending(py, source)) {
        add_ender(py, ref, lk_py_future(py, source), false, LK_ORIGIN_CALLBACK);
        lk_future_at(py->s, ref)->enders_likely = true;
    }
}

static enum lk_future_origin follow_origin(const struct lk_future *f, enum lk_known_class source)
{
    if (f->concurrent)
        return LK_ORIGIN_RUN_COROUTINE_THREADSAFE;
    return source == LK_CLASS_CFUTURE ? LK_ORIGIN_WRAP_FUTURE : LK_ORIGIN_CHAIN;
}

static void find_enders(struct lk_py *py, struct lk_ref ref)
{
    struct lk_reader *a = lk_reader(py);
    const struct lk_future *f = lk_future_at(py->s, ref);
    lk_addr obj = f->addr;
    uint64_t v, origin;

    if (f->state != LK_FUTURE_PENDING && f->state != LK_FUTURE_RUNNING)
        return;
    if (lk_py_known_class(py, obj, NULL) == LK_CLASS_GATHER && enders_of_gather(py, ref, obj))
        return;
    if (lk_map_get(&a->follows, obj, &v)) {
        struct lk_ref ender = lk_py_future(py, v);
        add_ender(py, ref, ender, true,
                  follow_origin(lk_future_at(py->s, ref), lk_py_known_class(py, v, NULL)));
        add_loop_of_ender(py, ref, ender);
    }
    if (lk_map_get(&a->setters, obj, &v)) {
        enum lk_future_origin by = lk_map_get(&a->setter_rows, obj, &origin)
                                       ? (enum lk_future_origin)origin
                                       : LK_ORIGIN_UNKNOWN;
        add_ender(py, ref, lk_ref_unpack(v), lk_map_get(&a->setters_known, obj, NULL), by);
        add_loop_of_ender(py, ref, lk_ref_unpack(v));
    }
    enders_of_sources(py, ref, obj);
    if (lk_map_get(&a->alias, obj, &v))
        enders_of_sources(py, ref, v);
    enders_of_timer(py, ref, obj);
    enders_by_hand(py, ref, obj);
}

/* Reads the futures that callbacks complete. One that was known before gets the new source too; a
 * list that does not settle is told as one that is not complete. */
static void drain_relays(struct lk_py *py)
{
    struct lk_reader *a = lk_reader(py);
    while (a->relays_todo.n) {
        lk_addr target = a->relays_todo.v[--a->relays_todo.n];
        struct lk_aio_sources *s = sources_of(a, target, false);
        size_t waiting = a->futures_todo.n;
        s->queued = false;
        bool settled = ++s->rounds <= MAX_ROUNDS;
        struct lk_ref ref = lk_py_future(py, target);
        if (ref.kind != LK_KIND_FUTURE || a->futures_todo.n > waiting)
            continue; /* a task, a queue, or new: its enders are found in its turn */
        struct lk_future *f = lk_future_at(py->s, ref);
        f->enders_cut |= !settled;
        if (!settled)
            continue;
        f->enders.n = 0; /* found anew, all of them */
        f->enders_likely = false;
        lk_vec_add(&a->futures_todo, ref.index);
    }
}

void lk_loops_drain_futures(struct lk_py *py)
{
    struct lk_reader *a = lk_reader(py);
    do {
        lk_loops_drain_tasks(py);
        drain_relays(py);
        for (size_t i = 0; i < a->futures_todo.n; i++)
            find_enders(py, lk_ref_make(LK_KIND_FUTURE, a->futures_todo.v[i]));
        a->futures_todo.n = 0;
    } while (a->tasks_todo.n || a->relays_todo.n);
    for (size_t i = 0; i < py->s->futures.n; i++)
        if (py->s->futures.v[i].enders_cut)
            py->s->futures.v[i].enders_complete = false;
}
