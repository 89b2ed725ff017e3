/* A capture has a section for each process, also for one that could not be opened: it says why. */
#include "examine/target.h"

#include "process/capture/capture_file.h"
#include "process/capture/record.h"

struct lk_process *lk_target_open(pid_t pid, const struct lk_examine_options *o,
                                  struct lk_error *err)
{
    struct lk_process *t =
        o->captured ? lk_capture_open(o->captured, pid, err) : lk_process_open_live(pid, err);
    if (t && o->capture)
        lk_record_start(t);
    else if (o->capture)
        lk_capture_add_missed(o->capture, pid, err);
    return t;
}

void lk_target_close(struct lk_process *t, const struct lk_examine_options *o)
{
    struct lk_bytes tape;
    if (t && o->capture && lk_record_end(t, &tape)) {
        lk_capture_add(o->capture, lk_process_pid(t), &tape);
        lk_free(tape.v);
    }
    lk_process_destroy(t);
}
