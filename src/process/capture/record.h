/*
 * Records what comes through the door of a process of any kind, and no more than that: what nobody
 * asked for is not in it.
 */
#ifndef LK_PROCESS_CAPTURE_RECORD_H
#define LK_PROCESS_CAPTURE_RECORD_H

#include "process/capture/bytes.h"
#include "process/process.h"

/** From here on t is recorded. */
void lk_record_start(struct lk_process *t);
/** What was recorded; the caller frees ret->v with lk_free. t is no more recorded. False: it never
 * was. */
bool lk_record_end(struct lk_process *t, struct lk_bytes *ret);

/** Records what is asked of a machine, in the same form. */
struct lk_machine_record {
    struct lk_machine machine; /* to be asked instead of `of` */
    const struct lk_machine *of;
    struct lk_bytes *tape;
};
void lk_machine_record_start(struct lk_machine_record *r, const struct lk_machine *of,
                             struct lk_bytes *tape);

#endif
