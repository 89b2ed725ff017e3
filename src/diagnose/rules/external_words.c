/*
 * LK406: the finding in words: who waits where, what is held up by it, what is at the end of the
 * chain of waits and how it is freed.
 */
#include "diagnose/rules/external_words.h"

#include "diagnose/catalog/classify.h"
#include "diagnose/catalog/frames.h"
#include "diagnose/rules/asked_server.h"
#include "diagnose/rules/cross_process_waits.h"
#include "diagnose/rules/finding.h"
#include "diagnose/rules/requests.h"
#include "diagnose/rules/rule_words.h"

/* ---- the other end --------------------------------------------------------------------- */

/* What else is known of the other end: who has it, and that there is none yet. */
static const char *more_of_end(const struct lk_rule_context *c, const struct lk_thread *t)
{
    if (lk_external_for_job(t))
        return "";
    if (t && t->os.connecting)
        return " (still connecting)";
    if (t && t->os.peer_pid > 0 && t->wait.kind == LK_WAIT_CHILD)
        return lk_print(c, " (%s)", t->os.peer_comm ? t->os.peer_comm : "?");
    if (t && t->os.peer_pid > 0 && t->os.child_pid <= 0)
        return lk_print(c, " (held by process %lld (%s))", (long long)t->os.peer_pid,
                        t->os.peer_comm ? t->os.peer_comm : "?");
    return t && lk_external_to_itself(t) ? " (of which this very process has the other end)" : "";
}

/* The child for whose end the last of the chain waits; 0 none that is known. */
static int64_t awaited_child(const struct lk_rule_context *c, const struct lk_external_chain *x)
{
    const struct lk_extern *e = lk_extern_at(c->snap, x->end);
    const struct lk_thread *t = lk_thread_at(c->snap, x->last);
    if (t && t->os.child_pid != LK_UNKNOWN)
        return LK_MAX(t->os.child_pid, (int64_t)0);
    return e && !t ? e->child_pid : 0;
}

static const char *name_child(const struct lk_rule_context *c, int64_t pid)
{
    for (size_t i = 0; i < c->snap->children.n; i++)
        if (c->snap->children.v[i].pid == pid && c->snap->children.v[i].comm)
            return lk_print(c, "child process %lld (%s)", (long long)pid,
                            c->snap->children.v[i].comm);
    return lk_print(c, "child process %lld", (long long)pid);
}

static const char *name_plain_end(const struct lk_rule_context *c,
                                  const struct lk_external_chain *x)
{
    const struct lk_extern *e = lk_extern_at(c->snap, x->end);
    const struct lk_thread *t = lk_thread_at(c->snap, x->last);
    if (awaited_child(c, x))
        return name_child(c, awaited_child(c, x));
    if (e && e->text && *e->text)
        return e->text;
    if (t && t->os.peer)
        return t->os.fd != LK_UNKNOWN ? lk_print(c, "%s (fd %lld)", t->os.peer, (long long)t->os.fd)
                                      : t->os.peer;
    if (t && t->os.path)
        return t->os.path;
    if (t && t->os.fd != LK_UNKNOWN)
        return lk_print(c, "file descriptor %lld", (long long)t->os.fd);
    return "something outside of this process";
}

const char *lk_external_name(const struct lk_rule_context *c, const struct lk_external_chain *x)
{
    const char *more = more_of_end(c, lk_thread_at(c->snap, x->last));
    return *more ? lk_print(c, "%s%s", name_plain_end(c, x), more) : name_plain_end(c, x);
}

static const char *how_to_free_it(const struct lk_rule_context *c,
                                  const struct lk_external_chain *x, const char *end)
{
    const struct lk_thread *last = lk_thread_at(c->snap, x->last);
    const int64_t child = awaited_child(c, x);
    return lk_external_for_job(last) ? lk_capitalized(c, lk_end_process_words(c))
           : child ? lk_print(c, "kill -TERM %lld (the child) ends the wait.", (long long)child)
           : last && lk_external_to_itself(last) ? lk_capitalized(c, lk_end_process_words(c))
           : last && last->os.peer_pid > 0 && last->os.on != LK_OS_SOCKET
               ? lk_print(c, "kill -TERM %lld (%s, which has the other end) ends the wait.",
                          (long long)last->os.peer_pid,
                          last->os.peer_comm ? last->os.peer_comm : "the process")
               : lk_print(c,
                          "The wait ends when %s answers or closes; ending the peer's side "
                          "frees it without a restart.",
                          end);
}

/* A task that awaits a task of the chain with a timeout ends the wait. */
static bool goes_through_task(const struct lk_rule_context *c, const struct lk_external_chain *x)
{
    for (size_t i = 0; i < x->n; i++)
        if (lk_task_at(c->snap, x->e[i].to))
            return true;
    return false;
}

/* Who is waited for writes into a full pipe that this process was to read: each waits for the
 * other. */
static const char *filled_pipe(const struct lk_rule_context *c, const struct lk_external_chain *x)
{
    const struct lk_extern *e = lk_extern_at(c->snap, x->end);
    return e ? e->fills : NULL;
}

static void say_filled(struct lk_rule_context *c, struct lk_finding *f,
                       const struct lk_external_chain *x, const char *pipe)
{
    const struct lk_thread *last = lk_thread_at(c->snap, x->last);
    if (last && last->wait.kind != LK_WAIT_CHILD) {
        lk_finding_say(c, f,
                       "process %lld, at the other end, is blocked in a write to %s, which is full "
                       "and whose reading end this process has",
                       (long long)last->os.peer_pid, pipe);
        f->remedy = "Do not serve one pipe of a child to its end while another one fills: "
                    "communicate() serves all of them at once, a thread for each pipe does too; or "
                    "send what nobody reads to a file or to subprocess.DEVNULL.";
        return;
    }
    lk_finding_say(
        c, f,
        "the child is blocked in a write to %s, which is full and whose reading end this "
        "process has: it ends only when that is read%s",
        pipe, last ? ", and that is to be done after its end" : "");
    f->remedy = "Read what the child writes before waiting for its end: communicate(), or read to "
                "the end and then wait(); drain a queue before join(). Or give the child no pipe "
                "(stdout=subprocess.DEVNULL, a file).";
}

/* ---- who waits ------------------------------------------------------------------------- */

/* A job of a task queue that waits for the result of another one. */
static bool is_job_in_job(const struct lk_rule_context *c, struct lk_ref r)
{
    const struct lk_wait *w = lk_wait_of(c->snap, r);
    return w && (w->traits & LK_WAIT_FOR_JOB) && lk_stack_has(lk_stack_of(c->snap, r), LK_MARK_JOB);
}

static const char *what_is_held_up(const struct lk_rule_context *c, const struct lk_wait_group *g)
{
    const struct lk_thread *t = lk_thread_at(c->snap, g->who[0]);
    const bool request = !t || lk_is_request_thread(c->snap, t);
    if (request && t && !t->in_request)
        return g->n > 1 ? "what they run is" : "what it runs is";
    return g->n > 1 ? (request ? "the requests they serve are" : "their waits for results are")
                    : (request ? "the request it serves is" : "its wait for a result is");
}

/* Where who waits has code of the project's own, that is told; else whom it waits through. */
static bool is_told_by_itself(const struct lk_rule_context *c, const struct lk_wait_group *g,
                              const struct lk_external_chain *x)
{
    return lk_ref_eq(x->last, g->who[0]) || lk_is_project(c, g->who[0]);
}

/* "Thread x [4711] blocks in socket.recv() at ask (app.py:10)", "... waits through task Task-1
 * (ask) at ask (app.py:10)". */
static const char *who_waits(const struct lk_rule_context *c, const struct lk_wait_group *g,
                             const struct lk_finding *f, const struct lk_external_chain *x)
{
    const struct lk_thread *t = lk_thread_at(c->snap, g->who[0]);
    const struct lk_culprit own = lk_culprit_of(c, g->who[0]);
    const char *s = g->n == 1 ? "s" : "";
    const char *place = lk_place(c, lk_is_project(c, g->who[0]) ? &own : &f->culprits.v[0]);
    if (!is_told_by_itself(c, g, x))
        return lk_print(c, "%s wait%s through %s at %s", lk_wait_group_who(c, g), s,
                        lk_name(c, x->last), place);
    return t ? lk_print(c, "%s block%s in %s at %s", lk_wait_group_who(c, g), s, lk_blocks_in(c, t),
                        place)
             : lk_print(c, "%s wait%s at %s", lk_wait_group_who(c, g), s, place);
}

/* ", through task Task-1 (ask) at ask (app.py:10)," */
static const char *by_way_of(const struct lk_rule_context *c, const struct lk_wait_group *g,
                             const struct lk_external_chain *x)
{
    if (lk_ref_eq(x->last, g->who[0]) || !is_told_by_itself(c, g, x))
        return "";
    const struct lk_culprit last = lk_culprit_of(c, x->last);
    return lk_print(c, ", through %s%s,", lk_name(c, x->last),
                    lk_is_project(c, x->last) ? lk_print(c, " at %s", lk_place(c, &last)) : "");
}

/* ---- the finding ----------------------------------------------------------------------- */

static void say_job_in_job(struct lk_rule_context *c, struct lk_finding *f,
                           const struct lk_wait_group *g)
{
    lk_finding_say(c, f,
                   "%s in a job: where other jobs are run by the same workers, one that is free is "
                   "needed for it, and each that waits like this is none",
                   g->n == 1 ? "the wait is" : "the waits are");
    f->remedy =
        "Do not wait for a job inside a job: once all workers wait like this nobody is left "
        "to run what they wait for. Chain jobs (Celery: chain, chord, link), or let the "
        "other job go to workers of its own and give the wait a timeout.";
}

static void say_external(struct lk_rule_context *c, struct lk_finding *f,
                         const struct lk_wait_group *g, const struct lk_external_chain *x,
                         const struct lk_asked_server *v)
{
    const struct lk_thread *last = lk_thread_at(c->snap, x->last);
    const char *end = v->kind ? lk_print(c, "%s (%s)", lk_external_name(c, x), v->kind->name)
                              : lk_external_name(c, x);
    const bool itself = last && lk_external_to_itself(last);
    const char *pipe = filled_pipe(c, x);
    const char *more =
        pipe     ? lk_print(c,
                            ": %s writes to %s, which is full, and whose reading end "
                                "this process has",
                        last && last->wait.kind != LK_WAIT_CHILD ? "that process" : "it", pipe)
        : itself ? ""
                 : lk_asked_server_keeper(c, x, v);
    f->summary = lk_print(c, "%s: %s held up%s by %s, without a timeout%s", who_waits(c, g, f, x),
                          what_is_held_up(c, g), by_way_of(c, g, x), end, more);
    lk_finding_say(c, f, "the chain of waits ends %s %s, and no wait in it has a timeout",
                   itself ? "at" : "outside of this process, at", end);
    if (pipe)
        say_filled(c, f, x, pipe);
    if (itself) {
        f->remedy = "Close the other end when its writer is done, also on errors, so that reading "
                    "ends; let nobody wait for the reader before that, or with a timeout.";
        lk_finding_say(c, f,
                       "which code of this process would write there is not known, so it is not "
                       "proven to be a deadlock");
    }
    if (last && last->os.local && last->os.peer && !lk_external_for_job(last))
        lk_finding_say(c, f, "%s from %s to %s, in %s()",
                       last->os.on == LK_OS_SOCKET ? "a connection" : "a descriptor",
                       last->os.local, last->os.peer,
                       last->os.syscall ? last->os.syscall : "a system call");
    if (is_job_in_job(c, x->last))
        say_job_in_job(c, f, g);
    const struct lk_extern *e = lk_extern_at(c->snap, x->end);
    if (lk_task_at(c->snap, x->last) && e && e->quiet_ms != LK_UNKNOWN)
        lk_finding_say(c, f, "no data has come or gone on that connection for %s, says the kernel",
                       lk_duration(c, e->quiet_ms));
    else if (lk_task_at(c->snap, x->last))
        lk_finding_say(c, f,
                       "%s was in this one wait in all samples: the same objects at the same "
                       "places in its frames",
                       lk_name(c, x->last));
}

void lk_external_tell(struct lk_rule_context *c, const struct lk_wait_group *g,
                      const struct lk_external_chain *x)
{
    const struct lk_thread *t = lk_thread_at(c->snap, g->who[0]),
                           *last = lk_thread_at(c->snap, x->last);
    const struct lk_task *task = lk_task_at(c->snap, x->last);
    struct lk_finding f = lk_finding_start(c, LK_RULE_LK406);
    lk_finding_blame_chain(c, &f, g->who[0], x->e, x->n, !t);
    lk_finding_part(c, &f, g->who[0], false);
    for (size_t k = 0; k < x->n; k++)
        lk_finding_part(c, &f, x->e[k].to, false);
    lk_wait_group_add(c, &f, g);
    lk_finding_chain(c, &f, x->e, x->n);
    if (x->only_alike) {
        lk_finding_doubt(&f, LK_PROBABLE);
        lk_finding_say(c, &f,
                       "the loop's thread ran whenever it was looked at; what was read then "
                       "is alike in all samples");
    }
    lk_finding_since(c, &f, t ? t : last);
    if (task && !t)
        lk_finding_since_task(c, &f, task);
    if (!t || goes_through_task(c, x))
        lk_finding_doubt_absence(c, &f, LK_PROBABLE);
    f.severity = LK_STALLED;
    const struct lk_asked_server v = lk_asked_server_of(c, g->who[0], x);
    say_external(c, &f, g, x, &v);
    lk_asked_server_say_own(c, &f, &v);
    if (v.keeps)
        lk_finding_part(c, &f, v.keeps->by, true);
    if (v.kind)
        f.remedy = v.kind->timeouts;
    f.safe_now =
        v.kind ? lk_asked_server_question(c, &v) : how_to_free_it(c, x, name_plain_end(c, x));
    f.safe_now = lk_with_kill(c, &f, f.safe_now);
    lk_finding_held_by(c, &f, g->lasts, g->n);
    lk_finding_say_cross_waits(c, &f, x->last);
    lk_finding_file(c, &f);
    lk_wait_group_explain(c, g);
}
