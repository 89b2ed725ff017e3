/* The `with` blocks that frames are in, and the locks that they could take without. */
#ifndef LK_READ_PYTHON_STDLIB_WITH_BLOCKS_H
#define LK_READ_PYTHON_STDLIB_WITH_BLOCKS_H

#include "read/python/interpreter/interpreter.h"

/** Notes the `with` blocks these frames are in. innermost_first: order of frames. Returns whether
 * there is any block. */
bool lk_py_note_with_blocks(struct lk_py *py, const struct lk_pyframes *frames,
                            bool innermost_first, struct lk_ref holder);
/** Notes the locks that these frames could take without `with`. Returns how many frames could. */
size_t lk_py_note_bare_acquires(struct lk_py *py, const struct lk_pyframes *frames,
                                struct lk_ref holder);

#endif
