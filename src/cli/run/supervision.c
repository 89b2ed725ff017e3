/*
 * What `loopknot run` does whatever the occasion: its own time, the stage that is under way, and
 * the ways in which the command ends.
 */
#include "cli/run/supervision.h"

#include <errno.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/run/command_cgroup.h"
#include "cli/run/kill_tree.h"
#include "cli/run/write_core.h"
#include "util/text.h"

enum { WRITE_MS = 60000 }; /* writing reports, without core files */

long long supervision_clock_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

long long supervision_now(const struct supervision *s)
{
    return supervision_clock_ms() - s->suspended;
}

void supervision_enter(struct supervision *s, enum supervision_stage stage)
{
    s->stage = stage;
    s->stage_since = supervision_now(s);
    s->interrupted = false;
}

bool supervision_ask(struct supervision *s, enum examiner_word word)
{
    const struct examiner_request q = { .word = word,
                                        .root = s->guardian,
                                        .elapsed_ms = supervision_now(s) - s->started,
                                        .reason = s->reason,
                                        .reason_ms = s->reason_ms,
                                        .next_ms = s->deferred_until - supervision_now(s) };
    s->busy = examiner_ask(&s->examiner, &q);
    return s->busy;
}

/* ---- ending ---------------------------------------------------------------------------- */

static int own_status(int wait_status)
{
    return WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
}

void supervision_over(struct supervision *s, int status)
{
    s->status = status;
    supervision_enter(s, OVER);
}

void supervision_pass_on(struct supervision *s)
{
    const int status = own_status(s->wait_status);
    if (WIFEXITED(s->wait_status) && status >= EXIT_HUNG && status <= EXIT_NOT_FOUND)
        complain(0, "status %d is the command's own", status);
    supervision_over(s, status);
}

void supervision_end_tree(struct supervision *s, long long grace)
{
    /* Nobody has asked it to end before: with the signal that it answers best. */
    const int first = s->status == EXIT_HUNG ? s->r->signal : 0;
    lk_guard_send(s->guard, LK_GUARD_END, (int32_t)(grace > 0 ? grace : 0), first);
    supervision_enter(s, ENDING);
}

void supervision_end_without_guardian(struct supervision *s)
{
    pid_t denied;
    struct lk_command_cgroup cage;
    lk_command_cgroup_inherit(&cage, s->guardian);
    complain(0, "the guardian process was killed: ending the command");
    examiner_stop(&s->examiner, false);
    for (int i = 0; i < 500 && (waitpid(-1, NULL, WNOHANG) >= 0 || errno != ECHILD); i++) {
        lk_command_cgroup_kill(&cage);
        lk_kill_tree_kill(getpid(), &denied);
        usleep(10000);
        while (waitpid(-1, NULL, WNOHANG) > 0)
            continue;
    }
    lk_command_cgroup_destroy(&cage);
    supervision_over(s, s->status ? s->status : EXIT_FAILED);
}

void supervision_hang(struct supervision *s, enum examiner_reason reason, long long ms,
                      const char *verdict)
{
    static const char *const words[] = {
        [EXAMINER_HELD] = "a deadlock holds up its own end; last output before",
        [EXAMINER_STILL] = "it stood still for",
        [EXAMINER_LATE] = "it ran for longer than",
    };
    struct lk_arena *a = lk_arena_create();
    s->status = EXIT_HUNG;
    s->reason = reason;
    s->reason_ms = ms;
    complain(0, "the command is ended: %s %s (verdict: %s)", words[reason], lk_text_duration(a, ms),
             verdict);
    lk_arena_destroy(a);
    supervision_enter(s, WRITING);
    s->limit = WRITE_MS;
    if (s->r->core)
        s->limit +=
            CORE_WRITE_MS * (long long)lk_kill_tree_members(s->guardian, s->members, LK_TREE_MAX);
    if (!supervision_ask(s, EXAMINER_WRITE))
        supervision_end_tree(s, s->r->grace_ms);
}
