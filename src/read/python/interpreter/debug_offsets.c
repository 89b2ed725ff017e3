/*
 * Which 64-bit word of struct _Py_DebugOffsets is which field, one table a version:
 * Include/internal/pycore_runtime.h (3.13) and pycore_debug_offsets.h (3.14, 3.15). Every word is
 * checked against the size of its struct or against the row before it counts; fields that the table
 * does not name move with their neighbours.
 */
#include "read/python/interpreter/debug_offsets.h"

#include <stdio.h>
#include <string.h>

enum {
    MAX_WORDS = 111,
    W_VERSION = 1,
    W_FREE_THREADED = 2,
    W_RUNTIME_SIZE = 3,
    MAX_STATE = 16 << 20, /* bytes of _PyRuntimeState or PyInterpreterState: far above any build */
};

/* One offset of the table: its word, the word of its struct's size, the layout's field. */
struct field {
    uint8_t word, size_word;
    /* must equal the row: other fields of the same struct are known from the row only */
    bool exact;
    uint16_t at;
    const char *name;
};

#define FIELD(word, size_word, exact, field)                                                       \
    {                                                                                              \
        word, size_word, exact, offsetof(struct lk_layout, field), #field                          \
    }

/* The structs in their order: runtime_state, interpreter_state, thread_state, (3.15:
 * err_stackitem,) interpreter_frame, code_object. */
static const struct field fields_13[] = {
    FIELD(4, 3, false, rt_finalizing),
    FIELD(5, 3, false, rt_interpreters_head),
    FIELD(7, 6, false, is_id),
    FIELD(8, 6, false, is_next),
    FIELD(9, 6, false, is_threads_head),
    FIELD(10, 6, false, is_gc),
    FIELD(11, 6, false, is_modules),
    FIELD(12, 6, false, is_sysdict),
    FIELD(13, 6, false, is_builtins),
    FIELD(14, 6, false, is_gil),
    FIELD(21, 19, false, ts_next),
    FIELD(22, 19, false, ts_interp),
    FIELD(23, 19, false, ts_current_frame),
    FIELD(24, 19, false, ts_thread_id),
    FIELD(25, 19, false, ts_native_thread_id),
    FIELD(29, 28, true, if_previous),
    FIELD(30, 28, true, if_executable),
    FIELD(31, 28, true, if_instr),
    FIELD(32, 28, true, if_localsplus),
    FIELD(33, 28, true, if_owner),
    FIELD(35, 34, true, co_filename),
    FIELD(36, 34, true, co_name),
    FIELD(37, 34, true, co_qualname),
    FIELD(38, 34, true, co_linetable),
    FIELD(39, 34, true, co_firstlineno),
    FIELD(41, 34, true, co_localsplusnames),
    FIELD(42, 34, true, co_localspluskinds),
    FIELD(43, 34, true, co_code_adaptive),
};
static const struct field fields_14[] = {
    FIELD(4, 3, false, rt_finalizing),
    FIELD(5, 3, false, rt_interpreters_head),
    FIELD(7, 6, false, is_id),
    FIELD(8, 6, false, is_next),
    FIELD(9, 6, false, is_threads_head),
    FIELD(11, 6, false, is_gc),
    FIELD(12, 6, false, is_modules),
    FIELD(13, 6, false, is_sysdict),
    FIELD(14, 6, false, is_builtins),
    FIELD(15, 6, false, is_gil),
    FIELD(24, 22, false, ts_next),
    FIELD(25, 22, false, ts_interp),
    FIELD(26, 22, false, ts_current_frame),
    FIELD(27, 22, false, ts_thread_id),
    FIELD(28, 22, false, ts_native_thread_id),
    FIELD(32, 31, true, if_previous),
    FIELD(33, 31, true, if_executable),
    FIELD(34, 31, true, if_instr),
    FIELD(35, 31, true, if_localsplus),
    FIELD(36, 31, true, if_owner),
    FIELD(37, 31, true, if_stackpointer),
    FIELD(40, 39, true, co_filename),
    FIELD(41, 39, true, co_name),
    FIELD(42, 39, true, co_qualname),
    FIELD(43, 39, true, co_linetable),
    FIELD(44, 39, true, co_firstlineno),
    FIELD(46, 39, true, co_localsplusnames),
    FIELD(47, 39, true, co_localspluskinds),
    FIELD(48, 39, true, co_code_adaptive),
};
static const struct field fields_15[] = {
    FIELD(4, 3, false, rt_finalizing),
    FIELD(5, 3, false, rt_interpreters_head),
    FIELD(7, 6, false, is_id),
    FIELD(8, 6, false, is_next),
    FIELD(9, 6, false, is_threads_head),
    FIELD(11, 6, false, is_gc),
    FIELD(12, 6, false, is_modules),
    FIELD(13, 6, false, is_sysdict),
    FIELD(14, 6, false, is_builtins),
    FIELD(15, 6, false, is_gil),
    FIELD(24, 22, false, ts_next),
    FIELD(25, 22, false, ts_interp),
    FIELD(26, 22, false, ts_current_frame),
    FIELD(30, 22, false, ts_thread_id),
    FIELD(31, 22, false, ts_native_thread_id),
    FIELD(40, 39, true, if_previous),
    FIELD(41, 39, true, if_executable),
    FIELD(42, 39, true, if_instr),
    FIELD(43, 39, true, if_localsplus),
    FIELD(44, 39, true, if_owner),
    FIELD(45, 39, true, if_stackpointer),
    FIELD(48, 47, true, co_filename),
    FIELD(49, 47, true, co_name),
    FIELD(50, 47, true, co_qualname),
    FIELD(51, 47, true, co_linetable),
    FIELD(52, 47, true, co_firstlineno),
    FIELD(54, 47, true, co_localsplusnames),
    FIELD(55, 47, true, co_localspluskinds),
    FIELD(56, 47, true, co_code_adaptive),
};

static const struct table {
    int version;
    const struct field *fields;
    size_t n, words; /* words: size of the whole table */
    uint8_t interpreter_size, thread_size;
} tables[] = {
    { LK_PYVER(3, 13), fields_13, LK_ARRAY_LEN(fields_13), 73, 6, 19 },
    { LK_PYVER(3, 14), fields_14, LK_ARRAY_LEN(fields_14), 95, 6, 22 },
    { LK_PYVER(3, 15), fields_15, LK_ARRAY_LEN(fields_15), 111, 6, 22 },
};

bool lk_debug_offsets_head(struct lk_process *t, lk_addr runtime, uint64_t *version,
                           bool *free_threaded)
{
    uint64_t w[3];

    if (!lk_read(t, runtime, w, sizeof w) || memcmp(w, "xdebugpy", 8) != 0)
        return false;
    *version = w[W_VERSION];
    *free_threaded = w[W_FREE_THREADED] != 0;
    return true;
}

static uint32_t *layout_field(struct lk_layout *l, const struct field *f)
{
    return (uint32_t *)(void *)((char *)l + f->at);
}

/* Checks one word against its struct's size; 4-aligned but for single bytes (owner). */
static bool take(struct lk_layout *l, const struct field *f, const uint64_t *w, char *why,
                 size_t size)
{
    uint64_t value = w[f->word], limit = w[f->size_word];
    uint32_t *to = layout_field(l, f);

    if (limit == 0 || limit > MAX_STATE || value >= limit || (!f->exact && (value & 7))) {
        snprintf(why, size, "the interpreter's own offset table is damaged (%s)", f->name);
        return false;
    }
    if (f->exact && value != *to) {
        snprintf(why, size,
                 "this build of CPython is laid out in a way loopknot does not know (%s is %llu, "
                 "expected %u)",
                 f->name, (unsigned long long)value, *to);
        return false;
    }
    *to = (uint32_t)value;
    return true;
}

static void shift(uint32_t *field, int64_t by)
{
    if (*field != LK_OFF_NONE)
        *field = (uint32_t)(*field + by);
}

bool lk_debug_offsets_apply(struct lk_process *t, lk_addr runtime, struct lk_layout *l, char *why,
                            size_t size)
{
    const struct lk_layout row = *l;
    const struct table *table = NULL;
    uint64_t w[MAX_WORDS];

    for (size_t i = 0; i < LK_ARRAY_LEN(tables); i++)
        if (tables[i].version == l->version)
            table = &tables[i];
    if (!table || !lk_read(t, runtime, w, table->words * sizeof w[0])) {
        snprintf(why, size, "the interpreter's own offset table could not be read");
        return false;
    }
    for (size_t i = 0; i < table->n; i++)
        if (!take(l, &table->fields[i], w, why, size))
            return false;
    uint64_t ts_size = w[table->thread_size];
    if (ts_size < 64 || ts_size > 4096 || l->ts_native_thread_id != l->ts_thread_id + 8) {
        snprintf(why, size, "the interpreter's own offset table is damaged (thread state)");
        return false;
    }
    /* Fields the table does not name move with their neighbours. */
    int64_t by = (int64_t)l->is_gc - row.is_gc;
    shift(&l->is_gc_generation0, by);
    shift(&l->is_gc_permanent, by);
    shift(&l->is_gc_collecting, by);
    shift(&l->ts_dict, (int64_t)l->ts_thread_id - row.ts_thread_id);
    /* _PyThreadStateImpl starts with a PyThreadState; asyncio's fields follow it. */
    by = (int64_t)ts_size - row.ts_size;
    l->ts_size = (uint32_t)ts_size;
    shift(&l->ts_running_loop, by);
    shift(&l->ts_running_task, by);
    shift(&l->ts_tasks_head, by);
    return true;
}
