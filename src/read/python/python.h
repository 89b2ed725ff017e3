/*
 * CPython from outside: the station's face. Finds the runtime, names the version, picks and checks
 * the layout, and fills a snapshot with interpreters, threads' Python stacks, loops, tasks,
 * futures, locks and executors.
 */
#ifndef LK_READ_PYTHON_PYTHON_H
#define LK_READ_PYTHON_PYTHON_H

#include "process/process.h"

struct lk_py;

/**
 * Looks for a CPython runtime in the target. Returns NULL with err->code LK_ERR_UNSUPPORTED when
 * there is none; a runtime that is there but cannot be read (too old, too new, unknown build,
 * fingerprint mismatch) gives an object with lk_py_readable() false and a reason.
 */
struct lk_py *lk_py_open(struct lk_process *t, struct lk_error *err);
void lk_py_close(struct lk_py *py);
bool lk_py_readable(const struct lk_py *py);
/** Fills s->python (version, build, free_threaded, frames_read, why_not, stdlib). */
void lk_py_describe(struct lk_py *py, struct lk_snapshot *s);

/**
 * Reads everything of one sample into s. s->threads must already hold the kernel's threads (tid,
 * read, os); this adds Python names, stacks, waits, and all other entities. Errors are partial:
 * they become `limits`.
 */
void lk_py_read(struct lk_py *py, struct lk_snapshot *s);

/**
 * lk_py_read just before a stop, to learn which pages it needs: no further task is begun once
 * task_budget_ms have passed, since reading again what 100,000 of them need takes longer than a
 * target may be held.
 */
void lk_py_rehearse(struct lk_py *py, struct lk_snapshot *s, unsigned task_budget_ms);
/** The same under the stop, for what a computing thread changes from moment to moment: thread
 * states and frames. */
void lk_py_rehearse_threads(struct lk_py *py, struct lk_snapshot *s);

/**
 * Says of each Event, Condition, Semaphore, Barrier, Queue and bare future that a request may wait
 * for without a timeout whether nobody was found who could end that (unended, kept_by_waiters,
 * lent), and of futures that threads wait for who has them at hand (at_hand). After lk_py_read, as
 * what follows.
 */
void lk_py_seek_enders(struct lk_py *py, struct lk_snapshot *s);

/**
 * Fills s->at_hand: the timers, threads and tasks that have a task or future at hand which can be
 * part of a ring of waits. After lk_py_read, and when it is known who slept meanwhile: this takes
 * its time where there is a ring, and only makes less of what was read before.
 */
void lk_py_read_at_hand(struct lk_py *py, struct lk_snapshot *s);

/**
 * Walks the GC heap for what no registry lists: with loops set, loops that nothing else reached
 * (adds them, LK_FOUND_HEAP, and sets s->loops_complete); and the tasks of kinds that keep no list.
 * Walks only where either is wanted. Not under a stop.
 */
void lk_py_search_heap(struct lk_py *py, struct lk_snapshot *s, bool loops);

#endif
