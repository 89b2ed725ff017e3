/*
 * One sample: threads listed, running ones stopped for the length of a copy, everything read, and
 * each fact marked with how it was read.
 */
#ifndef LK_EXAMINE_SAMPLE_SAMPLE_H
#define LK_EXAMINE_SAMPLE_SAMPLE_H

#include "examine/examine.h"
#include "examine/sample/gil_waits.h"
#include "process/process.h"
#include "read/native/unwind/unwind.h"
#include "read/python/python.h"

/** What stays open over all samples of one process. */
struct lk_session {
    struct lk_process *target;
    struct lk_py *py;             /* NULL: no Python */
    struct lk_unwinder *unwinder; /* NULL: not wanted or not possible */
    const struct lk_examine_options *options;
    struct lk_gil_waits gil_waits; /* of the sample before */
    struct lk_error stop_error;    /* why running threads could not be stopped; LK_OK */
};

/**
 * Takes a sample into s (whose process part is filled). stop overrides the option (the watch never
 * stops anybody). Appends to s->samples. False with err when the process is gone.
 */
bool lk_sample_take(struct lk_session *x, enum lk_stop_mode stop, struct lk_snapshot *s,
                    struct lk_error *err);
/**
 * After a walk over the heap: what it found of greenlets was read asleep where their thread has not
 * run since the sample.
 */
void lk_sample_weigh_found(const struct lk_session *x, struct lk_snapshot *s);
/**
 * After a second sample that found the GIL's holder asleep exactly as in all samples before: who
 * waits for the GIL could not have got it meanwhile, so what was read of it holds although it woke
 * in between.
 */
void lk_sample_vouch(struct lk_snapshot *s);

#endif
