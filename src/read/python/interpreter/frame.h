/* Python frames: locals, lines, value-stack slots, and the frames of a thread. */
#ifndef LK_READ_PYTHON_INTERPRETER_FRAME_H
#define LK_READ_PYTHON_INTERPRETER_FRAME_H

#include "read/python/interpreter/interpreter.h"

/** A copy of frames in the snapshot's arena, for frames_of and frames_of_task. */
struct lk_pyframes *lk_py_frames_keep(struct lk_py *py, const struct lk_pyframes *frames);
/** Fills f from a frame address; false when implausible. is_shim is set for C boundary frames to be
 * skipped. */
bool lk_py_frame(struct lk_py *py, lk_addr addr, struct lk_pyf *f, lk_addr *caller, bool *is_shim);
/**
 * The thread, asleep with that stack pointer, has left all Python code, though its state still
 * names a frame. An embedder that jumps out of it leaves that behind (uWSGI on 3.11); its remains
 * are not to be walked.
 */
bool lk_py_left_python(struct lk_py *py, lk_addr tstate, lk_addr sp);
/** Whether a thread state has frames. */
bool lk_py_has_frames(struct lk_py *py, lk_addr tstate);
/** Where on a thread's stack the innermost evaluation of a thread state lies; 0: nothing is
 * evaluated, or it is not known (3.8, 3.9). */
lk_addr lk_py_place_on_stack(struct lk_py *py, lk_addr tstate);
/** All frames of one thread state, innermost first, shims skipped; appended to ret, whose v is
 * malloc'd (reuse with n = 0, free). */
bool lk_py_thread_frames(struct lk_py *py, lk_addr tstate, struct lk_pyframes *ret,
                         bool *truncated);
/** A local, cell or free variable by name (cells are opened); 0. */
lk_addr lk_py_local(struct lk_py *py, const struct lk_pyf *f, const char *name);
/** Calls fn for every named local with a value. */
void lk_py_local_each(struct lk_py *py, const struct lk_pyf *f,
                      bool (*fn)(struct lk_py *, const char *name, lk_addr value, void *),
                      void *arg);
/** Value-stack slot i (0 = bottom), tags removed; 0. */
lk_addr lk_py_stack_slot(struct lk_py *py, const struct lk_pyf *f, int i);
/** How many slots of locals and of the value stack are known to be in use. */
int lk_py_slots(struct lk_py *py, const struct lk_pyf *f);
/** The object that such a slot (locals first, cells not opened) has a counted reference to; 0. */
lk_addr lk_py_slot_owns(struct lk_py *py, const struct lk_pyf *f, int i);
/** Converts to the snapshot's frame. */
struct lk_pyframe lk_py_snapshot_frame(struct lk_py *py, const struct lk_pyf *f);
/** The `def` line of a function object as a frame. False when it is no Python function (method,
 * partial: unwrapped). */
bool lk_py_callable_frame(struct lk_py *py, lk_addr callable, struct lk_pyframe *ret);
bool lk_py_frame_is(struct lk_py *py, const struct lk_pyf *f, const char *function,
                    const char *file_suffix);

#endif
