/*
 * A process that is known by a record alone: it answers what was asked when it was recorded, sample
 * by sample, and nothing else. Nothing of the machine at hand is asked in its stead.
 */
#ifndef LK_PROCESS_CAPTURE_REPLAY_H
#define LK_PROCESS_CAPTURE_REPLAY_H

#include "process/process.h"

/** tape is borrowed and outlives the process. NULL with err when it is no record. */
struct lk_process *lk_replay_open(pid_t pid, const uint8_t *tape, size_t n, struct lk_error *err);

/** A machine that is known by a record alone. */
struct lk_replayed_machine;
struct lk_replayed_machine *lk_replay_machine(const uint8_t *tape, size_t n, struct lk_error *err);
const struct lk_machine *lk_replayed_machine(const struct lk_replayed_machine *m);
void lk_replayed_machine_destroy(struct lk_replayed_machine *m);

#endif
