/*
 * A callback that keeps a loop's thread, seen from both rules that tell of it (LK401 by waiting,
 * LK402 by computing). Whether it is one callback, and not many short ones, the loop's own turn
 * says (snapshot.h); where that cannot be read, only a thread that stands still convicts.
 */
#include "diagnose/rules/loop_callback.h"

#include "diagnose/catalog/classify.h"
#include "diagnose/catalog/frames.h"
#include "diagnose/rules/finding.h"
#include "diagnose/rules/requests.h"
#include "diagnose/rules/rule_words.h"

/* Coroutines of an await chain that are named. */
enum { MOST_AWAITS = 6 };

bool lk_is_blocking_wait(enum lk_wait_kind k)
{
    switch (k) {
    case LK_WAIT_LOCK:
    case LK_WAIT_CONDITION:
    case LK_WAIT_EVENT:
    case LK_WAIT_SEMAPHORE:
    case LK_WAIT_BARRIER:
    case LK_WAIT_QUEUE_GET:
    case LK_WAIT_QUEUE_PUT:
    case LK_WAIT_QUEUE_JOIN:
    case LK_WAIT_FUTURE:
    case LK_WAIT_JOIN:
    case LK_WAIT_IMPORT:
    case LK_WAIT_IO:
    case LK_WAIT_SLEEP:
    case LK_WAIT_CHILD:
    case LK_WAIT_SIGNAL: return true;
    default: return false;
    }
}

/*
 * True when the innermost frames belong to a callback of the loop: code outside the standard
 * library inside of its run call. At a debugger's prompt it is the developer who holds the loop.
 */
bool lk_in_callback(const struct lk_rule_context *c, const struct lk_loop *o,
                    const struct lk_thread *t)
{
    size_t outermost, index;
    unsigned marks;
    if (o->native)
        return o->in_own_selector == LK_NO;
    /* With a loop run inside another's callback the innermost one's callback is what runs; the
     * outer loop is LK303's. */
    if (t->n_frame_loops && lk_loop_at(c->snap, t->frame_loops[0]) != o)
        return false;
    if (o->in_own_selector == LK_YES || lk_loop_is_switched_away(c, o) ||
        lk_stack_has(t->python_stack, LK_MARK_NESTER | LK_MARK_DEBUGGER))
        return false;
    size_t drive = lk_drive_call(t->python_stack, 0, &outermost, &marks);
    /* uvloop leaves no frame: a thread that runs it and is not in its selector is in a callback of
     * it. */
    if (!drive)
        return o->in_own_selector == LK_NO && lk_loop_at(c->snap, t->running_loop) == o &&
               lk_caller_frame(t->python_stack, 0, NULL);
    return lk_caller_frame(t->python_stack, 0, &index) && index < drive - 1;
}

/* Since when the loop's thread has been in its present callback, at least; -1 when that is not
 * known. */
int64_t lk_callback_age(const struct lk_rule_context *c, const struct lk_loop *o)
{
    return !c->halted && o->turn && o->callback_same && o->callback_ms != LK_UNKNOWN
               ? o->callback_ms
               : -1;
}

/* Someone waits for the loop: other callbacks or tasks, requests behind it, or whoever asked for
 * the work item that runs it. */
bool lk_someone_waits_for_loop(const struct lk_rule_context *c, const struct lk_finding *f,
                               const struct lk_loop *o, const struct lk_thread *t)
{
    /* a job or test that blocks its own loop is in nobody's way by that */
    const int64_t own = !t->in_request && lk_is_request_thread(c->snap, t);
    return f->held_tasks > 0 || f->held_requests > own ||
           (o->ready != LK_UNKNOWN && o->ready > 0) || t->works_on.kind == LK_KIND_FUTURE ||
           o->native; /* whoever it serves: a program makes such a loop to be awake in it */
}

/* Work that somebody asked for: a request, an item of a pool or task queue, a test. */
static bool is_asked_for(const struct lk_rule_context *c, const struct lk_thread *t)
{
    return t->in_request || t->works_on.kind != LK_KIND_NONE ||
           lk_stack_has(t->python_stack, LK_MARK_JOB) || (c->snap->test_env_own && t->main);
}

/* The loop is there for the one coroutine that keeps it: nobody else can be held up. */
static bool is_private_loop(const struct lk_rule_context *c, const struct lk_finding *f,
                            struct lk_ref loop, const struct lk_loop *o)
{
    const struct lk_thread *t = lk_thread_at(c->snap, o->thread);
    if (!lk_task_at(c->snap, t->current_task) || !lk_ref_eq(t->drives, t->current_task) ||
        is_asked_for(c, t) || f->held_tasks || f->held_requests || o->ready != 0 ||
        o->timers != 0 || o->watched_fds != 0 || lk_tasks_may_be_missing(c))
        return false;
    for (size_t i = 0; i < c->snap->tasks.n; i++) {
        const struct lk_task *k = &c->snap->tasks.v[i];
        if (lk_ref_eq(k->loop, loop) && k->state == LK_TASK_PENDING && !k->inner)
            return false;
    }
    return true;
}

/* ---- code that a kernel, a prompt or a server's start runs ------------------------------ */

static bool is_inside_drive(const struct lk_pystack *st, unsigned mark)
{
    size_t outermost;
    unsigned marks;
    size_t drive = lk_drive_call(st, 0, &outermost, &marks);
    for (size_t i = 0; st && i < (drive ? drive - 1 : st->n); i++)
        if (st->frames[i].code && (st->frames[i].code->marks & mark))
            return true;
    return false;
}

bool lk_is_cell(const struct lk_thread *t)
{
    return is_inside_drive(t->python_stack, LK_MARK_CELL);
}

/* A task of the user's own, not only those of the kernel or prompt. */
static bool users_task_waits(const struct lk_rule_context *c, struct lk_ref loop)
{
    for (size_t i = 0; i < c->snap->tasks.n; i++) {
        const struct lk_task *k = &c->snap->tasks.v[i];
        const struct lk_pyframe *p = lk_culprit_frame(k->stack, NULL);
        if (lk_ref_eq(k->loop, loop) && k->state == LK_TASK_PENDING && p &&
            p->code->cls == LK_CODE_USER && !p->code->site)
            return true;
    }
    return lk_tasks_may_be_missing(c);
}

/* Also where that is not known: what sockets there are is in no core. */
static bool something_listens(const struct lk_snapshot *s)
{
    if (s->one_moment)
        return true;
    for (size_t i = 0; i < s->listeners.n; i++)
        if (s->listeners.v[i].listening)
            return true;
    return false;
}

/* Code of the user's that is on its way to open a server. */
static bool will_serve(const struct lk_pystack *st)
{
    size_t outermost;
    unsigned marks;
    size_t drive = lk_drive_call(st, 0, &outermost, &marks);
    for (size_t i = 0; st && i < (drive ? drive - 1 : st->n); i++) {
        const struct lk_code *code = st->frames[i].code;
        if (code && code->is_coroutine && code->mentions_serve && code->cls != LK_CODE_STDLIB)
            return true;
    }
    return false;
}

static bool is_starting(const struct lk_rule_context *c, struct lk_ref loop,
                        const struct lk_loop *o)
{
    const struct lk_thread *t = lk_thread_at(c->snap, o->thread);
    if (something_listens(c->snap))
        return false;
    bool starts = is_inside_drive(t->python_stack, LK_MARK_STARTUP) || will_serve(t->python_stack);
    for (size_t i = 0; i < c->snap->tasks.n && !starts; i++) {
        const struct lk_task *k = &c->snap->tasks.v[i];
        starts = lk_ref_eq(k->loop, loop) && k->state == LK_TASK_PENDING &&
                 (lk_stack_has(k->stack, LK_MARK_STARTUP) || will_serve(k->stack));
    }
    return starts;
}

const char *lk_who_waits_for_loop(const struct lk_rule_context *c, const struct lk_finding *f,
                                  const struct lk_loop *o)
{
    if (o->native)
        return "what waits in the loop's queues was not read";
    return lk_print(c, "%s %s in its ready queue; %s and %s wait behind it",
                    o->ready == LK_UNKNOWN ? "an unknown number of callbacks"
                                           : lk_count(c, o->ready, "callback"),
                    o->ready == 1 ? "stands" : "stand", lk_count(c, f->held_tasks, "task"),
                    lk_count(c, f->held_requests, "request"));
}

/* The coroutines on the stack, from the task's own inwards: "view > fetch > query". */
static const char *awaits(const struct lk_rule_context *c, const struct lk_pystack *st)
{
    const char *text = NULL;
    size_t n = 0;
    for (size_t i = 0; st && i < st->n; i++) {
        const struct lk_code *code = st->frames[i].code;
        if (!code || !code->is_coroutine)
            continue;
        if (++n > MOST_AWAITS)
            return lk_print(c, "... > %s", text);
        text = text ? lk_print(c, "%s > %s", code->qualname, text) : code->qualname;
    }
    return text;
}

void lk_say_callback_task(struct lk_rule_context *c, struct lk_finding *f,
                          const struct lk_thread *t)
{
    const struct lk_task *k = lk_task_at(c->snap, t->current_task);
    const char *chain = k ? awaits(c, k->stack) : NULL;
    if (k)
        lk_finding_say(c, f, "the callback is a step of %s%s%s", lk_name(c, t->current_task),
                       chain ? ": " : "", chain ? chain : "");
}

void lk_say_callback_age(struct lk_rule_context *c, struct lk_finding *f, const struct lk_loop *o)
{
    int64_t age = lk_callback_age(c, o);
    if (age >= LK_MIN_BLOCK_MS)
        lk_finding_say(c, f, "the loop has been in this one callback for %s%s",
                       o->turn_first ? "" : "at least ", lk_duration(c, age));
}

void lk_callback_finding(struct lk_rule_context *c, struct lk_finding *f, struct lk_ref loop,
                         const struct lk_loop *o)
{
    const struct lk_thread *t = lk_thread_at(c->snap, o->thread);
    lk_finding_part(c, f, o->thread, true);
    lk_finding_part(c, f, loop, false);
    if (lk_ref_id(c->snap, t->current_task))
        lk_finding_part(c, f, t->current_task, false);
    lk_finding_held(c, f, loop);
    /* Frames of a thread that ran may be of different moments; that the callback was the same in
     * all samples stands. */
    if (t->read == LK_READ_RACY)
        lk_finding_doubt(f, lk_callback_age(c, o) >= 0 && c->snap->watched_ms >= LK_TWO_SAMPLES_MS
                                ? LK_PROBABLE
                                : LK_POSSIBLE);
}

enum standing { IN_THE_WAY, OF_NOBODY, OF_A_CELL, OF_A_START };

static enum standing standing_of(const struct lk_rule_context *c, const struct lk_finding *f,
                                 struct lk_ref loop, const struct lk_loop *o)
{
    if (is_private_loop(c, f, loop, o))
        return OF_NOBODY;
    if (lk_is_cell(lk_thread_at(c->snap, o->thread)))
        return f->held_requests || users_task_waits(c, loop) ? OF_A_CELL : OF_NOBODY;
    return is_starting(c, loop, o) ? OF_A_START : IN_THE_WAY;
}

bool lk_weigh_callback(struct lk_rule_context *c, struct lk_finding *f, struct lk_ref loop,
                       const struct lk_loop *o, const char **meanwhile)
{
    static const struct {
        const char *meanwhile, *evidence;
    } words[] = {
        [IN_THE_WAY] = { "nothing else on that loop runs meanwhile", NULL },
        [OF_A_CELL] = { "the other tasks of that loop wait until this cell is done",
                        "the callback runs what somebody entered at a kernel or a prompt" },
        [OF_A_START] = { "the server is still starting",
                         "no socket of the process listens yet: no client can be waiting" },
    };
    enum standing is = standing_of(c, f, loop, o);
    if (is == OF_NOBODY)
        return false;
    *meanwhile = words[is].meanwhile;
    if (is == IN_THE_WAY)
        return true;
    lk_finding_say(c, f, "%s", words[is].evidence);
    f->severity = LK_HAZARD;
    f->needs_time = false;
    return true;
}

/* ---- what a callback does most ---------------------------------------------------------- */

double lk_cpu_share(const struct lk_rule_context *c, const struct lk_thread *t)
{
    return c->snap->watched_ms > 0
               ? (double)t->cpu_delta_us / (1000.0 * (double)c->snap->watched_ms)
               : 0;
}

/* A callback that now computes and now waits; what it is in for --stalled-after is what it does. */
bool lk_computes_most(const struct lk_rule_context *c, const struct lk_loop *o,
                      const struct lk_thread *t)
{
    return o->callback_same && c->snap->watched_ms >= LK_TWO_SAMPLES_MS &&
           lk_cpu_share(c, t) >= LK_BUSY_SHARE && !lk_is_stalled(c, t);
}

const char *lk_offload_remedy(const struct lk_rule_context *c, const struct lk_finding *f,
                              const struct lk_loop *o)
{
    return o->offload ? lk_print(c,
                                 "Move the call off the loop's thread (%s), or use a form of it "
                                 "that does not block.",
                                 o->offload)
                      : f->remedy;
}
