/*
 * One row a version. Source of every number: DWARF of the builds named in the row; the names in the
 * groups below are those of the C structs in Include/internal and Objects of that CPython version.
 * Groups that did not change between versions stand once, as a macro.
 */
#include "read/python/interpreter/layout_table.h"

/* clang-format off */

/* PyTypeObject: the same in 3.8 - 3.15. */
#define TYPE_FIELDS \
    .tp_name = 24, .tp_basicsize = 32, .tp_itemsize = 40, .tp_flags = 168, .tp_weaklistoffset = 208, .tp_base = 256, \
    .tp_dict = 264, .tp_dictoffset = 288, .tp_mro = 344, .tp_subclasses = 360

/* FutureObj: the front is the same everywhere (Modules/_asynciomodule.c, FutureObj_HEAD). */
#define FUTURE_HEAD .fut_loop = 16, .fut_callback0 = 24, .fut_context0 = 32, .fut_callbacks = 40

/* Fields that came with later versions. */
#define NO_INTERPRETER_FRAME \
    .cframe_current = LK_OFF_NONE, .ts_current_frame = LK_OFF_NONE, .if_size = LK_OFF_NONE, \
    .if_executable = LK_OFF_NONE, .if_previous = LK_OFF_NONE, .if_globals = LK_OFF_NONE, .if_instr = LK_OFF_NONE, \
    .if_stacktop = LK_OFF_NONE, .if_stackpointer = LK_OFF_NONE, .if_owner = LK_OFF_NONE, .if_localsplus = LK_OFF_NONE, \
    .if_is_entry = LK_OFF_NONE, .gi_frame_state = LK_OFF_NONE, .gi_iframe = LK_OFF_NONE
#define NO_FRAME_OBJECT \
    .ts_frame = LK_OFF_NONE, .f_back = LK_OFF_NONE, .f_code = LK_OFF_NONE, .f_globals = LK_OFF_NONE, .f_valuestack = LK_OFF_NONE, \
    .f_stacktop = LK_OFF_NONE, .f_stackdepth = LK_OFF_NONE, .f_gen = LK_OFF_NONE, .f_lasti = LK_OFF_NONE, .f_iblock = LK_OFF_NONE, \
    .f_executing = LK_OFF_NONE, .f_state = LK_OFF_NONE, .f_blockstack = LK_OFF_NONE, .f_localsplus = LK_OFF_NONE, .gi_frame = LK_OFF_NONE
#define NO_TASK_LISTS \
    .is_asyncio_tasks_head = LK_OFF_NONE, .ts_running_task = LK_OFF_NONE, .ts_tasks_head = LK_OFF_NONE, .task_node = LK_OFF_NONE

/* PyCodeObject 3.8 - 3.10. */
#define CODE_OLD \
    .co_size = 176, .co_argcount = 16, .co_flags = 36, .co_stacksize = 32, .co_firstlineno = 40, .co_nlocals = 28, .co_nlocalsplus = LK_OFF_NONE, \
    .co_ncellvars = LK_OFF_NONE, .co_nfreevars = LK_OFF_NONE, .co_code = 48, .co_code_adaptive = LK_OFF_NONE, .co_varnames = 72, \
    .co_cellvars = 88, .co_freevars = 80, .co_localsplusnames = LK_OFF_NONE, .co_localspluskinds = LK_OFF_NONE, .co_filename = 104, \
    .co_name = 112, .co_qualname = LK_OFF_NONE, .co_linetable = 120, .co_exceptiontable = LK_OFF_NONE, .co_consts = 56, .co_names = 64, \
    .co_firsttraceable = LK_OFF_NONE, .code_basicsize = 176
/* PyCodeObject 3.11+: what is the same. */
#define CODE_NEW \
    .co_flags = 48, .co_code = LK_OFF_NONE, .co_varnames = LK_OFF_NONE, .co_cellvars = LK_OFF_NONE, .co_freevars = LK_OFF_NONE, \
    .co_localsplusnames = 96, .co_localspluskinds = 104, .co_filename = 112, .co_name = 120, .co_qualname = 128, .co_linetable = 136, \
    .co_exceptiontable = 40, .co_consts = 24, .co_names = 32
/* ... and 3.12+. */
#define CODE_12 \
    CODE_NEW, .co_argcount = 52, .co_stacksize = 64, .co_firstlineno = 68, .co_nlocalsplus = 72, .co_nlocals = 80, .co_ncellvars = 84, .co_nfreevars = 88

/* PyFunctionObject 3.10+. */
#define FUNCTION_NEW .func_code = 48, .func_globals = 16, .func_closure = 72, .func_name = 32, .func_qualname = 40, .func_module = 104
#define FUNCTION_OLD .func_code = 16, .func_globals = 24, .func_closure = 48, .func_name = 64, .func_qualname = 104, .func_module = 88

/* PyDictKeysObject and PyDictValues. */
#define DICT_OLD .keys_log2 = false, .dk_nentries = 32, .dk_entries = 40, .values_array = 0
#define DICT_NEW .keys_log2 = true, .dk_nentries = 24, .dk_entries = 32

/* PyASCIIObject and PyCompactUnicodeObject; PyTupleObject. */
#define STR_OLD .str_data_ascii = 48, .str_data_compact = 72
#define STR_NEW .str_data_ascii = 40, .str_data_compact = 56

/* Frames: 3.8, 3.9 and, shifted, 3.10. */
#define FRAME_OBJECT \
    .frame_kind = LK_FRAME_OBJECT, .ts_frame = 24, .f_back = 24, .f_code = 32, .f_globals = 48, .f_valuestack = 64
#define FRAME_8_9 \
    FRAME_OBJECT, .ts_cframe = LK_OFF_NONE, .f_stacktop = 72, .f_stackdepth = LK_OFF_NONE, .f_gen = 96, .f_lasti = 104, .f_iblock = 112, .f_executing = 116, \
    .f_state = LK_OFF_NONE, .f_blockstack = 120, .f_localsplus = 360, .lasti_unit = 1
#define FRAME_10 \
    FRAME_OBJECT, .ts_cframe = 48, .f_stacktop = LK_OFF_NONE, .f_stackdepth = 80, .f_gen = 88, .f_lasti = 96, .f_iblock = 104, .f_executing = LK_OFF_NONE, \
    .f_state = 108, .f_blockstack = 112, .f_localsplus = 352, .lasti_unit = 2

/* GC heads of an interpreter relative to its first member differ; generation0 is a pointer to the first of them. */

const struct lk_layout lk_layouts[] = {
    {
        .version = LK_PYVER(3, 8), .source = "CPython 3.8.18, shared library build",
        .rt_interpreters_head = 32, .rt_finalizing = 16, .rt_gil = 1152, .rt_gc = 344,
        .is_next = 0, .is_id = 16, .is_threads_head = 8, .is_modules = 56, .is_sysdict = 72, .is_builtins = 80,
        /* one collector for the process: these are offsets in _PyRuntimeState */
        .is_gc = LK_OFF_NONE, .is_gc_generation0 = 440, .is_gc_permanent = 448, .is_gc_collecting = 544, .is_gil = LK_OFF_NONE,
        .ts_size = 264, .ts_next = 8, .ts_interp = 16, .ts_thread_id = 176, .ts_native_thread_id = LK_OFF_NONE, .ts_dict = 152,
        .ts_state = LK_OFF_NONE, .ts_running_loop = LK_OFF_NONE,
        FRAME_8_9, NO_INTERPRETER_FRAME, NO_TASK_LISTS, CODE_OLD, TYPE_FIELDS, FUNCTION_OLD, DICT_OLD, STR_OLD,
        .gi_frame = 16, .gi_code = 32, .gi_name = 48, .gi_qualname = 56, .gen_state_kind = LK_GENSTATE_FRAME,
        FUTURE_HEAD, .task_size = 144, .fut_size = 104, .fut_state = 72, .fut_dict = 88, .task_fut_waiter = 104, .task_coro = 112,
        .task_name = 120, .task_must_cancel = 136, .task_must_cancel_bit = LK_OFF_NONE,
        .ht_cached_keys = 872, .ht_qualname = 864, .tuple_items = 24,
        .deque_size = 80, .module_size = 56, .coroutine_size = 104, .function_size = 120, .rlock_size = 48, .simplequeue_size = 56,
        .lock_size = 40,
        .line_kind = LK_LINE_LNOTAB, .attr_kind = LK_ATTR_DICTOFFSET, .with_kind = LK_WITH_BLOCKS, .op_with = 143, .op_async_with = 154,
    },
    {
        .version = LK_PYVER(3, 9), .source = "CPython 3.9.18, shared library build",
        .rt_interpreters_head = 32, .rt_finalizing = 16, .rt_gil = 352, .rt_gc = LK_OFF_NONE,
        .is_next = 0, .is_id = 24, .is_threads_head = 8, .is_modules = 856, .is_sysdict = 872, .is_builtins = 880,
        .is_gc = 616, .is_gc_generation0 = 712, .is_gc_permanent = 720, .is_gc_collecting = 816, .is_gil = LK_OFF_NONE,
        .ts_size = 264, .ts_next = 8, .ts_interp = 16, .ts_thread_id = 176, .ts_native_thread_id = LK_OFF_NONE, .ts_dict = 152,
        .ts_state = LK_OFF_NONE, .ts_running_loop = LK_OFF_NONE,
        FRAME_8_9, NO_INTERPRETER_FRAME, NO_TASK_LISTS, CODE_OLD, TYPE_FIELDS, FUNCTION_OLD, DICT_OLD, STR_OLD,
        .gi_frame = 16, .gi_code = 32, .gi_name = 48, .gi_qualname = 56, .gen_state_kind = LK_GENSTATE_FRAME,
        FUTURE_HEAD, .task_size = 184, .fut_size = 144, .fut_state = 80, .fut_dict = 96, .task_fut_waiter = 144, .task_coro = 152,
        .task_name = 160, .task_must_cancel = 176, .task_must_cancel_bit = LK_OFF_NONE,
        .ht_cached_keys = 864, .ht_qualname = 856, .tuple_items = 24,
        .deque_size = 80, .module_size = 56, .coroutine_size = 104, .function_size = 120, .rlock_size = 48, .simplequeue_size = 56,
        .lock_size = 40,
        .line_kind = LK_LINE_LNOTAB, .attr_kind = LK_ATTR_DICTOFFSET, .with_kind = LK_WITH_BLOCKS, .op_with = 143, .op_async_with = 154,
    },
    {
        .version = LK_PYVER(3, 10), .source = "CPython 3.10.13, shared library build",
        .rt_interpreters_head = 32, .rt_finalizing = 16, .rt_gil = 352, .rt_gc = LK_OFF_NONE,
        .is_next = 0, .is_id = 24, .is_threads_head = 8, .is_modules = 856, .is_sysdict = 872, .is_builtins = 880,
        .is_gc = 616, .is_gc_generation0 = 712, .is_gc_permanent = 720, .is_gc_collecting = 816, .is_gil = LK_OFF_NONE,
        .ts_size = 280, .ts_next = 8, .ts_interp = 16, .ts_thread_id = 176, .ts_native_thread_id = LK_OFF_NONE, .ts_dict = 152,
        .ts_state = LK_OFF_NONE, .ts_running_loop = LK_OFF_NONE,
        FRAME_10, NO_INTERPRETER_FRAME, NO_TASK_LISTS, CODE_OLD, TYPE_FIELDS, FUNCTION_NEW, DICT_OLD, STR_OLD,
        .gi_frame = 16, .gi_code = 24, .gi_name = 40, .gi_qualname = 48, .gen_state_kind = LK_GENSTATE_FSTATE,
        FUTURE_HEAD, .task_size = 192, .fut_size = 152, .fut_state = 88, .fut_dict = 104, .task_fut_waiter = 152, .task_coro = 160,
        .task_name = 168, .task_must_cancel = 184, .task_must_cancel_bit = LK_OFF_NONE,
        .ht_cached_keys = 872, .ht_qualname = 864, .tuple_items = 24,
        .deque_size = 80, .module_size = 56, .coroutine_size = 96, .function_size = 128, .rlock_size = 48, .simplequeue_size = 56,
        .lock_size = 40,
        .line_kind = LK_LINE_RANGES, .attr_kind = LK_ATTR_DICTOFFSET, .with_kind = LK_WITH_BLOCKS, .op_with = 143, .op_async_with = 154,
    },
    {
        .version = LK_PYVER(3, 11), .source = "CPython 3.11.2 (distribution build, static) and 3.11.7 (shared)",
        .rt_interpreters_head = 40, .rt_finalizing = 24, .rt_gil = 360, .rt_gc = LK_OFF_NONE,
        .is_next = 0, .is_id = 48, .is_threads_head = 16, .is_modules = 888, .is_sysdict = 904, .is_builtins = 912,
        .is_gc = 648, .is_gc_generation0 = 744, .is_gc_permanent = 752, .is_gc_collecting = 848, .is_gil = LK_OFF_NONE,
        .ts_size = 360, .ts_next = 8, .ts_interp = 16, .ts_cframe = 56, .cframe_current = 8, .ts_current_frame = LK_OFF_NONE,
        .ts_thread_id = 152, .ts_native_thread_id = 160, .ts_dict = 128, .ts_state = LK_OFF_NONE, .ts_running_loop = LK_OFF_NONE,
        NO_FRAME_OBJECT, NO_TASK_LISTS, .frame_kind = LK_FRAME_CFRAME,
        .if_size = 72, .if_executable = 32, .if_previous = 48, .if_globals = 8, .if_instr = 56, .if_stacktop = 64,
        .if_stackpointer = LK_OFF_NONE, .if_owner = 69, .if_localsplus = 72, .if_is_entry = 68,
        CODE_NEW, .co_size = 192, .co_argcount = 56, .co_stacksize = 68, .co_firstlineno = 72, .co_nlocalsplus = 76, .co_nlocals = 80, .co_ncellvars = 88,
        .co_nfreevars = 92, .co_code_adaptive = 184, .co_firsttraceable = 168, .code_basicsize = 184,
        TYPE_FIELDS, FUNCTION_NEW, DICT_NEW, .values_array = 0, STR_OLD,
        .gi_code = 16, .gi_name = 32, .gi_qualname = 40, .gi_frame_state = 75, .gi_iframe = 80, .gen_state_kind = LK_GENSTATE_V11,
        FUTURE_HEAD, .task_size = 176, .fut_size = 128, .fut_state = 88, .fut_dict = 104, .task_fut_waiter = 128, .task_coro = 136,
        .task_name = 144, .task_must_cancel = 160, .task_must_cancel_bit = LK_OFF_NONE,
        .ht_cached_keys = 872, .ht_qualname = 864, .tuple_items = 24,
        .deque_size = 216, .module_size = 56, .coroutine_size = 152, .function_size = 136, .rlock_size = 48, .simplequeue_size = 56,
        .lock_size = 40,
        .line_kind = LK_LINE_LOCATIONS, .attr_kind = LK_ATTR_PREVALUES, .with_kind = LK_WITH_TABLE_BOUND, .op_with = 53, .op_async_with = 52,
    },
    {
        .version = LK_PYVER(3, 12), .source = "CPython 3.12.1, shared library build",
        .rt_interpreters_head = 40, .rt_finalizing = 24, .rt_gil = LK_OFF_NONE, .rt_gc = LK_OFF_NONE,
        .is_next = 0, .is_id = 8, .is_threads_head = 72, .is_modules = 944, .is_sysdict = 352, .is_builtins = 360,
        .is_gc = 112, .is_gc_generation0 = 208, .is_gc_permanent = 216, .is_gc_collecting = 312, .is_gil = 384,
        .ts_size = 288, .ts_next = 8, .ts_interp = 16, .ts_cframe = 56, .cframe_current = 0, .ts_current_frame = LK_OFF_NONE,
        .ts_thread_id = 136, .ts_native_thread_id = 144, .ts_dict = 112, .ts_state = LK_OFF_NONE, .ts_running_loop = LK_OFF_NONE,
        NO_FRAME_OBJECT, NO_TASK_LISTS, .frame_kind = LK_FRAME_CFRAME,
        .if_size = 72, .if_executable = 0, .if_previous = 8, .if_globals = 24, .if_instr = 56, .if_stacktop = 64,
        .if_stackpointer = LK_OFF_NONE, .if_owner = 70, .if_localsplus = 72, .if_is_entry = LK_OFF_NONE,
        CODE_12, .co_size = 200, .co_code_adaptive = 192, .co_firsttraceable = 176, .code_basicsize = 192,
        TYPE_FIELDS, FUNCTION_NEW, DICT_NEW, .values_array = 0, STR_NEW,
        .gi_code = LK_OFF_NONE, .gi_name = 24, .gi_qualname = 32, .gi_frame_state = 67, .gi_iframe = 72, .gen_state_kind = LK_GENSTATE_V11,
        FUTURE_HEAD, .task_size = 176, .fut_size = 128, .fut_state = 88, .fut_dict = 104, .task_fut_waiter = 128, .task_coro = 136,
        .task_name = 144, .task_must_cancel = 160, .task_must_cancel_bit = LK_OFF_NONE,
        .ht_cached_keys = 880, .ht_qualname = 872, .tuple_items = 24,
        .deque_size = 216, .module_size = 56, .coroutine_size = 144, .function_size = 144, .rlock_size = 48, .simplequeue_size = 56,
        .lock_size = 40, .int_tagged = true,
        .line_kind = LK_LINE_LOCATIONS, .attr_kind = LK_ATTR_TAGGED, .with_kind = LK_WITH_TABLE_BOUND, .op_with = 53, .op_async_with = 52,
    },
    {
        .version = LK_PYVER(3, 13), .source = "CPython 3.13.0, shared library build; 3.13.15 by its own debug offsets",
        .rt_interpreters_head = 632, .rt_finalizing = 608, .rt_gil = LK_OFF_NONE, .rt_gc = LK_OFF_NONE,
        .is_next = 7264, .is_id = 7272, .is_threads_head = 7344, .is_modules = 7656, .is_sysdict = 7640, .is_builtins = 7648,
        .is_gc = 7400, .is_gc_generation0 = 7496, .is_gc_permanent = 7504, .is_gc_collecting = 7600, .is_gil = 16,
        .ts_size = 304, .ts_next = 8, .ts_interp = 16, .ts_cframe = LK_OFF_NONE, .cframe_current = LK_OFF_NONE, .ts_current_frame = 72,
        .ts_thread_id = 152, .ts_native_thread_id = 160, .ts_dict = 128, .ts_state = 40, .ts_running_loop = 304,
        NO_FRAME_OBJECT, NO_TASK_LISTS, .frame_kind = LK_FRAME_CURRENT,
        .if_size = 72, .if_executable = 0, .if_previous = 8, .if_globals = 24, .if_instr = 56, .if_stacktop = 64,
        .if_stackpointer = LK_OFF_NONE, .if_owner = 70, .if_localsplus = 72, .if_is_entry = LK_OFF_NONE,
        CODE_12, .co_size = 208, .co_code_adaptive = 200, .co_firsttraceable = 184, .code_basicsize = 200,
        TYPE_FIELDS, FUNCTION_NEW, DICT_NEW, .values_array = 8, STR_NEW,
        .gi_code = LK_OFF_NONE, .gi_name = 24, .gi_qualname = 32, .gi_frame_state = 67, .gi_iframe = 72, .gen_state_kind = LK_GENSTATE_V13,
        FUTURE_HEAD, .task_size = 144, .fut_size = 104, .fut_state = 96, .fut_dict = LK_OFF_NONE, .task_fut_waiter = 112, .task_coro = 120,
        .task_name = 128, .task_must_cancel = 100, .task_must_cancel_bit = 2,
        .ht_cached_keys = 880, .ht_qualname = 872, .tuple_items = 24,
        .deque_size = 216, .module_size = 56, .coroutine_size = 144, .function_size = 144, .rlock_size = 48, .simplequeue_size = 72,
        .lock_size = 40, .int_tagged = true, .debug_offsets = true,
        .line_kind = LK_LINE_LOCATIONS, .attr_kind = LK_ATTR_INLINE, .with_kind = LK_WITH_TABLE_BOUND, .op_with = 2, .op_async_with = 1,
    },
    {
        .version = LK_PYVER(3, 14), .source = "CPython 3.14.8, distribution build, static",
        .rt_interpreters_head = 808, .rt_finalizing = 784, .rt_gil = LK_OFF_NONE, .rt_gc = LK_OFF_NONE,
        .is_next = 7272, .is_id = 7280, .is_threads_head = 7344, .is_modules = 7688, .is_sysdict = 7672, .is_builtins = 7680,
        .is_gc = 7408, .is_gc_generation0 = 7664, .is_gc_permanent = 7504, .is_gc_collecting = 7600, .is_gil = 16,
        .is_asyncio_tasks_head = 10880,
        .ts_size = 832, .ts_next = 8, .ts_interp = 16, .ts_cframe = LK_OFF_NONE, .cframe_current = LK_OFF_NONE, .ts_current_frame = 72,
        .ts_thread_id = 152, .ts_native_thread_id = 160, .ts_dict = 128, .ts_state = 44, .ts_running_loop = 864, .ts_running_task = 872,
        .ts_tasks_head = 880,
        NO_FRAME_OBJECT, .frame_kind = LK_FRAME_CURRENT,
        .if_size = 80, .if_executable = 0, .if_previous = 8, .if_globals = 24, .if_instr = 56, .if_stacktop = LK_OFF_NONE,
        .if_stackpointer = 64, .if_owner = 74, .if_localsplus = 80, .if_is_entry = LK_OFF_NONE,
        CODE_12, .co_size = 216, .co_code_adaptive = 208, .co_firsttraceable = 192, .code_basicsize = 208,
        TYPE_FIELDS, FUNCTION_NEW, DICT_NEW, .values_array = 8, STR_NEW,
        .gi_code = LK_OFF_NONE, .gi_name = 24, .gi_qualname = 32, .gi_frame_state = 67, .gi_iframe = 72, .gen_state_kind = LK_GENSTATE_V13,
        FUTURE_HEAD, .task_size = 168, .fut_size = 112, .fut_state = 104, .fut_dict = LK_OFF_NONE, .task_fut_waiter = 120, .task_coro = 128,
        .task_name = 136, .task_must_cancel = 110, .task_must_cancel_bit = 2, .task_node = 152,
        .ht_cached_keys = 880, .ht_qualname = 872, .tuple_items = 32,
        .deque_size = 216, .module_size = 56, .coroutine_size = 152, .function_size = 152, .rlock_size = 40, .simplequeue_size = 72,
        .lock_size = 24, .int_tagged = true, .stack_tagged = true, .debug_offsets = true,
        .line_kind = LK_LINE_LOCATIONS, .attr_kind = LK_ATTR_INLINE, .with_kind = LK_WITH_TABLE_PAIR,
    },
    {
        .version = LK_PYVER(3, 15), .source = "CPython 3.15.2, distribution build, static",
        .rt_interpreters_head = 936, .rt_finalizing = 912, .rt_gil = LK_OFF_NONE, .rt_gc = LK_OFF_NONE,
        .is_next = 7264, .is_id = 7272, .is_threads_head = 7336, .is_modules = 7592, .is_sysdict = 7576, .is_builtins = 7584,
        .is_gc = 7400, .is_gc_generation0 = 7568, .is_gc_permanent = 7480, .is_gc_collecting = 7512, .is_gil = 16,
        .is_asyncio_tasks_head = 10856,
        .ts_size = 888, .ts_next = 8, .ts_interp = 16, .ts_cframe = LK_OFF_NONE, .cframe_current = LK_OFF_NONE, .ts_current_frame = 72,
        .ts_thread_id = 176, .ts_native_thread_id = 184, .ts_dict = 152, .ts_state = 48, .ts_running_loop = 1024, .ts_running_task = 1032,
        .ts_tasks_head = 1048,
        NO_FRAME_OBJECT, .frame_kind = LK_FRAME_CURRENT,
        .if_size = 80, .if_executable = 0, .if_previous = 8, .if_globals = 24, .if_instr = 56, .if_stacktop = LK_OFF_NONE,
        .if_stackpointer = 64, .if_owner = 74, .if_localsplus = 80, .if_is_entry = LK_OFF_NONE,
        CODE_12, .co_size = 216, .co_code_adaptive = 208, .co_firsttraceable = 192, .code_basicsize = 208,
        TYPE_FIELDS, FUNCTION_NEW, DICT_NEW, .values_array = 8, STR_NEW,
        .gi_code = LK_OFF_NONE, .gi_name = 24, .gi_qualname = 32, .gi_frame_state = 67, .gi_iframe = 72, .gen_state_kind = LK_GENSTATE_V15,
        FUTURE_HEAD, .task_size = 168, .fut_size = 112, .fut_state = 104, .fut_dict = LK_OFF_NONE, .task_fut_waiter = 120, .task_coro = 128,
        .task_name = 136, .task_must_cancel = 110, .task_must_cancel_bit = 2, .task_node = 152,
        .ht_cached_keys = 888, .ht_qualname = 880, .tuple_items = 32,
        .deque_size = 216, .module_size = 104, .coroutine_size = 152, .function_size = 152, .rlock_size = 40, .simplequeue_size = 72,
        .lock_size = 24, .int_tagged = true, .stack_tagged = true, .debug_offsets = true,
        .line_kind = LK_LINE_LOCATIONS, .attr_kind = LK_ATTR_INLINE, .with_kind = LK_WITH_TABLE_PAIR,
    },
};
const size_t lk_n_layouts = LK_ARRAY_LEN(lk_layouts);

/* clang-format on */

const struct lk_layout *lk_layout_find(int version)
{
    for (size_t i = 0; i < lk_n_layouts; i++)
        if (lk_layouts[i].version == version)
            return &lk_layouts[i];
    return NULL;
}
