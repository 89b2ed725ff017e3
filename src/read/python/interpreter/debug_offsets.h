/*
 * _Py_DebugOffsets: what CPython 3.13 and later say about themselves at the start of _PyRuntime
 * (Include/internal/pycore_runtime.h in 3.13, pycore_debug_offsets.h since). The table is the
 * target's, so it is hostile input: every value is checked before it replaces one of the row's.
 */
#ifndef LK_READ_PYTHON_INTERPRETER_DEBUG_OFFSETS_H
#define LK_READ_PYTHON_INTERPRETER_DEBUG_OFFSETS_H

#include "process/process.h"
#include "read/python/interpreter/layout_table.h"

/** Version and free_threaded as stated at runtime; false when there is no table (no cookie). */
bool lk_debug_offsets_head(struct lk_process *t, lk_addr runtime, uint64_t *version,
                           bool *free_threaded);
/** Overlays l (a copy of its version's row) with the target's own offsets. False, with one sentence
 * in why, when they make no sense. */
bool lk_debug_offsets_apply(struct lk_process *t, lk_addr runtime, struct lk_layout *l, char *why,
                            size_t size);

#endif
