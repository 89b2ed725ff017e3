/*
 * Where things lie in each CPython: one row a version, from DWARF of the builds named in the row,
 * checked at start against facts that must hold. For 3.13 and later the target's own
 * _Py_DebugOffsets (validated as hostile input) overlay the row.
 */
#ifndef LK_READ_PYTHON_INTERPRETER_LAYOUT_TABLE_H
#define LK_READ_PYTHON_INTERPRETER_LAYOUT_TABLE_H

#include "util/base.h"

#define LK_PYVER(major, minor) (((major) << 8) | (minor))
#define LK_OFF_NONE            UINT32_MAX /* this version has no such field */

/** How a version keeps frames. */
enum lk_frame_kind {
    LK_FRAME_OBJECT,  /* 3.8 - 3.10: PyFrameObject, thread state has `frame` */
    LK_FRAME_CFRAME,  /* 3.11, 3.12: _PyInterpreterFrame behind a _PyCFrame on the C stack */
    LK_FRAME_CURRENT, /* 3.13+: thread state has `current_frame` */
};
/** Format of the line table. */
enum lk_line_kind {
    LK_LINE_LNOTAB,    /* 3.8, 3.9: Objects/lnotab_notes.txt */
    LK_LINE_RANGES,    /* 3.10: PEP 626 pairs */
    LK_LINE_LOCATIONS, /* 3.11+: Objects/locations.md */
};
/** What says in which state a generator or coroutine is. */
enum lk_gen_state_kind {
    LK_GENSTATE_FRAME,  /* 3.8, 3.9: gi_frame, f_lasti, f_executing */
    LK_GENSTATE_FSTATE, /* 3.10: f_state of its frame */
    LK_GENSTATE_V11,    /* 3.11, 3.12: -2 created, -1 suspended, 0 executing, 1 and more finished */
    /* 3.13, 3.14: -3 created, -2 suspended, -1 suspended in an await, 0 executing */
    LK_GENSTATE_V13,
    /* 3.15: 0 created, 1 suspended, 2 and 3 suspended in an await, 4 executing, 5 cleared */
    LK_GENSTATE_V15,
};
/** Where the attributes of plain Python classes are. */
enum lk_attr_kind {
    LK_ATTR_DICTOFFSET, /* 3.8 - 3.10 */
    LK_ATTR_PREVALUES,  /* 3.11: values at obj-32, else dict at obj-24 */
    LK_ATTR_TAGGED,     /* 3.12: word at obj-24, odd = values - 1, even = dict */
    LK_ATTR_INLINE,     /* 3.13+: dict at obj-24, else values inside the object at tp_basicsize */
};
/** What a `with` block leaves where. */
enum lk_with_kind {
    LK_WITH_BLOCKS,      /* 3.8 - 3.10: f_blockstack and a bound __exit__ */
    LK_WITH_TABLE_BOUND, /* 3.11 - 3.13: exception table and a bound __exit__ */
    LK_WITH_TABLE_PAIR,  /* 3.14+: exception table and a pair [__exit__ function][manager] */
};

struct lk_layout {
    int version;        /* LK_PYVER */
    const char *source; /* builds the row was taken from and tested on */
    /* _PyRuntimeState */
    uint32_t rt_interpreters_head, rt_finalizing, rt_gil /* <= 3.11 */, rt_gc /* 3.8 */;
    /* PyInterpreterState */
    uint32_t is_next, is_id, is_threads_head, is_modules, is_sysdict, is_builtins, is_gc,
        is_gc_generation0, is_gc_permanent, is_gc_collecting, is_gil /* 3.12+: pointer */,
        is_asyncio_tasks_head /* 3.14+ */;
    /* PyThreadState and _PyThreadStateImpl */
    uint32_t ts_size, ts_next, ts_interp, ts_frame /* <= 3.10 */, ts_cframe /* 3.10 - 3.12 */,
        cframe_current, ts_current_frame /* 3.13+ */, ts_thread_id, ts_native_thread_id /* 3.11+ */,
        ts_dict, ts_state, ts_running_loop /* 3.13+ */, ts_running_task /* 3.14+ */,
        ts_tasks_head /* 3.14+ */;
    /* PyFrameObject <= 3.10 */
    uint32_t f_back, f_code, f_globals, f_valuestack, f_stacktop /* 3.8, 3.9 */,
        f_stackdepth /* 3.10 */, f_gen, f_lasti, f_iblock, f_executing, f_state, f_blockstack,
        f_localsplus;
    /* _PyInterpreterFrame 3.11+ */
    uint32_t if_size, if_executable, if_previous, if_globals, if_instr, if_stacktop /* <= 3.13 */,
        if_stackpointer /* 3.14+ */, if_owner, if_localsplus;
    /* PyCodeObject */
    uint32_t co_size, co_argcount, co_flags, co_stacksize, co_firstlineno, co_nlocals,
        co_nlocalsplus, co_ncellvars, co_nfreevars, co_code /* <= 3.10 */, co_code_adaptive,
        co_varnames, co_cellvars, co_freevars, co_localsplusnames, co_localspluskinds, co_filename,
        co_name, co_qualname, co_linetable, co_exceptiontable, co_consts, co_names;
    /* generators */
    uint32_t gi_frame /* <= 3.10 */, gi_code /* <= 3.11 */, gi_name, gi_qualname, gi_frame_state,
        gi_iframe;
    /* _asyncio */
    uint32_t task_size, fut_size, fut_loop, fut_callback0, fut_context0, fut_callbacks, fut_state,
        fut_dict, task_fut_waiter, task_coro, task_name, task_must_cancel, task_node /* 3.14+ */,
        task_must_cancel_bit;
    /* types */
    uint32_t tp_name, tp_basicsize, tp_itemsize, tp_flags, tp_weaklistoffset, tp_base, tp_dict,
        tp_dictoffset, tp_mro, tp_subclasses, ht_cached_keys, ht_qualname;
    /* object layout */
    uint32_t str_data_ascii, str_data_compact, tuple_items, func_code, func_globals, func_closure,
        func_name, func_qualname, func_module;
    /* tp_basicsize fingerprints */
    uint32_t deque_size, module_size, coroutine_size, function_size, code_basicsize, rlock_size,
        simplequeue_size;
    uint32_t gen_state_kind; /* enum lk_gen_state_kind */
    enum lk_frame_kind frame_kind;
    enum lk_line_kind line_kind;
    enum lk_attr_kind attr_kind;
    enum lk_with_kind with_kind;
    bool int_tagged;                  /* 3.12+: lv_tag instead of ob_size */
    bool keys_log2;                   /* 3.11+: dict keys with log2 sizes and 16-byte entries */
    bool stack_tagged;                /* 3.14+: locals and value stack hold tagged _PyStackRef */
    bool debug_offsets;               /* 3.13+: _Py_DebugOffsets at _PyRuntime */
    uint32_t lasti_unit;              /* bytes of one f_lasti step, 3.8 - 3.10 */
    uint32_t if_is_entry;             /* 3.11 only */
    uint32_t co_firsttraceable;       /* 3.11+: first instruction of a complete frame */
    uint32_t dk_nentries, dk_entries; /* PyDictKeysObject */
    uint32_t values_array;            /* first value in PyDictValues */
    /* opcode that enters a with block; 0 = an ordinary call (3.14+) */
    uint8_t op_with, op_async_with;
    uint32_t lock_size; /* _thread.lock: 40 semaphore, 24 PyMutex; taken from the live type */
};

extern const struct lk_layout lk_layouts[];
extern const size_t lk_n_layouts;
/** NULL when the version has no row: never the nearest. */
const struct lk_layout *lk_layout_find(int version);

#endif
