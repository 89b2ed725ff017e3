#include "make.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static lk_addr next_addr = 0x7f0000001000;

/* Code objects of the snapshot being made: the same text gives the same one, as in a real process.
 */
static struct {
    struct lk_code *v[4096];
    size_t n;
} codes;

static lk_addr address(void)
{
    return next_addr += 64;
}

struct lk_snapshot *mk(void)
{
    struct lk_snapshot *s = lk_snapshot_create();
    codes.n = 0;
    s->pid = 4700;
    s->ppid = 1;
    s->comm = "python3";
    s->cwd = "/srv";
    s->runtime = LK_RUNTIME_PYTHON;
    s->stalled_after_ms = 2000;
    s->watched_ms = 200;
    s->python.present = s->python.frames_read = true;
    s->python.version = "3.11.2";
    s->python.hex = 0x030b02f0;
    s->python.stdlib = "/usr/lib/python3.11";
    s->loops_complete = s->tasks_complete = true;
    return s;
}

static const struct lk_code *code(struct lk_snapshot *s, const char *function, const char *file,
                                  bool is_coroutine)
{
    for (size_t i = 0; i < codes.n; i++)
        if (strcmp(codes.v[i]->function, function) == 0 && strcmp(codes.v[i]->file, file) == 0)
            return codes.v[i];
    struct lk_code *c = lk_arena_alloc(s->arena, sizeof *c);
    c->addr = address();
    c->function = c->qualname = function;
    c->file = file;
    c->firstlineno = 1;
    c->is_coroutine = is_coroutine;
    if (codes.n < 4096)
        codes.v[codes.n++] = c;
    return c;
}

/* "async f@/srv/app.py:10" */
static struct lk_pyframe frame(struct lk_snapshot *s, const char *text)
{
    bool is_coroutine = strncmp(text, "async ", 6) == 0;
    text += is_coroutine ? 6 : 0;
    const char *at = strchr(text, '@'), *colon = strrchr(text, ':');
    assert_non_null(at);
    assert_non_null(colon);
    const char *function = lk_arena_strndup(s->arena, text, (size_t)(at - text));
    const char *file = lk_arena_strndup(s->arena, at + 1, (size_t)(colon - at - 1));
    return (struct lk_pyframe){ .code = code(s, function, file, is_coroutine),
                                .line = atoi(colon + 1),
                                .lasti = 10,
                                .source = "return fut.result()" };
}

static struct lk_pystack *stack_of(struct lk_snapshot *s, va_list ap)
{
    struct lk_pyframe frames[64];
    size_t n = 0;
    for (const char *text; n < 64 && (text = va_arg(ap, const char *));)
        frames[n++] = frame(s, text);
    return lk_snapshot_stack(s, frames, n, false);
}

struct lk_pystack *mk_stack(struct lk_snapshot *s, ...)
{
    va_list ap;
    va_start(ap, s);
    struct lk_pystack *st = stack_of(s, ap);
    va_end(ap);
    return st;
}

struct lk_ref mk_thread(struct lk_snapshot *s, const char *name, ...)
{
    struct lk_ref r = lk_snapshot_thread(s, 4700 + (int64_t)s->threads.n, NULL);
    va_list ap;
    va_start(ap, name);
    struct lk_pystack *st = stack_of(s, ap);
    va_end(ap);
    struct lk_thread *t = THREAD(r);
    t->name = lk_arena_strdup(s->arena, name);
    t->main = r.index == 0;
    t->kstate = 'S';
    t->python = true;
    t->python_stack = st;
    t->read = LK_READ_ASLEEP;
    t->stable = t->callback_stable = true;
    t->outer_frames_same = st->n;
    t->stuck_ms = 10000;
    t->wait.kind = LK_WAIT_IO; /* whoever says nothing else idles on a connection */
    t->wait.timeout_ms = LK_FOREVER;
    t->wait.read = LK_READ_ASLEEP;
    t->wait.complete = true;
    t->os.on = LK_OS_SOCKET;
    t->os.accepted = true;
    t->os.timeout_ms = LK_FOREVER;
    return r;
}

struct lk_ref mk_loop(struct lk_snapshot *s, struct lk_ref thread)
{
    struct lk_ref r = lk_snapshot_loop(s, address(), NULL);
    struct lk_loop *o = LOOP(r);
    o->cls = "asyncio.unix_events._UnixSelectorEventLoop";
    o->closed = o->stopping = LK_NO;
    o->ready = o->timers = o->tasks_pending = o->watched_fds = o->wakeup_unread = 0;
    o->in_own_selector = LK_NO;
    o->read = LK_READ_ASLEEP;
    o->stable = true;
    o->reachable = LK_YES;
    o->found_by = LK_FOUND_MODULE;
    if (thread.kind != LK_KIND_THREAD) {
        o->run = LK_LOOP_STOPPED;
        return r;
    }
    o->run = LK_LOOP_RUNNING;
    o->thread = thread;
    o->found_by = LK_FOUND_RUNNING;
    struct lk_ref *loops =
        lk_arena_array(s->arena, THREAD(thread)->n_frame_loops + 1, sizeof *loops);
    loops[0] = r;
    for (size_t i = 0; i < THREAD(thread)->n_frame_loops; i++)
        loops[i + 1] = THREAD(thread)->frame_loops[i];
    THREAD(thread)->frame_loops = loops;
    THREAD(thread)->n_frame_loops++;
    THREAD(thread)->running_loop = r;
    return r;
}

struct lk_ref mk_idle_loop(struct lk_snapshot *s, struct lk_ref thread)
{
    struct lk_ref r = mk_loop(s, thread);
    LOOP(r)->in_own_selector = LK_YES;
    mk_wait(s, thread, LK_WAIT_SELECTOR, r);
    return r;
}

static struct lk_ref new_task(struct lk_snapshot *s, struct lk_ref loop, const char *name)
{
    struct lk_ref r = lk_snapshot_task(s, address(), NULL);
    struct lk_task *k = TASK(r);
    k->name = k->coroutine = lk_arena_strdup(s->arena, name);
    k->loop = loop;
    k->started = k->stable = true;
    k->read = LK_READ_ASLEEP;
    k->wait.timeout_ms = LK_FOREVER;
    return r;
}

struct lk_ref mk_task(struct lk_snapshot *s, struct lk_ref loop, const char *name, ...)
{
    struct lk_ref r = new_task(s, loop, name);
    va_list ap;
    va_start(ap, name);
    TASK(r)->stack = stack_of(s, ap);
    va_end(ap);
    return r;
}

struct lk_ref mk_ready_task(struct lk_snapshot *s, struct lk_ref loop, const char *name)
{
    struct lk_ref r = new_task(s, loop, name);
    TASK(r)->ready = true;
    TASK(r)->started = false;
    TASK(r)->stack = mk_stack(s, lk_arena_printf(s->arena, "async %s@/srv/app.py:77", name), NULL);
    return r;
}

struct lk_ref mk_running_task(struct lk_snapshot *s, struct lk_ref loop, const char *name,
                              struct lk_ref thread)
{
    struct lk_ref r = new_task(s, loop, name);
    TASK(r)->state = LK_TASK_RUNNING;
    TASK(r)->run_by = thread;
    THREAD(thread)->current_task = r;
    return r;
}

struct lk_ref mk_bare_future(struct lk_snapshot *s)
{
    struct lk_ref r = lk_snapshot_future(s, address(), NULL);
    FUTURE(r)->concurrent = FUTURE(r)->stable = true;
    FUTURE(r)->state = LK_FUTURE_PENDING;
    FUTURE(r)->read = LK_READ_ASLEEP;
    return r;
}

void mk_ender(struct lk_snapshot *s, struct lk_ref future, struct lk_ref ender)
{
    lk_refs_add(s, &FUTURE(future)->enders, ender);
    FUTURE(future)->enders_complete = true;
}

struct lk_ref mk_future(struct lk_snapshot *s, struct lk_ref ender)
{
    struct lk_ref r = mk_bare_future(s);
    FUTURE(r)->origin = LK_ORIGIN_RUN_COROUTINE_THREADSAFE;
    mk_ender(s, r, ender);
    return r;
}

static enum lk_lock_type lock_type(const char *kind)
{
    static const struct {
        const char *prefix;
        enum lk_lock_type type;
    } rows[] = {
        { "threading.", LK_LOCK_TYPE_THREADING },
        { "queue.", LK_LOCK_TYPE_QUEUE },
        { "asyncio.", LK_LOCK_TYPE_ASYNCIO },
        { "anyio.", LK_LOCK_TYPE_ASYNCIO },
        { "pthread_mutex", LK_LOCK_TYPE_PTHREAD_MUTEX },
        { "file lock", LK_LOCK_TYPE_FILE },
        { "pthread_rwlock", LK_LOCK_TYPE_PTHREAD_RWLOCK },
    };
    for (size_t i = 0; i < LK_ARRAY_LEN(rows); i++)
        if (strncmp(kind, rows[i].prefix, strlen(rows[i].prefix)) == 0)
            return rows[i].type;
    return LK_LOCK_TYPE_OTHER;
}

struct lk_ref mk_lock(struct lk_snapshot *s, const char *kind, struct lk_ref owner)
{
    struct lk_ref r = lk_snapshot_lock(s, address(), NULL);
    LOCK(r)->kind = kind;
    LOCK(r)->type = lock_type(kind);
    LOCK(r)->mutex = LOCK(r)->stable = true;
    LOCK(r)->locked = LK_YES;
    LOCK(r)->read = LK_READ_ASLEEP;
    if (owner.kind != LK_KIND_NONE) {
        lk_refs_add(s, &LOCK(r)->owners, owner);
        LOCK(r)->owner_by = LK_OWNER_FIELD;
        LOCK(r)->owner_certain = true;
    }
    return r;
}

struct lk_ref mk_sync(struct lk_snapshot *s, const char *kind)
{
    struct lk_ref r = mk_lock(s, kind, NONE);
    LOCK(r)->mutex = false;
    return r;
}

struct lk_ref mk_pool(struct lk_snapshot *s, int64_t max_workers)
{
    struct lk_ref r = lk_snapshot_executor(s, address(), NULL);
    EXECUTOR(r)->max_workers = max_workers;
    EXECUTOR(r)->queued = 1;
    EXECUTOR(r)->shutdown = LK_NO;
    EXECUTOR(r)->read = LK_READ_ASLEEP;
    return r;
}

void mk_worker(struct lk_snapshot *s, struct lk_ref pool, struct lk_ref thread)
{
    lk_refs_add(s, &EXECUTOR(pool)->workers, thread);
    THREAD(thread)->works_for = pool;
}

static struct lk_wait *wait_of(struct lk_snapshot *s, struct lk_ref who)
{
    return who.kind == LK_KIND_THREAD ? &THREAD(who)->wait : &TASK(who)->wait;
}

void mk_wait(struct lk_snapshot *s, struct lk_ref who, enum lk_wait_kind kind, struct lk_ref on)
{
    struct lk_wait *w = wait_of(s, who);
    memset(w, 0, sizeof *w);
    w->kind = kind;
    w->complete = true;
    w->timeout_ms = LK_FOREVER;
    w->read = LK_READ_ASLEEP;
    w->frame = -1;
    lk_refs_add(s, &w->on, on);
    if (who.kind == LK_KIND_TASK)
        TASK(who)->stuck_ms = 10000;
    if (who.kind != LK_KIND_THREAD)
        return;
    THREAD(who)->os.on = LK_OS_FUTEX;
    THREAD(who)->os.accepted = false;
    if (on.kind == LK_KIND_LOCK)
        lk_refs_add(s, &LOCK(on)->waiters, who);
}

void mk_wait_also(struct lk_snapshot *s, struct lk_ref who, struct lk_ref on, bool any)
{
    lk_refs_add(s, &wait_of(s, who)->on, on);
    wait_of(s, who)->any = any;
}

void mk_timeout(struct lk_snapshot *s, struct lk_ref who, int64_t ms)
{
    wait_of(s, who)->timeout_ms = ms;
}

void mk_moved(struct lk_snapshot *s, struct lk_ref thread)
{
    THREAD(thread)->moved = true;
    THREAD(thread)->stable = THREAD(thread)->callback_stable = false;
    THREAD(thread)->stuck_ms = 0;
}

void mk_stuck(struct lk_snapshot *s, struct lk_ref thread, int64_t ms)
{
    THREAD(thread)->stuck_ms = ms;
}

struct lk_findings *mk_diagnose(struct lk_snapshot *s)
{
    lk_classify(s, NULL);
    return lk_diagnose(s);
}

const struct lk_finding *mk_find(const struct lk_findings *f, const char *rule)
{
    for (size_t i = 0; i < f->list.n; i++)
        if (strcmp(f->list.v[i].rule->id, rule) == 0)
            return &f->list.v[i];
    return NULL;
}

static void print(const struct lk_findings *f)
{
    print_message("verdict %s%s%s\n", lk_verdict_name(f->verdict), f->verdict_why ? ": " : "",
                  f->verdict_why ? f->verdict_why : "");
    for (size_t i = 0; i < f->list.n; i++)
        print_message("  %s %s %s: %s\n", f->list.v[i].rule->id,
                      lk_verdict_name(f->list.v[i].severity),
                      lk_confidence_name(f->list.v[i].confidence), f->list.v[i].summary);
}

struct lk_findings *mk_expect_one(struct lk_snapshot *s, enum lk_verdict verdict, const char *rule)
{
    struct lk_findings *f = mk_diagnose(s);
    bool same = rule ? f->list.n == 1 && strcmp(f->list.v[0].rule->id, rule) == 0 : f->list.n == 0;
    if (f->verdict != verdict || !same)
        print(f);
    assert_string_equal(lk_verdict_name(f->verdict), lk_verdict_name(verdict));
    assert_true(same);
    for (size_t i = 0; i < f->list.n; i++) {
        assert_non_null(f->list.v[i].summary);
        assert_non_null(f->list.v[i].remedy);
        assert_non_null(f->list.v[i].safe_now);
        assert_int_equal(strlen(f->list.v[i].fingerprint), 16);
    }
    return f;
}

void mk_free(struct lk_snapshot *s, struct lk_findings *f)
{
    lk_findings_destroy(f);
    lk_snapshot_destroy(s);
}

void mk_expect(struct lk_snapshot *s, enum lk_verdict verdict, const char *only_rule)
{
    mk_free(s, mk_expect_one(s, verdict, only_rule));
}

bool mk_watches(const struct lk_findings *f, struct lk_ref thread)
{
    for (size_t i = 0; i < f->look_again.threads.n; i++)
        if (lk_ref_eq(f->look_again.threads.v[i], thread))
            return true;
    return false;
}

struct lk_ref mk_waiting_request(struct lk_snapshot *s, struct lk_ref future)
{
    struct lk_ref t = mk_thread(s, "Thread-3", RESULT, "job@/srv/app.py:30", FLASK_REQUEST, NULL);
    mk_wait(s, t, LK_WAIT_FUTURE, future);
    return t;
}

struct lk_ref mk_left_loop(struct lk_snapshot *s, enum lk_loop_run run)
{
    struct lk_ref o = mk_loop(s, NONE);
    LOOP(o)->run = run;
    LOOP(o)->closed = run == LK_LOOP_CLOSED ? LK_YES : LK_NO;
    return o;
}

struct lk_ref mk_asking(struct lk_snapshot *s, const char *peer)
{
    struct lk_ref t =
        mk_thread(s, "Thread-1", "ask@/srv/app.py:14", "quote@/srv/app.py:20", FLASK_REQUEST, NULL);
    mk_wait(s, t, LK_WAIT_IO, lk_snapshot_extern(s, LK_EXT_OUTSIDE, peer, LK_UNKNOWN));
    THREAD(t)->os.on = LK_OS_SOCKET;
    THREAD(t)->os.peer = peer;
    THREAD(t)->os.peer_is = LK_PEER_OUTSIDE;
    THREAD(t)->os.local = "127.0.0.1:40000";
    THREAD(t)->os.syscall = "recvfrom";
    return t;
}
