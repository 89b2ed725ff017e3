/* Live or captured, recorded or not: told by the options. */
#include "examine/target.h"

#include <string.h>

#include "process/capture/capture_file.h"
#include "process/capture/record.h"
#include "process/core/core.h"
#include "snapshot/builder.h"
#include "util/version.h"

struct lk_process *lk_target_open(pid_t pid, const struct lk_examine_options *o,
                                  struct lk_error *err)
{
    struct lk_process *t = o->core       ? lk_core_open(o->core, err)
                           : o->captured ? lk_capture_open(o->captured, pid, err)
                                         : lk_process_open_live(pid, err);
    if (t && o->capture)
        lk_record_start(t);
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

void lk_target_note_gaps(const struct lk_process *t, const struct lk_examine_options *o,
                         struct lk_snapshot *s)
{
    const char *by = o->captured ? lk_capture_head(o->captured)->tool : NULL;
    const bool other = by && strcmp(by, lk_tool_version()) != 0;
    const size_t n = lk_process_n_missing(t);
    if (lk_process_is_cut(t))
        lk_snapshot_limit(s, "more memory was read in a sample than a capture keeps: it lacks the "
                             "rest");
    if (n)
        lk_snapshot_limit(s, "%zu readings are not in the capture%s%s", n,
                          other ? ", which was made by loopknot " : "", other ? by : "");
}
