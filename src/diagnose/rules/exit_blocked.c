/*
 * LK408: the program is over, or was told to end, and waits for a thread or child process that
 * nothing ends. Facts: who is waited for at exit (CPython 3.8 to 3.15): Lib/threading.py _shutdown
 * joins all threads that are no daemons, Lib/concurrent/futures/thread.py and process.py
 * _python_exit those of all pools, Lib/multiprocessing/util.py _exit_function children and feeder
 * threads, asyncio.run the default executor's (Lib/asyncio/base_events.py
 * shutdown_default_executor, 3.9 on; late 3.12 releases and newer with a timeout). Callbacks of
 * atexit run below Py_FinalizeEx (Python/pylifecycle.c) and stand on no other frame.
 */
#include "diagnose/rules/finders.h"

#include <string.h>

#include "diagnose/catalog/classify.h"
#include "diagnose/catalog/frames.h"
#include "diagnose/rules/cross_process_waits.h"
#include "diagnose/rules/finding.h"
#include "diagnose/rules/live_enders.h"
#include "diagnose/rules/rule_words.h"
#include "util/text.h"

enum {
    MOST_THREADS = 64, /* that an exit is seen to wait for */
    FAR_ENOUGH = 8,    /* joins in a row */
};

enum ending {
    NOT_ENDING = 0,
    BY_RUN,      /* asyncio.run waits for the default executor */
    BY_CALLBACK, /* a callback of atexit */
    BY_EXIT,     /* the interpreter's own: after the last line, or sys.exit */
};

/* What the end of one thread's program waits for. */
struct exit_wait {
    struct lk_rule_context *c;
    struct lk_ref ending; /* the thread */
    enum ending how;
    struct lk_ref seen[MOST_THREADS]; /* threads on the way, itself first */
    size_t n_seen;
    struct lk_ref stuck[MOST_THREADS]; /* where the ways end */
    size_t n_stuck;
    int64_t left_ms; /* a timeout on the way */
    bool goes_on;    /* something that it waits for is at work, or ends by itself */
    bool unsure;
};

/* ---- that a program ends ----------------------------------------------------------------- */

static bool finalizes(const struct lk_thread *t)
{
    const struct lk_natstack *st = t->native_stack;
    for (size_t i = 0; st && i < st->n; i++) {
        const char *f = st->frames[i].function;
        if (f && lk_starts_with(f + (*f == '_'), "Py_Finalize"))
            return true;
    }
    return false;
}

static bool is_executor_shutdown(const struct lk_graph *g, const struct lk_node *n, void *arg)
{
    const struct lk_future *f = lk_future_at(g->snap, n->ref);
    (void)arg;
    return f && f->origin == LK_ORIGIN_SHUTDOWN_DEFAULT_EXECUTOR;
}

/* A thread that does nothing but shut a pool down, as shutdown_default_executor() starts one. */
static bool is_shutdown_thread(const struct lk_thread *t)
{
    const struct lk_pystack *st = t->python_stack;
    if (t->wait.kind != LK_WAIT_JOIN || t->wait.frame < 1 || (uint32_t)t->wait.frame >= st->n)
        return false;
    const struct lk_code *shutdown = st->frames[t->wait.frame - 1].code,
                         *caller = st->frames[t->wait.frame].code;
    return strcmp(shutdown->function, "shutdown") == 0 && strcmp(caller->function, "run") == 0 &&
           strcmp(lk_base_name(caller->file), "threading.py") == 0;
}

/* The same where the loop is compiled (uvloop) and shows no frames of its own: asyncio.run is about
 * to return, and that other thread is there. */
static struct lk_ref compiled_shutdown(const struct exit_wait *x, struct lk_ref thread)
{
    const struct lk_snapshot *s = x->c->snap;
    bool closes = lk_stack_has(lk_thread_at(s, thread)->python_stack, LK_MARK_CLOSES);
    for (size_t i = 0; closes && i < s->threads.n; i++)
        if (is_shutdown_thread(&s->threads.v[i]))
            return lk_ref_make(LK_KIND_THREAD, i);
    return lk_ref_make(LK_KIND_NONE, 0);
}

/* The future of shutdown_default_executor() for which the thread runs its loop. */
static struct lk_ref executor_shutdown(struct exit_wait *x, struct lk_ref thread)
{
    struct lk_edge path[LK_MAX_CHAIN];
    size_t n = lk_graph_path(x->c->graph, thread, is_executor_shutdown, NULL, path, LK_MAX_CHAIN);
    if (!n || n > LK_MAX_CHAIN)
        return lk_ref_make(LK_KIND_NONE, 0);
    for (size_t i = 0; i + 1 < n; i++)
        x->left_ms = LK_MIN(x->left_ms, lk_graph_node(x->c->graph, path[i].to)->timeout_ms);
    return path[n - 1].to;
}

static enum ending how_it_ends(struct exit_wait *x, const struct lk_thread *t)
{
    if (t->running || t->in_request || !t->python_stack->n)
        return NOT_ENDING;
    if (lk_stack_has(t->python_stack, LK_MARK_EXIT))
        return BY_EXIT;
    if (finalizes(t))
        return BY_CALLBACK;
    if (t->main && t->wait.kind == LK_WAIT_SELECTOR &&
        (executor_shutdown(x, x->ending).kind == LK_KIND_FUTURE ||
         compiled_shutdown(x, x->ending).kind == LK_KIND_THREAD))
        return BY_RUN;
    return NOT_ENDING;
}

/* ---- what it waits for ------------------------------------------------------------------- */

static bool is_seen(const struct exit_wait *x, struct lk_ref r)
{
    for (size_t i = 0; i < x->n_seen; i++)
        if (lk_ref_eq(x->seen[i], r))
            return true;
    return false;
}

/* A thread may be the program: what serves clients, or awaits what comes from outside, goes on
 * doing so when the main thread is through. */
static bool serves(const struct exit_wait *x, const struct lk_thread *t)
{
    return x->how == BY_EXIT && !lk_stack_has(t->python_stack, LK_MARK_CHILDREN) &&
           (t->wait.kind == LK_WAIT_SIGNAL || (t->wait.traits & LK_WAIT_LISTENS) ||
            t->os.listening || lk_stack_has(t->python_stack, LK_MARK_CONSUMER) ||
            (t->wait.kind == LK_WAIT_IO &&
             (lk_waits_at_input(&t->os) || t->os.on == LK_OS_SELECTOR)));
}

/* What waits for children at the end waits for all of them: the process pool's own thread, and
 * _exit_function of multiprocessing. */
static bool waits_for_children(const struct lk_thread *t)
{
    return t->wait.kind == LK_WAIT_CHILD || lk_stack_has(t->python_stack, LK_MARK_CHILDREN);
}

/* The most that is done by the child, or the children, that the thread waits for. */
static enum lk_child_does children_do(const struct exit_wait *x, const struct lk_thread *t)
{
    const struct lk_snapshot *s = x->c->snap;
    enum lk_child_does most = LK_CHILD_UNKNOWN;
    for (size_t i = 0; t->wait.kind == LK_WAIT_CHILD && i < t->wait.on.n; i++) {
        const struct lk_extern *e = lk_extern_at(s, t->wait.on.v[i]);
        most = e ? LK_MAX(most, e->child) : most;
    }
    for (size_t i = 0;
         lk_stack_has(t->python_stack, LK_MARK_EXIT | LK_MARK_CHILDREN) && i < s->children.n; i++)
        most = LK_MAX(most, s->children.v[i].does);
    return most;
}

/* It stands still in a wait that has no timeout, and nobody is known to be about to end it. */
static bool stands(struct exit_wait *x, struct lk_ref r)
{
    struct lk_rule_context *c = x->c;
    const struct lk_thread *t = lk_thread_at(c->snap, r);
    enum lk_life life = lk_graph_node(c->graph, r)->life;
    if (t->wait.timeout_ms != LK_FOREVER || t->wait.kind == LK_WAIT_SLEEP ||
        t->wait.kind == LK_WAIT_GIL || t->wait.kind == LK_WAIT_NONE || life == LK_LIFE_LIVE ||
        life == LK_LIFE_TIMED || serves(x, t) || (life != LK_LIFE_EXTERN && lk_enders_act(c, r)))
        return false;
    if (lk_may_stall(c, t)) /* a child that has run just now may stand still by then, too */
        lk_watch(c, r);
    return lk_is_stalled(c, t) && !(waits_for_children(t) && children_do(x, t) >= LK_CHILD_WAITS);
}

static void look_at(struct exit_wait *x, struct lk_ref r, int depth);

static void look_at_all(struct exit_wait *x, const struct lk_refs *on, int depth)
{
    x->goes_on |= !on->n;
    for (size_t i = 0; i < on->n; i++)
        look_at(x, on->v[i], depth);
}

static void look_at(struct exit_wait *x, struct lk_ref r, int depth)
{
    const struct lk_thread *t = lk_thread_at(x->c->snap, r);
    if (t && is_seen(x, r))
        return;
    if (!t || t->running || t->moved || depth > FAR_ENOUGH || x->n_seen == MOST_THREADS) {
        x->goes_on = true;
        return;
    }
    x->seen[x->n_seen++] = r;
    if (t->wait.kind == LK_WAIT_EXECUTOR_IDLE)
        return; /* it was told to end, and does */
    if (t->wait.kind == LK_WAIT_SELECTOR) {
        const struct lk_future *f = lk_future_at(x->c->snap, executor_shutdown(x, r));
        if (f)
            look_at_all(x, &f->enders, depth + 1);
        else
            look_at(x, compiled_shutdown(x, r), depth + 1);
    } else if (t->wait.kind == LK_WAIT_JOIN && t->wait.timeout_ms == LK_FOREVER && t->wait.on.n) {
        look_at_all(x, &t->wait.on, depth + 1);
    } else if (stands(x, r)) {
        x->stuck[x->n_stuck++] = r;
        x->unsure |= t->wait.kind == LK_WAIT_UNKNOWN ||
                     (waits_for_children(t) && children_do(x, t) == LK_CHILD_UNKNOWN);
    } else {
        x->goes_on = true;
    }
}

/* ---- who else may end it ------------------------------------------------------------------- */

static bool is_parked(const struct lk_rule_context *c, const struct lk_thread *t)
{
    switch (t->wait.kind) {
    case LK_WAIT_NONE:
    case LK_WAIT_IO:
    case LK_WAIT_SLEEP:
    case LK_WAIT_CHILD:
    case LK_WAIT_SIGNAL:
    case LK_WAIT_GIL:
    case LK_WAIT_SELECTOR: return false;
    default:
        return !t->running && !t->moved && t->wait.timeout_ms == LK_FOREVER && lk_is_stalled(c, t);
    }
}

/* A thread that the program's end does not wait for: a daemon's, which may bring about anything. */
static bool has_other_life(const struct exit_wait *x)
{
    const struct lk_snapshot *s = x->c->snap;
    for (size_t i = 0; i < s->threads.n; i++)
        if (s->threads.v[i].python && !is_seen(x, lk_ref_make(LK_KIND_THREAD, i)) &&
            !is_parked(x->c, &s->threads.v[i]))
            return true;
    return false;
}

static bool handler_may_end(const struct exit_wait *x, const struct lk_thread *t)
{
    return lk_handler_may_act(x->c->snap, x->c->snap->own_handlers) &&
           (t->wait.kind == LK_WAIT_EVENT || t->wait.kind == LK_WAIT_CONDITION);
}

static bool is_answer(const struct lk_thread *t)
{
    bool writes = t->os.call == LK_OS_CALL_WRITE;
    return t->wait.kind == LK_WAIT_IO && !(writes && t->os.on == LK_OS_PIPE) &&
           !lk_stack_has(t->python_stack, LK_MARK_CHILDREN);
}

/*
 * Threads that are all there is of a service look like threads that are left behind: both stand
 * still, and since when says nothing. Where something may still come, from outside, from another
 * thread or from a handler, they may be a service.
 */
static bool is_left_behind(const struct exit_wait *x, struct lk_ref r)
{
    const struct lk_thread *t = lk_thread_at(x->c->snap, r);
    return x->how != BY_EXIT || lk_ref_eq(r, x->ending) ||
           (!has_other_life(x) && !handler_may_end(x, t) && !is_answer(t));
}

/* ---- words --------------------------------------------------------------------------------- */

/* Where the thread stands: its project's frame, or else the function that waits. */
static struct lk_culprit place_of(const struct lk_rule_context *c, struct lk_ref r)
{
    const struct lk_thread *t = lk_thread_at(c->snap, r);
    const struct lk_pyframe *p = lk_culprit_frame(t->python_stack, NULL);
    if (!p && t->wait.frame > 0 && (size_t)t->wait.frame <= t->python_stack->n)
        p = &t->python_stack->frames[t->wait.frame - 1];
    return p ? lk_culprit_of_frame(p, t->tid, NULL) : lk_culprit_of(c, r);
}

static const char *ending_words(const struct exit_wait *x)
{
    const struct lk_thread *t = lk_thread_at(x->c->snap, x->ending);
    const struct lk_pyframe *p = lk_culprit_frame(t->python_stack, NULL);
    struct lk_culprit k = lk_culprit_of_frame(p, t->tid, NULL);
    const char *who = lk_name(x->c, x->ending), *at = p ? lk_place(x->c, &k) : NULL;
    switch (x->how) {
    case BY_RUN:
        return at ? lk_print(x->c, "%s, which shuts down the default executor of its loop at %s, ",
                             who, at)
                  : lk_print(x->c, "%s, which shuts down the default executor of its loop, ", who);
    case BY_CALLBACK:
        return lk_print(x->c, "%s, in a callback at exit%s%s, ", who, at ? " at " : "",
                        at ? at : "");
    default: return lk_print(x->c, "its main program is over, and %s ", who);
    }
}

static const char *limit_words(const struct exit_wait *x)
{
    return x->left_ms == LK_FOREVER || x->left_ms == LK_UNKNOWN
               ? "without a timeout"
               : lk_print(x->c, "for at most %s more", lk_duration(x->c, x->left_ms));
}

static const char *child_words(const struct exit_wait *x, const struct lk_thread *t)
{
    const struct lk_snapshot *s = x->c->snap;
    int64_t pid = t->os.child_pid;
    for (size_t i = 0; i < s->children.n; i++)
        if ((s->children.v[i].pid == pid || s->children.n == 1) && s->children.v[i].comm)
            return lk_print(x->c, "child process %lld (%s)", (long long)s->children.v[i].pid,
                            s->children.v[i].comm);
    const struct lk_extern *e = t->wait.on.n ? lk_extern_at(s, t->wait.on.v[0]) : NULL;
    return t->wait.kind == LK_WAIT_CHILD && e && e->text ? e->text : "child processes";
}

static const char *more_words(const struct exit_wait *x)
{
    return x->n_stuck > 1 ? lk_print(x->c, " (and %zu more)", x->n_stuck - 1) : "";
}

static const char *summary(const struct exit_wait *x)
{
    const struct lk_rule_context *c = x->c;
    const struct lk_ref r = x->stuck[0];
    const struct lk_thread *t = lk_thread_at(c->snap, r);
    struct lk_culprit at = place_of(c, r);
    const char *who = ending_words(x), *limit = limit_words(x);
    const bool child = waits_for_children(t);
    const char *outside = child                                      ? child_words(x, t)
                          : t->wait.kind == LK_WAIT_IO && t->os.peer ? t->os.peer
                                                                     : "";
    if (lk_ref_eq(r, x->ending) && child)
        return lk_print(c, "the program is ending: %swaits, %s, for %s", who, limit,
                        child_words(x, t));
    if (lk_ref_eq(r, x->ending))
        return lk_print(c, "the program is ending: %sblocks in %s, %s", who, lk_blocks_in(c, t),
                        limit);
    return lk_print(c, "the program is ending: %swaits, %s, for %s%s, which blocks in %s at %s%s%s",
                    who, limit, lk_name(c, r), more_words(x), lk_blocks_in(c, t), lk_place(c, &at),
                    *outside ? ", waiting for " : "", outside);
}

static const char children_remedy[] =
    "Tell the child to end (a sentinel, terminate()) before the program does, make it a daemon, "
    "and "
    "wait for it with a timeout: join(timeout), wait(timeout=...).";

/* What ends a wait of each kind from within the program. */
static const char *end_its_wait(const struct lk_thread *t)
{
    switch (t->wait.kind) {
    case LK_WAIT_QUEUE_GET:
        return "Before the program ends, put a sentinel (None) into the queue for each thread that "
               "reads it, or close it (Queue.shutdown() from 3.13 on), and let the thread return.";
    case LK_WAIT_EVENT:
    case LK_WAIT_CONDITION:
        return "Before the program ends, give the thread a stop signal: set what it waits for, and "
               "let it return, or have it wait with a timeout and look for the signal.";
    case LK_WAIT_LOCK:
    case LK_WAIT_SEMAPHORE:
    case LK_WAIT_BARRIER:
        return "Have the thread acquire with a timeout and look whether the program ends.";
    case LK_WAIT_QUEUE_JOIN:
        return "Each item needs its task_done(), also where its work fails: see what the consumers "
               "wait for.";
    case LK_WAIT_FUTURE: return "Have the thread wait with result(timeout=...).";
    case LK_WAIT_IO:
        if (lk_stack_has(t->python_stack, LK_MARK_CHILDREN))
            return children_remedy;
        return "Give what the thread reads or writes a timeout, or close it from the other end "
               "(socket.shutdown()) before the program ends.";
    case LK_WAIT_CHILD: return children_remedy;
    default: return "Give the thread a stop signal, and its waits timeouts.";
    }
}

static const char *or_else(const struct exit_wait *x, const struct lk_thread *t)
{
    if (waits_for_children(t))
        return "";
    if (x->how == BY_CALLBACK)
        return " In the callback use join(timeout), and cancel nothing that a thread already runs.";
    if (x->how == BY_RUN || t->works_for.kind == LK_KIND_EXECUTOR || t->role == LK_ROLE_EXECUTOR)
        return " To cancel its future does not end the call in the thread, and threads of a pool "
               "are always waited for: a call that may never return belongs in a "
               "threading.Thread(daemon=True) of its own.";
    return " Or make it a daemon (threading.Thread(daemon=True)), for which nobody waits at exit.";
}

static void say_why(struct lk_finding *f, const struct exit_wait *x, bool other_life)
{
    static const char *const how[] = {
        [BY_RUN] = "what asyncio.run() ran is over: its loop runs only until the default "
                   "executor's threads have ended",
        [BY_CALLBACK] = "the interpreter is being taken down (Py_FinalizeEx) and calls what was "
                        "registered with atexit",
        [BY_EXIT] = "the interpreter is being taken down, and waits for the threads and children "
                    "that are no daemons, and for those of pools",
    };
    lk_finding_say(x->c, f, "%s", how[x->how]);
    if (other_life)
        lk_finding_say(x->c, f,
                       "other threads are alive, for which the end does not wait; whether one of "
                       "them would end the wait is not known");
    for (size_t i = 0; i < x->n_stuck && i < 8; i++) {
        const struct lk_thread *t = lk_thread_at(x->c->snap, x->stuck[i]);
        struct lk_culprit at = place_of(x->c, x->stuck[i]);
        if (waits_for_children(t))
            lk_finding_say(x->c, f, "%s %s", child_words(x, t),
                           children_do(x, t) == LK_CHILD_UNKNOWN
                               ? "could not be looked at"
                               : "waits too: each of its threads sleeps in a "
                                 "wait for what may never come");
        else
            lk_finding_say(x->c, f, "%s has blocked in %s at %s for %s, without a timeout",
                           lk_name(x->c, x->stuck[i]), lk_blocks_in(x->c, t), lk_place(x->c, &at),
                           lk_duration(x->c, lk_stuck(x->c, t)));
    }
}

/* ---- the rule ------------------------------------------------------------------------------ */

static bool is_this(const struct lk_graph *g, const struct lk_node *n, void *arg)
{
    (void)g;
    return lk_ref_eq(n->ref, *(const struct lk_ref *)arg);
}

static void add_culprits(struct lk_finding *f, const struct exit_wait *x)
{
    struct lk_rule_context *c = x->c;
    const struct lk_thread *e = lk_thread_at(c->snap, x->ending);
    const struct lk_pyframe *p = lk_culprit_frame(e->python_stack, NULL);
    if (p)
        lk_finding_blame(f, lk_culprit_of_frame(p, e->tid, NULL));
    for (size_t i = 0; i < x->n_stuck; i++) {
        const struct lk_thread *t = lk_thread_at(c->snap, x->stuck[i]);
        p = lk_culprit_frame(t->python_stack, NULL);
        if (p)
            lk_finding_blame(f, lk_culprit_of_frame(p, t->tid, NULL));
    }
    if (!f->culprits.n)
        lk_finding_blame(f, place_of(c, x->stuck[0]));
}

static void tell(struct exit_wait *x)
{
    struct lk_rule_context *c = x->c;
    struct lk_edge path[LK_MAX_CHAIN];
    const struct lk_thread *t = lk_thread_at(c->snap, x->stuck[0]);
    const bool other_life = has_other_life(x);
    struct lk_finding f = lk_finding_start(c, LK_RULE_LK408);
    add_culprits(&f, x);
    lk_finding_part(c, &f, x->ending, false);
    for (size_t i = 0; i < x->n_stuck; i++) {
        lk_finding_part(c, &f, x->stuck[i], false);
        if (lk_thread_at(c->snap, x->stuck[i])->read == LK_READ_RACY)
            lk_finding_doubt(&f, LK_POSSIBLE);
    }
    size_t n = lk_graph_path(c->graph, x->ending, is_this, &x->stuck[0], path, LK_MAX_CHAIN);
    if (n <= LK_MAX_CHAIN) {
        for (size_t i = 0; i < n; i++)
            lk_finding_part(c, &f, path[i].to, false);
        lk_finding_chain(c, &f, path, n);
    }
    lk_finding_since(c, &f, t);
    if (x->how == BY_EXIT)
        lk_finding_since(c, &f, lk_thread_at(c->snap, x->ending));
    f.severity = LK_STALLED;
    if (other_life || is_answer(t))
        lk_finding_doubt(&f, LK_PROBABLE);
    if (x->unsure)
        lk_finding_doubt(&f, LK_POSSIBLE);
    f.summary = summary(x);
    say_why(&f, x, other_life);
    f.remedy = lk_print(c, "%s%s", end_its_wait(t), or_else(x, t));
    lk_finding_say_cross_waits(c, &f, x->stuck[0]);
    f.safe_now =
        t->wait.kind == LK_WAIT_CHILD && t->os.child_pid > 0
            ? lk_print(c, "kill -TERM %lld (the child) ends the wait.", (long long)t->os.child_pid)
            : lk_print(c,
                       "Nothing of the main program is left to be done: kill -KILL %lld ends the "
                       "process.",
                       (long long)c->snap->pid);
    f.safe_now = lk_with_kill(c, &f, f.safe_now);
    lk_finding_held_by(c, &f, x->stuck, x->n_stuck);
    lk_finding_file(c, &f);
    lk_explain_all(c, x->stuck, x->n_stuck);
    c->explained[x->ending.index] = true;
}

/* Nothing that it waits for is at work, and none of it is stuck for a reason that is told. */
static bool is_blocked(const struct exit_wait *x)
{
    if (!x->n_stuck || x->goes_on)
        return false;
    for (size_t i = 0; i < x->n_stuck; i++)
        if (x->c->explained[x->stuck[i].index] || !is_left_behind(x, x->stuck[i]))
            return false;
    return true;
}

void lk_find_exit_blocked(struct lk_rule_context *c)
{
    for (size_t i = 0; i < c->snap->threads.n; i++) {
        struct exit_wait x = { .c = c,
                               .ending = lk_ref_make(LK_KIND_THREAD, i),
                               .left_ms = LK_FOREVER };
        x.how = c->explained[i] ? NOT_ENDING : how_it_ends(&x, &c->snap->threads.v[i]);
        if (x.how == NOT_ENDING)
            continue;
        look_at(&x, x.ending, 0);
        if (is_blocked(&x))
            tell(&x);
    }
}
