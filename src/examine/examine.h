/*
 * Drives the stations for one live process: opens the target, takes the samples, keeps watching a
 * candidate through /proc, reads sources, diagnoses.
 */
#ifndef LK_EXAMINE_EXAMINE_H
#define LK_EXAMINE_EXAMINE_H

#include <sys/types.h>

#include "read/native/unwind/unwind.h"
#include "report/report.h"

enum lk_stop_mode { LK_STOP_AUTO = 0, LK_STOP_ALL, LK_STOP_NONE };

/** Values of lk_examine_options.interrupted; any other one that is not 0 counts as LK_INTERRUPTED.
 */
enum lk_interruption { LK_DEADLINE_PASSED = -1, LK_GO_ON = 0, LK_INTERRUPTED };

struct lk_examine_options {
    unsigned samples, interval_ms, stalled_after_ms, max_pause_ms;
    enum lk_stop_mode stop;
    bool native;
    bool locals;      /* values of variables, in frames of what the findings name */
    bool main_locals; /* ... and in those of the main thread */
    enum lk_unwind_by unwinder;
    const char *project;
    const pid_t *together; /* processes examined for the same report set, this one among them */
    size_t n_together;
    bool tree; /* together lists whole trees */
    /* lk_process_ticks_now() when those were listed: what was started since is not missed; 0 not
     * known */
    uint64_t listed_ticks;
    volatile const int *interrupted;    /* becomes nonzero when the user wants out; may be NULL */
    const struct lk_patterns *patterns; /* the user's; may be NULL */
    struct lk_capture *capture;         /* what is read goes in here; NULL: it is not kept */
    const struct lk_capture_file *captured; /* what is examined; NULL: live processes */
    const struct lk_core_request *core;     /* likewise: its process, whatever pid is given */
    uint64_t (*now_ms)(void); /* the clock that deadlines are kept by; NULL: lk_now_ms() */
};

/** False with err when there can be no report at all. ret owns snapshot and findings. */
bool lk_examine_live(pid_t pid, const struct lk_examine_options *o, struct lk_report *ret,
                     struct lk_error *err);
/** Stands for a process of a set that could not be examined: an unknown verdict that says why. */
struct lk_report lk_report_missed(const struct lk_machine *m, pid_t pid,
                                  const struct lk_error *why);
void lk_report_deinit(struct lk_report *r);

#endif
