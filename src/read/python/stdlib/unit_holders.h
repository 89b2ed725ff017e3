/* Who holds the units of a semaphore. */
#ifndef LK_READ_PYTHON_STDLIB_UNIT_HOLDERS_H
#define LK_READ_PYTHON_STDLIB_UNIT_HOLDERS_H

#include "read/python/interpreter/interpreter.h"

/** Notes the frames of a suspended task whose code names release. innermost_first: order of frames.
 * Returns how many. */
size_t lk_py_note_releasing(struct lk_py *py, const struct lk_pyframes *frames,
                            bool innermost_first, struct lk_ref holder);
/** The same of one frame. takes: what it waits for it does not hold yet. */
bool lk_py_note_releasing_frame(struct lk_py *py, const struct lk_pyf *f, struct lk_ref holder,
                                bool takes);
/** Sets the likely enders of semaphores that are waited for, after the `with` blocks were noted.
 * of_greenlets: it is those of greenlets that were noted since. */
void lk_py_find_unit_holders(struct lk_py *py, bool of_greenlets);

#endif
