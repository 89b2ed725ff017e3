/*
 * Inside of supervisor.c and the files beside it: one run of a command under the watchdog.
 */
#ifndef LK_CLI_RUN_SUPERVISION_H
#define LK_CLI_RUN_SUPERVISION_H

#include <stdbool.h>
#include <sys/types.h>

#include "cli/run/examiner.h"
#include "cli/run/guardian.h"
#include "cli/run/kill_tree.h"
#include "cli/run/signals.h"
#include "cli/run/supervisor.h"
#include "cli/run/tree_progress.h"

enum {
    SUPERVISION_TICK_MS = 1000, /* between looks: a twentieth of --stall, at most this */
    SUPERVISION_MAX_KEEP = MAX_OUTPUTS + 1,
};

enum supervision_stage {
    RUNNING,
    SUSPECTING, /* an examination because nothing moved */
    CONVICTING, /* an examination because the time is over: whatever it finds, the run has hung */
    WRITING,    /* the reports */
    ENDING,     /* the guardian ends the tree */
    OVER,
};

struct supervision {
    const struct run *r;
    enum supervision_stage stage;
    int guard, signals;
    struct lk_inherited inherited;
    struct examiner examiner;
    struct examiner_job job;
    unsigned examiners; /* started so far */
    int keep[SUPERVISION_MAX_KEEP];
    pid_t guardian, command;
    struct lk_tree_progress *progress; /* NULL: --stall 0 */
    enum lk_suspicion suspicion;
    long long suspended; /* milliseconds in which we were stopped: not the command's */
    long long next_look;
    long long limit; /* of the examination or of writing reports, in milliseconds */
    pid_t members[LK_TREE_MAX];
    long long started, stage_since,
        examined;         /* by supervision_now(); the last: when the examination began */
    long long stalled_at; /* quiet for so long when it began */
    /* when a signal to us asked the command to end; 0: never */
    long long asked_at;
    /* after a SIGTERM: until then it may end by itself; 0: none */
    long long cancel_at;
    bool busy, interrupted, ended; /* the first two: the examiner */
    enum examiner_reason reason;   /* of ending the command */
    long long reason_ms;
    long long deferred_until; /* no examination before */
    unsigned told;            /* examinations in a row that told of something and ended nothing */
    char spared[17];          /* fingerprint of the hang for which a timer's end was waited for */
    int wait_status, status;  /* the command's once it has ended; ours */
};

/* ---- supervision.c ------------------------------------------------------------------- */

/** Milliseconds of the monotonic clock. */
long long supervision_clock_ms(void);
/** The command's time: that of a job that was suspended does not count. */
long long supervision_now(const struct supervision *s);
void supervision_enter(struct supervision *s, enum supervision_stage stage);
/** Asks the examiner; false when it is gone. */
bool supervision_ask(struct supervision *s, enum examiner_word word);
/** The run is over. */
void supervision_over(struct supervision *s, int status);
/** ... with the command's own status, told from ours where they look the same. */
void supervision_pass_on(struct supervision *s);
/** The guardian ends the tree, which has so many milliseconds to end by itself. */
void supervision_end_tree(struct supervision *s, long long grace);
/** The guardian is gone though nobody told it to go: all it guarded is ours now (we are the next
 * subreaper). */
void supervision_end_without_guardian(struct supervision *s);
/** The command has hung: reports, then its end. ms: for how long it stood still, or ran. */
void supervision_hang(struct supervision *s, enum examiner_reason reason, long long ms,
                      const char *verdict);

/* ---- start_command.c ----------------------------------------------------------------- */

/** Descriptors that outputs name: at most SUPERVISION_MAX_KEEP. @return how many. */
unsigned supervision_find_kept(const struct outputs *o, int *ret);
/** Starts all; false with errno. */
bool supervision_start(struct supervision *s);

/* ---- hang_verdict.c ------------------------------------------------------------------ */

/** Begins an examination; stage: SUSPECTING or CONVICTING. */
void supervision_examine(struct supervision *s, enum supervision_stage stage);
/** The examiner has something to say. */
void supervision_on_answer(struct supervision *s);
/** An examination, or a report, that takes too long is interrupted, then given up. */
void supervision_enforce(struct supervision *s);

/* ---- relay_signals.c ----------------------------------------------------------------- */

/** Who was stopped by job control shows it to the shell in the same way, and goes on with the
 * command when told to. */
void supervision_stop_too(struct supervision *s, int number);
void supervision_on_signals(struct supervision *s);
/** A gap that no wait explains, with a SIGCONT at its end: somebody had stopped us (and our job),
 * it is not the command's time. */
void supervision_leave_out_suspension(struct supervision *s, long long slept_since, int wait);

#endif
