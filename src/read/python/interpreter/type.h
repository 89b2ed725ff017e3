/* What an object is: its type, by ob_type. A hostile heap costs entries in `limits`, never a crash,
 * a hang or a guess; a type that is implausible is NULL. */
#ifndef LK_READ_PYTHON_INTERPRETER_TYPE_H
#define LK_READ_PYTHON_INTERPRETER_TYPE_H

#include "read/python/interpreter/interpreter.h"

/** tp_flags of a class made at run time: Include/object.h, Py_TPFLAGS_HEAPTYPE. */
#define LK_TPFLAG_HEAPTYPE (UINT64_C(1) << 9)

/* Objects are 8-aligned at least and live in the lower half of the address space, above the first
 * page. */
static inline bool lk_py_plausible(lk_addr a)
{
    return a >= LK_PAGE && (a & 7) == 0 && a < LK_USER_END;
}

/** How much larger an object's head is in a free-threaded build. */
#define LK_PY_MORE_HEAD 16

/** Address of a field that stands `offset` bytes into an object with a default header: that of a
 * free-threaded build is 16 bytes larger (Include/object.h, struct _object). */
static inline lk_addr lk_py_field(const struct lk_py *py, lk_addr obj, unsigned offset)
{
    return obj + offset + (py->free_threaded ? LK_PY_MORE_HEAD : 0);
}

/** Where per-sample results go: the snapshot's arena, or py's own while there is no sample. */
struct lk_arena *lk_py_arena(struct lk_py *py);
/** A 64-bit word of the target that holds a plausible object address; 0 otherwise. */
lk_addr lk_py_ptr(struct lk_py *py, lk_addr at);
/** Type of an object; NULL when unreadable or implausible. Pointer lives as long as py. */
const struct lk_pytype *lk_py_type(struct lk_py *py, lk_addr obj);
const struct lk_pytype *lk_py_type_at(struct lk_py *py, lk_addr type);
enum lk_pykind lk_py_kind(struct lk_py *py, lk_addr obj);

#endif
