/*
 * loopknot itself while `loopknot run` runs: one loop over messages of the guardian and the
 * examiner, signals and time, and a stage that says what is under way. It never waits for anything
 * but events. How the four processes stand to each other is told in docs/architecture.md.
 * Beside it: supervision.c (time, stages, ends), start_command.c, hang_verdict.c (examinations),
 * relay_signals.c.
 */
#include "cli/run/supervisor.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "cli/cli.h"
#include "cli/run/command_name.h"
#include "cli/run/supervision.h"
#include "util/memory.h"
#include "util/text.h"

enum {
    LEAST_TICK_MS = 50,
    TICKS = 20,
    CLEAR_MS = 15000, /* the guardian beyond the grace */
    LAST_GRACE_MS = 1000,
    /* what writes is looked at too, rarely: output does not hide a hang for ever */
    TALKING_WINDOWS = 10,
    TALKING_MS = 10000,
};

static bool watching(const struct supervision *s)
{
    return s->stage == RUNNING && !s->cancel_at && !s->ended;
}

static long long tick(const struct supervision *s)
{
    const long long ms = s->progress ? s->r->stall_ms / TICKS : SUPERVISION_TICK_MS;
    return ms > SUPERVISION_TICK_MS ? SUPERVISION_TICK_MS : ms < LEAST_TICK_MS ? LEAST_TICK_MS : ms;
}

/* ---- the guardian's words ------------------------------------------------------------------ */

static void on_started(struct supervision *s, const struct lk_guard_message *m)
{
    s->guardian = m->a;
    s->command = m->b;
    s->started = supervision_now(s);
    if (s->r->stall_ms)
        s->progress = lk_tree_progress_create(s->guardian, s->r->stall_ms, (uint64_t)s->started);
    s->next_look = s->started + tick(s);
}

static void on_ended(struct supervision *s, int wait_status)
{
    s->ended = true;
    s->wait_status = wait_status;
    if (s->stage == WRITING || s->stage == ENDING)
        return; /* of our doing, or too late */
    if (s->stage == CONVICTING)
        complain(0, "the command ended by itself while it was examined");
    if (s->asked_at && supervision_now(s) - s->asked_at <= s->r->grace_ms)
        supervision_end_tree(s, s->asked_at + s->r->grace_ms -
                                    supervision_now(s)); /* cancelled: nothing stays behind */
    else
        supervision_pass_on(s);
}

static void on_clear(struct supervision *s, const struct lk_guard_message *m)
{
    if (m->a)
        complain(0, "%d processes could not be ended, one of them is %d", (int)m->a, (int)m->b);
    if (s->status == EXIT_HUNG || !s->ended)
        supervision_over(s, EXIT_HUNG);
    else
        supervision_pass_on(s);
}

static void on_guard(struct supervision *s)
{
    struct lk_guard_message m;
    int got;
    while (s->stage != OVER && (got = lk_guard_receive(s->guard, &m)) >= 0) {
        if (!got) {
            supervision_end_without_guardian(s);
            return;
        }
        switch (m.word) {
        case LK_GUARD_STARTED: on_started(s, &m); break;
        case LK_GUARD_STOPPED: supervision_stop_too(s, m.a); break;
        case LK_GUARD_ENDED: on_ended(s, m.a); break;
        case LK_GUARD_CLEAR: on_clear(s, &m); break;
        case LK_GUARD_NOT_RUN:
            supervision_over(s, complain(m.a == ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE,
                                         "cannot run %s: %s", s->r->command[0], strerror(m.a)));
            break;
        default: break;
        }
    }
}

/* ---- time ------------------------------------------------------------------------------ */

static void look(struct supervision *s)
{
    const long long t = supervision_now(s);
    const long long rarely = LK_MAX(TALKING_WINDOWS * (long long)s->r->stall_ms, TALKING_MS);
    lk_tree_progress_look(s->progress, (uint64_t)t);
    if (t < s->deferred_until)
        return;
    s->suspicion = lk_tree_progress_suspect(s->progress, (uint64_t)t);
    if (s->suspicion == LK_UNSUSPICIOUS && t - (s->examined ? s->examined : s->started) >= rarely)
        s->suspicion = LK_SUSPECT_TALKING;
    if (s->suspicion == LK_UNSUSPICIOUS)
        return;
    if (s->r->common.render.verbose) {
        struct lk_arena *a = lk_arena_create();
        complain(0, "no output for %s, %.2f cores used: examining",
                 lk_text_duration(a, (int64_t)lk_tree_progress_quiet_ms(s->progress, (uint64_t)t)),
                 lk_tree_progress_cores(s->progress, (uint64_t)t));
        lk_arena_destroy(a);
    }
    supervision_examine(s, SUSPECTING);
}

static void on_time(struct supervision *s)
{
    const long long t = supervision_now(s);
    const bool late = s->r->timeout_ms && s->started && t - s->started >= s->r->timeout_ms &&
                      !s->ended && !s->cancel_at;
    if (late && (s->stage == RUNNING || s->stage == SUSPECTING)) {
        if (s->stage == RUNNING)
            supervision_examine(s, CONVICTING);
        else
            s->stage = CONVICTING;
    } else if (s->cancel_at && t >= s->cancel_at && s->stage < WRITING) {
        s->cancel_at = 0;
        supervision_end_tree(s, LAST_GRACE_MS);
    } else if (s->stage == SUSPECTING || s->stage == CONVICTING || s->stage == WRITING) {
        supervision_enforce(s);
    } else if (s->stage == ENDING &&
               t - s->stage_since > (s->r->signal ? 2LL : 1LL) * s->r->grace_ms + CLEAR_MS) {
        complain(0, "the guardian process %d does not answer", (int)s->guardian);
        kill(s->guardian, SIGKILL);
    } else if (watching(s) && s->progress && t >= s->next_look) {
        s->next_look = t + tick(s);
        look(s);
    }
}

/* Milliseconds until there is something to do; -1 when only events count. */
static int poll_timeout(const struct supervision *s)
{
    const long long t = supervision_now(s);
    long long at = -1;
    if (s->stage != RUNNING || s->cancel_at)
        return LEAST_TICK_MS;
    if (s->progress && watching(s))
        at = s->next_look;
    if (s->r->timeout_ms && s->started && !s->ended &&
        (at < 0 || at > s->started + s->r->timeout_ms))
        at = s->started + s->r->timeout_ms;
    if (at < 0)
        return -1;
    return at <= t ? 0 : at - t > 60000 ? 60000 : (int)(at - t);
}

static void handle_events(struct supervision *s)
{
    while (s->stage != OVER) {
        struct pollfd p[] = { { s->guard, POLLIN, 0 },
                              { s->signals, POLLIN, 0 },
                              { s->examiner.fd, POLLIN, 0 } };
        const int wait = poll_timeout(s);
        const long long since = supervision_clock_ms();
        poll(p, 3, wait);
        if (p[1].revents) {
            supervision_leave_out_suspension(s, since, wait);
            supervision_on_signals(s);
        }
        if (p[0].revents)
            on_guard(s);
        if (s->stage != OVER && p[2].revents && p[2].fd == s->examiner.fd)
            supervision_on_answer(s);
        if (s->stage != OVER)
            on_time(s);
    }
}

/* Leaves: what the command has left behind, if anything, is no longer ours. */
static void leave(struct supervision *s)
{
    lk_guard_send(s->guard, LK_GUARD_LEAVE, 0, 0);
    /* In the midst of an examination there is nobody to wait for the guardian; it becomes our child
     * then. */
    examiner_stop(&s->examiner, !s->busy);
    if (s->guardian)
        waitpid(s->guardian, NULL, 0);
    lk_tree_progress_destroy(s->progress);
}

int supervise(const struct run *r)
{
    static struct supervision s;
    char *name = lk_command_name(r->command);
    s.r = r;
    s.job = (struct examiner_job){ .common = &r->common,
                                   .command = name,
                                   .core = r->core,
                                   .capture = r->capture,
                                   .keep = s.keep };
    s.job.n_keep = supervision_find_kept(&r->common.outputs, s.keep);
    if (supervision_start(&s)) {
        handle_events(&s);
        leave(&s);
    } else {
        s.status = complain(EXIT_FAILED, "could not start: %s", strerror(errno));
    }
    lk_free(name);
    return s.status;
}
