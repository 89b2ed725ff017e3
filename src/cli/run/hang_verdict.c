/*
 * An examination of the command, and what follows from its answer: the command is ended, what was
 * found is told and it is looked at again later, or nothing is wrong.
 */
#include "cli/run/supervision.h"

#include <string.h>

#include "cli/cli.h"
#include "cli/run/kill_tree.h"

enum {
    INTERRUPTED_MS = 10000, /* an examiner that was interrupted */
    MEMBER_MS = 250,        /* more for each process to be examined: not all are at once */
    AGAIN_MS = 2000,        /* what was told is looked at again; each time twice as long */
    MAX_DOUBLINGS = 12,
    AFTER_TIMER_MS = 100,
    EXAMINERS = 3, /* how often one that crashed is replaced */
};

static void defer(struct supervision *s, long long ms)
{
    s->deferred_until = supervision_now(s) + ms;
    supervision_enter(s, RUNNING);
}

static void no_report(struct supervision *s, const char *why)
{
    const bool replace = s->examiners < EXAMINERS;
    examiner_stop(&s->examiner, false);
    s->busy = false;
    if (replace && examiner_start(&s->examiner, &s->job, NULL, NULL))
        s->examiners++;
    if (s->stage == RUNNING || s->stage == ENDING)
        return;
    complain(0, "%s: %s",
             s->stage == WRITING ? "the report could not be written"
                                 : "the command could not be examined",
             why);
    if (s->stage == CONVICTING)
        supervision_hang(
            s, EXAMINER_LATE, s->r->timeout_ms,
            "unknown"); /* a test report without findings is still one of a failed test */
    else if (s->stage == WRITING)
        supervision_end_tree(s, s->r->grace_ms);
    else
        defer(s, 2LL * s->r->stall_ms);
}

void supervision_examine(struct supervision *s, enum supervision_stage stage)
{
    supervision_enter(s, stage);
    s->examined = s->stage_since;
    s->limit = 3LL * examiner_deadline(&s->r->common) +
               MEMBER_MS * (long long)lk_kill_tree_members(s->guardian, s->members, LK_TREE_MAX);
    s->stalled_at =
        s->progress ? (long long)lk_tree_progress_quiet_ms(s->progress, (uint64_t)s->examined) : 0;
    if (!supervision_ask(s, EXAMINER_EXAMINE))
        no_report(s, "the examining process is gone");
}

/* ---- the answer ------------------------------------------------------------------------ */

/* Output since the examination began: some of the tree gets on, whatever the rest of it does. */
static bool moved_meanwhile(struct supervision *s)
{
    const uint64_t t = (uint64_t)supervision_now(s);
    lk_tree_progress_look(s->progress, t);
    return (long long)lk_tree_progress_quiet_ms(s->progress, t) < s->stalled_at;
}

/* The end of a timer that may end a process is waited for once: one that has passed and ended
 * nothing is no reason to wait again. */
static bool spare(struct supervision *s, const struct examiner_answer *a)
{
    if (a->left_ms < 0 || strcmp(a->fingerprint, s->spared) == 0)
        return false;
    memcpy(s->spared, a->fingerprint, sizeof s->spared);
    return true;
}

/* Whether --stall-kill means this: all of it stands, or one main thread does beside whatever else
 * writes or beats. */
static bool stands_still(const struct supervision *s, const struct examiner_answer *a, bool moved)
{
    if (a->still_ms >= (long long)s->r->stall_ms)
        return true;
    if (moved || s->suspicion > LK_SUSPECT_BUSY)
        return false;
    return a->verdict >= LOOPKNOT_STALLED || (s->suspicion == LK_SUSPECT_IDLE && !a->runs);
}

/* When it is looked at again: after the timer on the way; where its end is not known after 2, 4, 8
 * ... s. */
static long long again_in(struct supervision *s, const struct examiner_answer *a)
{
    const unsigned doublings = s->told < MAX_DOUBLINGS ? s->told : MAX_DOUBLINGS;
    s->told++;
    return a->left_ms >= 0 ? a->left_ms + AFTER_TIMER_MS : (long long)AGAIN_MS << doublings;
}

static void judge(struct supervision *s, const struct examiner_answer *a)
{
    const char *verdict = loopknot_verdict_name((enum loopknot_verdict)a->verdict);
    const bool moved = moved_meanwhile(s);
    const long long quiet = s->stalled_at > supervision_now(s) - s->started
                                ? supervision_now(s) - s->started
                                : s->stalled_at;
    if (a->held && !spare(s, a)) {
        supervision_hang(s, EXAMINER_HELD, quiet, verdict);
    } else if (s->r->stall_kill && stands_still(s, a, moved)) {
        supervision_hang(s, EXAMINER_STILL, a->still_ms > quiet ? a->still_ms : quiet, verdict);
    } else if (a->held || (a->verdict >= LOOPKNOT_STALLED && !moved)) {
        defer(s, again_in(s, a));
        s->reason_ms = quiet;
        supervision_ask(s, EXAMINER_PRINT);
    } else {
        s->told = 0;
        defer(s, 2LL * s->r->stall_ms);
    }
}

void supervision_on_answer(struct supervision *s)
{
    struct examiner_answer a;
    const int got = examiner_answered(&s->examiner, &a);
    if (got < 0)
        return;
    if (!got) {
        no_report(s, "the examining process ended unexpectedly");
        return;
    }
    s->busy = false;
    if (a.word == EXAMINER_WRITE && s->stage == WRITING) {
        supervision_end_tree(s, s->r->grace_ms);
    } else if (a.word == EXAMINER_EXAMINE && s->stage == CONVICTING) {
        if (!a.examined)
            complain(0, "no process of the command could be examined");
        supervision_hang(s, EXAMINER_LATE, s->r->timeout_ms,
                         loopknot_verdict_name((enum loopknot_verdict)a.verdict));
    } else if (a.word == EXAMINER_EXAMINE && s->stage == SUSPECTING) {
        judge(s, &a);
    }
}

void supervision_enforce(struct supervision *s)
{
    const long long spent = supervision_now(s) - s->stage_since;
    if (spent > s->limit && !s->interrupted) {
        examiner_interrupt(&s->examiner);
        s->interrupted = true;
    }
    if (spent > s->limit + INTERRUPTED_MS)
        no_report(s, "it took too long");
}
