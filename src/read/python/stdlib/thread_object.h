/* Which thread a threading.Thread stands for. */
#ifndef LK_READ_PYTHON_STDLIB_THREAD_OBJECT_H
#define LK_READ_PYTHON_STDLIB_THREAD_OBJECT_H

#include "read/python/interpreter/interpreter.h"

/** Live thread of a threading.Thread object; NONE when it is gone or has not started. *known is
 * false when that cannot be told. */
struct lk_ref lk_py_thread_of_object(struct lk_py *py, lk_addr thread, bool *known);
/** True when the thread of this threading.Thread, which was started, is certainly no more. */
bool lk_py_thread_is_gone(struct lk_py *py, lk_addr thread);
/** The threading.Timer whose run() this frame is, which is yet to call its function; 0. */
lk_addr lk_py_timer_of_frame(struct lk_py *py, const struct lk_pyf *f);

#endif
