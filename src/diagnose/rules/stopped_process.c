/*
 * LK501: the process as a whole does not run. The facts come from /proc, before anything was
 * attached: State and TracerPid of status (proc_pid_status(5)), cgroup.freeze and cpu.stat (the
 * kernel's Documentation/admin-guide/cgroup-v2.rst).
 */
#include "diagnose/rules/finders.h"

#include "diagnose/rules/finding.h"
#include "diagnose/rules/rule_words.h"

/* Of the scheduling periods: from here on the limit, not the program, sets the pace. */
static const double much_throttled = 0.5, wholly_throttled = 0.9;

static void file_stopped(struct lk_rule_context *c, enum lk_verdict severity, const char *summary,
                         const char *evidence, const char *safe_now)
{
    struct lk_finding f = lk_finding_start(c, LK_RULE_LK501);
    f.severity = severity;
    f.summary = summary;
    lk_finding_say(c, &f, "%s", evidence);
    for (size_t i = 0; i < c->snap->threads.n; i++)
        f.held_requests += c->snap->threads.v[i].in_request;
    f.safe_now = safe_now;
    lk_finding_file(c, &f);
}

static void tell_tracer(struct lk_rule_context *c)
{
    const struct lk_process_halt *p = &c->snap->stop;
    bool halted = lk_is_halted(c->snap);
    const char *who =
        lk_print(c, "%s (process %lld)",
                 p->tracer_comm && *p->tracer_comm ? p->tracer_comm : "another process",
                 (long long)p->tracer_pid);
    file_stopped(
        c, halted ? LK_STALLED : LK_HAZARD,
        halted ? lk_print(c, "process %lld is held in a trace stop by %s", (long long)c->snap->pid,
                          who)
               : lk_print(c,
                          "process %lld is traced by %s, which slows every system call or may "
                          "stop it at any time",
                          (long long)c->snap->pid, who),
        lk_print(c, "TracerPid in /proc/%lld/status is %lld", (long long)c->snap->pid,
                 (long long)p->tracer_pid),
        lk_print(c, "End the tracer (or let it detach or continue): process %lld.",
                 (long long)p->tracer_pid));
}

/* A disk that answers in a while is none; only threads that stay there are spoken of. */
static void tell_d_state(struct lk_rule_context *c)
{
    const struct lk_process_halt *p = &c->snap->stop;
    bool old = false;
    for (size_t i = 0; i < c->snap->threads.n; i++) {
        const struct lk_thread *t = &c->snap->threads.v[i];
        if (t->kstate != 'D')
            continue;
        old |= t->stuck_ms != LK_UNKNOWN && t->stuck_ms >= c->snap->stalled_after_ms;
        if (!t->moved && c->snap->watched_ms < c->snap->stalled_after_ms)
            lk_watch(c, lk_ref_make(LK_KIND_THREAD, i));
    }
    if (!old)
        return;
    const char *where = p->d_where ? lk_print(c, " in %s", p->d_where) : "";
    file_stopped(
        c, LK_STALLED,
        lk_print(c, "%s %s in uninterruptible sleep%s: the kernel or a device does not answer",
                 lk_count(c, p->d_state, "thread"), p->d_state == 1 ? "is" : "are", where),
        "state D in /proc in every sample",
        "No signal reaches such a thread, not even SIGKILL; the device or mount it waits for must "
        "answer.");
}

static void tell_throttled(struct lk_rule_context *c)
{
    const struct lk_process_halt *p = &c->snap->stop;
    bool stalled =
        p->throttled_share >= wholly_throttled && p->throttled_ms >= c->snap->stalled_after_ms;
    file_stopped(
        c, stalled ? LK_STALLED : LK_HAZARD,
        lk_print(c, "process %lld is throttled by its CPU limit in %.0f %% of the periods",
                 (long long)c->snap->pid, p->throttled_share * 100),
        lk_print(c, "cpu.stat of its control group: throttled for %s while it was watched",
                 lk_duration(c, p->throttled_ms)),
        "Raise cpu.max (the container's CPU limit) or lower the load; nothing needs to be ended.");
}

void lk_find_process_stopped(struct lk_rule_context *c)
{
    const struct lk_snapshot *s = c->snap;
    const struct lk_process_halt *p = &s->stop;
    long long pid = (long long)s->pid;
    if (p->zombie)
        file_stopped(
            c, LK_STALLED,
            lk_print(
                c, "process %lld has ended and is a zombie: its parent %lld has not waited for it",
                pid, (long long)s->ppid),
            "state Z in /proc", "Nothing of it runs any more; its parent must call wait() or end.");
    if (p->job_stopped)
        file_stopped(
            c, LK_STALLED,
            lk_print(c,
                     "process %lld was stopped by a job-control signal (SIGSTOP, SIGTSTP): none "
                     "of its threads runs",
                     pid),
            "state T in /proc, and no tracer",
            lk_print(c, "kill -CONT %lld lets it run again.", pid));
    if (p->frozen)
        file_stopped(
            c, LK_STALLED,
            lk_print(c, "process %lld is in a frozen control group: none of its threads runs", pid),
            "the control group's freezer says so",
            "Thaw the group: write 0 to cgroup.freeze, or unpause the container.");
    if (p->tracer_pid > 0)
        tell_tracer(c);
    if (p->main_gone && !p->zombie)
        file_stopped(
            c, LK_HAZARD,
            lk_print(c, "the main thread of process %lld has ended while other threads live", pid),
            "the thread group's leader is a zombie",
            "Python runs signal handlers in the main thread only: the process does not react to "
            "SIGTERM or SIGINT any more, "
            "only to SIGKILL.");
    if (p->d_state > 0)
        tell_d_state(c);
    if (p->throttled_share >= much_throttled)
        tell_throttled(c);
}
