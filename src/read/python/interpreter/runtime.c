/*
 * Opening a process's Python: the version is named, its row of the layout chosen, overlaid by
 * _Py_DebugOffsets (3.13+) and checked; what lives for one sample is forgotten at the next.
 */
#include "read/python/interpreter/runtime.h"

#include <stdio.h>
#include <stdlib.h>

#include "read/python/interpreter/container.h"
#include "read/python/interpreter/debug_offsets.h"
#include "read/python/interpreter/find_runtime.h"
#include "read/python/interpreter/free_threaded_layout.h"
#include "read/python/interpreter/layout_check.h"
#include "read/python/interpreter/main_interpreter.h"
#include "read/python/interpreter/scalar.h"
#include "read/python/interpreter/search_path.h"
#include "read/python/interpreter/type.h"
#include "util/text.h"

enum { OPEN_TRIES = 6 };

/* ---- choosing the layout --------------------------------------------------------------- */

/* Maps that live for one sample. */
static const size_t memos[] = {
    offsetof(struct lk_py, codes),           offsetof(struct lk_py, frames_of),
    offsetof(struct lk_py, frames_of_task),  offsetof(struct lk_py, by_ident),
    offsetof(struct lk_py, attr_index),      offsetof(struct lk_py, slots),
    offsetof(struct lk_py, instances),       offsetof(struct lk_py, class_names),
    offsetof(struct lk_py, modules_by_name), offsetof(struct lk_py, lines),
    offsetof(struct lk_py, texts),           offsetof(struct lk_py, thread_objects),
    offsetof(struct lk_py, hashes),
};
#define N_MEMOS LK_ARRAY_LEN(memos)

static struct lk_map *memo(struct lk_py *py, size_t i)
{
    return (struct lk_map *)(void *)((char *)py + memos[i]);
}

static void clear_memos(struct lk_py *py)
{
    for (size_t i = 0; i < N_MEMOS; i++)
        lk_map_clear(memo(py, i));
}

static void use_layout(struct lk_py *py, const struct lk_layout *row)
{
    py->layout = *row;
    py->type_type = 0;
    py->interp = py->modules = 0;
    lk_map_clear(&py->types);
    clear_memos(py);
}

/* Without a symbol the rows are tried: only the right one leads to a sys.hexversion that names it.
 */
static unsigned probe_rows(struct lk_py *py)
{
    for (size_t i = 0; i < lk_n_layouts; i++) {
        unsigned hex;
        if (lk_layouts[i].debug_offsets) /* such a runtime would have said so itself */
            continue;
        use_layout(py, &lk_layouts[i]);
        if (lk_py_hexversion(py, &hex) && (int)(hex >> 16) == lk_layouts[i].version)
            return hex;
    }
    py->layout.version = 0;
    return 0;
}

static void set_version(struct lk_py *py, unsigned hex)
{
    static const char *const levels[16] = { [0xa] = "a", [0xb] = "b", [0xc] = "rc" };
    const char *level = levels[hex >> 4 & 15];
    int n = snprintf(py->version, sizeof py->version, "%u.%u.%u", hex >> 24, hex >> 16 & 255,
                     hex >> 8 & 255);

    py->version_hex = hex;
    if (level)
        snprintf(py->version + n, sizeof py->version - (size_t)n, "%s%u", level, hex & 15);
}

static bool choose_layout(struct lk_py *py, const struct lk_runtime_found *f)
{
    uint64_t stated = 0;
    bool described = lk_debug_offsets_head(py->t, py->runtime, &stated, &py->free_threaded);
    unsigned hex = f->py_version                       ? f->py_version
                   : described && stated <= UINT32_MAX ? (unsigned)stated
                                                       : 0;

    if (!hex)
        hex = probe_rows(py);
    if (!hex) {
        snprintf(py->version, sizeof py->version, "%s", f->hint);
        if (lk_runtime_hint_is_old(f->hint))
            return lk_py_fail(
                py, "CPython %s is older than this build of loopknot reads (3.8 to 3.15)", f->hint);
        return lk_py_fail(
            py,
            "the version of this Python (%s by its file name) could not be told; this "
            "build of loopknot reads CPython "
            "3.8 to 3.15",
            *f->hint ? f->hint : "unknown");
    }
    set_version(py, hex);
    const struct lk_layout *row = lk_layout_find((int)(hex >> 16));
    if (!row)
        return lk_py_fail(py, "CPython %u.%u is %s than this build of loopknot reads (3.8 to 3.15)",
                          hex >> 24, hex >> 16 & 255,
                          (int)(hex >> 16) > lk_layouts[lk_n_layouts - 1].version ? "newer"
                                                                                  : "older");
    use_layout(py, row);
    if (py->free_threaded && !lk_layout_free_threaded(&py->layout)) {
        py->layout.version = 0;
        return lk_py_fail(py,
                          "this is a free-threaded build of CPython %s: of these, only 3.13 is "
                          "read",
                          py->version);
    }
    char why[sizeof py->why_not.text] = "";
    return !row->debug_offsets ||
           lk_debug_offsets_apply(py->t, py->runtime, &py->layout, why, sizeof why) ||
           lk_py_fail(py, "%s", why);
}

/* ---- opening --------------------------------------------------------------------------- */

/* A loaded library that nobody initialised has no interpreter (3.8 - 3.10 have the list's head at
 * one place). */
static bool initialised(struct lk_py *py)
{
    uint32_t head =
        py->layout.version ? py->layout.rt_interpreters_head : lk_layouts[0].rt_interpreters_head;
    return (py->version_hex && !py->layout.version) || lk_py_ptr(py, py->runtime + head) != 0;
}

static struct lk_py *py_create(struct lk_process *t)
{
    struct lk_py *py = lk_xcalloc(1, sizeof *py);
    py->t = t;
    py->arena = lk_arena_create();
    py->frames_complete = true;
    return py;
}

/* Opens one runtime; NULL when nobody uses it. */
static struct lk_py *open_runtime(struct lk_process *t, const struct lk_runtime_found *f)
{
    struct lk_py *py = py_create(t);

    py->runtime = f->runtime;
    lk_read_watch(t);
    if (f->old) {
        snprintf(py->version, sizeof py->version, "%s", f->hint);
        lk_py_fail(py, "CPython %s is older than this build of loopknot reads (3.8 to 3.15)",
                   *f->hint ? f->hint : "before 3.7");
        return py;
    }
    const char *before = lk_reading(t, "the interpreter");
    bool chosen = choose_layout(py, f);
    lk_read_watch(t);
    if (!initialised(py)) {
        lk_reading(t, before);
        if (lk_read_failed(t).size) { /* nothing is known of it */
            lk_py_fail(py, "the memory of its runtime could not be read");
            return py;
        }
        lk_py_close(py);
        return NULL;
    }
    /* The target runs while its dicts are read: a torn look is tried again. */
    for (int i = 0; chosen && !py->readable && i < OPEN_TRIES; i++) {
        if (i)
            lk_process_begin_sample(t);
        lk_map_clear(&py->types);
        clear_memos(py);
        py->type_type = 0;
        lk_read_watch(t);
        py->readable = lk_layout_check(py);
    }
    if (py->readable)
        py->why_not = (struct lk_error){ 0 };
    clear_memos(py);
    lk_reading(t, before);
    return py;
}

/* Opens the first runtime in use, likeliest files first. seen: how many there are, in use or not;
 * blind: a file that is Python by its name, and in which none was found. */
static struct lk_py *open_first(struct lk_process *t, const struct lk_runtime_files *c,
                                size_t *seen, const char **blind)
{
    struct lk_runtime_found old = { 0 };

    *blind = NULL;
    for (int rank = 0; rank <= 2; rank++)
        for (size_t i = 0; i < c->n; i++) {
            struct lk_runtime_found f = { 0 };
            if (c->v[i].rank != rank || (rank == 2 && *seen))
                continue;
            if (!lk_runtime_probe(t, &c->v[i], &f)) {
                if (lk_runtime_is_named(&c->v[i]))
                    *blind = c->v[i].m->path;
                continue;
            }
            (*seen)++;
            if (f.old)
                old = f;
            struct lk_py *py = f.old ? NULL : open_runtime(t, &f);
            if (py)
                return py;
        }
    return old.old ? open_runtime(t, &old) : NULL;
}

struct lk_py *lk_py_open(struct lk_process *t, struct lk_error *err)
{
    struct lk_runtime_files c = { 0 };
    struct lk_py *py = NULL;
    const char *blind = NULL;
    size_t seen = 0;
    bool pypy = false;

    lk_runtime_files(t, &c, &pypy);
    if (!pypy)
        py = open_first(t, &c, &seen, &blind);
    lk_free(c.v);
    if (!py && !seen && blind)
        lk_error_set(err, LK_ERR_BAD_DATA, "no Python runtime was found in %s, which is mapped",
                     lk_base_name(blind));
    else if (!py)
        lk_error_set(err, LK_ERR_UNSUPPORTED,
                     pypy ? "this is PyPy, not CPython: loopknot cannot read its threads and loops"
                     : seen ? "a CPython runtime is loaded, but not initialised"
                            : "no CPython runtime was found");
    return py;
}

void lk_py_close(struct lk_py *py)
{
    if (!py)
        return;
    lk_map_deinit(&py->types);
    lk_map_deinit(&py->hints);
    lk_free(py->timers.v);
    lk_free(py->hub_callbacks.v);
    lk_free(py->green_holds.v);
    lk_free(py->interpreters.v);
    lk_free(py->tstates.v);
    lk_free(py->gils.v);
    for (size_t i = 0; i < N_MEMOS; i++)
        lk_map_deinit(memo(py, i));
    lk_arena_destroy(py->arena);
    lk_free(py);
}

bool lk_py_readable(const struct lk_py *py)
{
    return py->readable;
}

void lk_py_begin(struct lk_py *py, struct lk_snapshot *s)
{
    lk_addr sysdict = 0;

    py->s = s;
    py->sample++;
    py->interpreters.n = py->tstates.n = py->gils.n = 0;
    clear_memos(py);
    const char *before = lk_reading(py->t, "the interpreter");
    lk_read_watch(py->t);
    py->frames_complete = lk_py_enter_interpreter(py, &sysdict);
    for (int i = 1; !py->frames_complete && i < OPEN_TRIES; i++) {
        lk_process_forget_racy(py->t);
        clear_memos(py);
        lk_read_watch(py->t);
        py->frames_complete = lk_py_enter_interpreter(py, &sysdict);
    }
    if (!py->frames_complete) {
        s->python.why_not = lk_arena_strdup(s->arena, py->why_not.text);
        s->python.passing = py->passing;
        lk_snapshot_limit_of(s, (struct lk_ref){ 0 }, py->why_not.read,
                             "the Python interpreter could not be read in this sample: %s",
                             py->why_not.text);
    }
    lk_reading(py->t, before);
}

/* ---- describing ------------------------------------------------------------------------ */

void lk_py_describe(struct lk_py *py, struct lk_snapshot *s)
{
    struct lk_python *d = &s->python;

    if (py->readable && !py->stdlib)
        lk_py_find_folders(py);
    d->present = true;
    d->version = *py->version ? lk_arena_strdup(s->arena, py->version) : NULL;
    d->hex = *py->version ? py->version_hex : 0;
    d->build = *py->build ? lk_arena_strdup(s->arena, py->build) : NULL;
    d->free_threaded =
        py->readable || py->free_threaded ? (py->free_threaded ? LK_YES : LK_NO) : LK_TRI_UNKNOWN;
    d->frames_read = py->readable && py->frames_complete;
    d->why_not = py->readable ? NULL : lk_arena_strdup(s->arena, py->why_not.text);
    d->passing = !py->readable && py->passing;
    d->stdlib = py->stdlib ? lk_arena_strdup(s->arena, py->stdlib) : NULL;
    d->own_folders = py->own_folders ? lk_arena_strdup(s->arena, py->own_folders) : NULL;
    d->prefix = py->prefix ? lk_arena_strdup(s->arena, py->prefix) : NULL;
}
