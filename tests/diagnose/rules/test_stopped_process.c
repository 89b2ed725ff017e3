/*
 * LK501: the process does not run, and nobody is accused for that.
 */
#include "make.h"

static void stopped_process(void **state)
{
    (void)state;
    for (int i = 0; i < 8; i++) {
        static const enum lk_verdict verdicts[] = { LK_STALLED, LK_STALLED, LK_STALLED, LK_HAZARD,
                                                    LK_HAZARD,  LK_STALLED, LK_STALLED, LK_HAZARD };
        struct lk_snapshot *s = mk();
        struct lk_ref t = mk_thread(s, "main", "serve@/srv/app.py:3", NULL);
        switch (i) {
        case 0: s->stop.job_stopped = true; break;
        case 1: s->stop.frozen = true; break;
        case 2:
            s->stop.tracer_pid = 99;
            s->stop.tracer_comm = "gdb";
            THREAD(t)->kstate = 't';
            break;
        case 3:
            s->stop.tracer_pid = 99;
            s->stop.tracer_comm = "strace";
            break;
        case 4: s->stop.main_gone = true; break;
        case 5:
            s->stop.d_state = 1;
            THREAD(t)->kstate = 'D';
            break;
        case 6:
            s->stop.throttled_share = 0.97;
            s->stop.throttled_ms = 3000;
            break;
        case 7:
            s->stop.throttled_share = 0.6;
            s->stop.throttled_ms = 100;
            break;
        }
        mk_expect(s, verdicts[i], "LK501");
    }
}

/* What does not move in a stopped process is not for that reason stuck. */
static void stopped_process_stalls_nobody(void **state)
{
    (void)state;
    struct lk_snapshot *s = mk();
    s->stop.job_stopped = true;
    mk_asking(s, "10.0.0.7:5432");
    struct lk_ref t = mk_thread(s, "bg-loop", HANDLER, NULL), o = mk_loop(s, t);
    mk_wait(s, t, LK_WAIT_SLEEP, NONE);
    mk_ready_task(s, o, "other");
    mk_expect(s, LK_STALLED, "LK501");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stopped_process),
        cmocka_unit_test(stopped_process_stalls_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
