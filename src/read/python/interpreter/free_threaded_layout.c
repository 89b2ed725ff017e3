/*
 * A free-threaded build (--disable-gil) has the structs of the other one behind a head of 32 bytes:
 * Include/object.h, struct _object {ob_tid, ob_flags, ob_mutex, ob_gc_bits, ob_ref_local,
 * ob_ref_shared, ob_type}. So every field of an object, and every object's size, is 16 bytes more;
 * thread states, frames and dict keys are no objects. Numbers from DWARF of CPython 3.13.5, built
 * with --disable-gil; 3.14 and later tag what frames hold in another way and copy bytecode for each
 * thread, and are not read.
 */
#include "read/python/interpreter/free_threaded_layout.h"

#include "read/python/interpreter/type.h"

enum { MODULE_GIL = 8 /* PyModuleObject.md_gil */ };

#define F(field) offsetof(struct lk_layout, field)

/* clang-format off */
static const size_t in_objects[] = {
    F(co_size), F(co_argcount), F(co_flags), F(co_stacksize), F(co_firstlineno), F(co_nlocals), F(co_nlocalsplus), F(co_ncellvars),
    F(co_nfreevars), F(co_code_adaptive), F(co_localsplusnames), F(co_localspluskinds), F(co_filename), F(co_name), F(co_qualname),
    F(co_linetable), F(co_exceptiontable), F(co_consts), F(co_names), F(co_firsttraceable), F(code_basicsize),
    F(gi_name), F(gi_qualname), F(gi_frame_state), F(gi_iframe), F(coroutine_size),
    F(task_size), F(fut_size), F(fut_loop), F(fut_callback0), F(fut_context0), F(fut_callbacks), F(fut_state), F(task_fut_waiter),
    F(task_coro), F(task_name), F(task_must_cancel),
    F(tp_name), F(tp_basicsize), F(tp_itemsize), F(tp_flags), F(tp_weaklistoffset), F(tp_base), F(tp_dict), F(tp_dictoffset), F(tp_mro),
    F(tp_subclasses), F(ht_cached_keys), F(ht_qualname),
    F(str_data_ascii), F(str_data_compact), F(tuple_items),
    F(func_code), F(func_globals), F(func_closure), F(func_name), F(func_qualname), F(func_module), F(function_size),
    F(deque_size), F(module_size), F(rlock_size), F(simplequeue_size), F(lock_size),
};
/* clang-format on */

bool lk_layout_free_threaded(struct lk_layout *l)
{
    if (l->version != LK_PYVER(3, 13))
        return false;
    for (size_t i = 0; i < LK_ARRAY_LEN(in_objects); i++) {
        uint32_t *field = (uint32_t *)(void *)((char *)l + in_objects[i]);
        if (*field != LK_OFF_NONE)
            *field += LK_PY_MORE_HEAD;
    }
    l->module_size += MODULE_GIL;
    return true;
}
