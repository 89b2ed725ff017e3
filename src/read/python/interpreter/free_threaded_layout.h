/* The layout of a free-threaded build. */
#ifndef LK_READ_PYTHON_INTERPRETER_FREE_THREADED_LAYOUT_H
#define LK_READ_PYTHON_INTERPRETER_FREE_THREADED_LAYOUT_H

#include "read/python/interpreter/layout_table.h"

/** Makes the row of a version that of its free-threaded build (before _Py_DebugOffsets overlay it);
 * false: that build is not known. */
bool lk_layout_free_threaded(struct lk_layout *l);

#endif
