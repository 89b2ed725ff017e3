/*
 * A thread sleeps in the kernel with the GIL in its hands, and others want it: no Python code runs
 * until that call returns, and what the call waits for is not this program's matter. Threads that
 * merely compete for the GIL run in between (Python/ceval_gil.h, take_gil).
 */
#include "diagnose/rules/kept_gil.h"

#include "diagnose/rules/finding.h"
#include "diagnose/rules/rule_words.h"
#include "diagnose/wording/entity.h"

static int64_t wait_for_gil_of(const struct lk_rule_context *c, struct lk_ref holder)
{
    int64_t n = 0;
    for (size_t i = 0; i < c->snap->threads.n; i++) {
        const struct lk_thread *t = &c->snap->threads.v[i];
        n += t->wait.kind == LK_WAIT_GIL && t->wait.on.n == 1 && lk_ref_eq(t->wait.on.v[0], holder);
    }
    return n;
}

/* Python threads that were met running, for a moment too short to be stopped in: while another has
 * the GIL they ask for it, or run code that needs none. */
static int64_t unread_beside(const struct lk_rule_context *c, const struct lk_thread *holder)
{
    int64_t n = 0;
    for (size_t i = 0; i < c->snap->threads.n; i++) {
        const struct lk_thread *t = &c->snap->threads.v[i];
        n += t != holder && t->gil == holder->gil && t->python && t->running &&
             (t->read == LK_READ_RACY || c->snap->one_moment);
    }
    return n;
}

/* Who is kept from running Python code; NULL: nobody that is known. */
static const char *kept_from_gil(struct lk_rule_context *c, struct lk_ref holder)
{
    int64_t n = wait_for_gil_of(c, holder);
    if (n)
        return n == 1 ? "1 thread waits for it"
                      : lk_print(c, "%lld threads wait for it", (long long)n);
    n = unread_beside(c, lk_thread_at(c->snap, holder));
    c->out->look_again.at_once |= n > 0;
    return n ? lk_print(c, "%s that ran %s", lk_count(c, n, "thread"),
                        c->snap->one_moment ? "may ask for it" : "could not be read")
             : NULL;
}

/* The innermost native frame that says what the thread is in; NULL. */
static const char *native_function(const struct lk_thread *t)
{
    const struct lk_natstack *st = t->native_stack;
    for (size_t i = 0; st && i < st->n; i++)
        if (!st->frames[i].system && st->frames[i].function)
            return st->frames[i].function;
    return NULL;
}

const char *lk_gil_is_kept(struct lk_rule_context *c)
{
    for (size_t i = 0; i < c->snap->threads.n; i++) {
        const struct lk_thread *t = &c->snap->threads.v[i];
        struct lk_ref holder = lk_ref_make(LK_KIND_THREAD, i);
        const char *kept = t->holds_gil && !t->running && t->os.syscall && !c->explained[i]
                               ? kept_from_gil(c, holder)
                               : NULL;
        if (!kept)
            continue;
        if (!lk_is_stalled(c, t)) {
            if (lk_may_stall(c, t))
                lk_watch(c, holder);
            continue;
        }
        const char *function = native_function(t);
        struct lk_culprit p = lk_culprit_of(c, holder);
        return lk_print(c,
                        "%s has kept the GIL for %s in %s%s%s(), called at %s, and %s: no "
                        "Python code%s runs meanwhile",
                        lk_name(c, holder), lk_duration(c, lk_stuck(c, t)),
                        function ? function : "", function ? ", in " : "", t->os.syscall,
                        lk_place(c, &p), kept,
                        c->snap->python.gils > 1 ? " of its interpreter" : "");
    }
    return NULL;
}
