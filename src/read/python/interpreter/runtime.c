/* Finding the runtime, naming its version, choosing the layout and checking that it fits. */
#include "read/python/interpreter/runtime.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "read/native/elf/dynamic_symbol.h"
#include "read/python/interpreter/attribute.h"
#include "read/python/interpreter/container.h"
#include "read/python/interpreter/debug_offsets.h"
#include "read/python/interpreter/scalar.h"
#include "read/python/interpreter/type.h"
#include "util/text.h"

enum {
    MAX_MODULES = 1024, /* ELF files looked at */
    MAX_INTERPRETERS = 4096,
    CHECKED_THREADS = 32,
    OPEN_TRIES = 6,
    MIN_RUNTIME_SIZE = 512, /* sizeof(_PyRuntimeState) is 656 at least */
};

/* A mapped ELF file that may hold the runtime. */
struct candidate {
    const struct lk_mapping *m;
    int rank; /* 0 libpython, 1 the program or something called python, 2 the rest */
};
struct candidates {
    struct candidate *v;
    size_t n, cap;
};

static bool is_pypy(const char *name)
{
    return lk_starts_with(name, "libpypy") || lk_starts_with(name, "pypy");
}

/* The first mapping of every ELF file, and whether it may be of interest. */
static void gather(struct lk_process *t, struct candidates *c, bool *pypy)
{
    size_t n = 0;
    const struct lk_mapping *m = lk_process_maps(t, &n, NULL);

    for (size_t i = 0; m && i < n && c->n < MAX_MODULES; i++) {
        if (m[i].path[0] != '/' || m[i].offset != 0 || m[i].prot[0] != 'r')
            continue;
        const char *name = lk_base_name(m[i].path);
        if (is_pypy(name))
            *pypy = true;
        struct candidate *k = lk_vec_push(c);
        k->m = &m[i];
        k->rank = lk_starts_with(name, "libpython") && strstr(name, ".so") ? 0
                  : c->n == 1 || lk_starts_with(name, "python")            ? 1
                                                                           : 2;
    }
}

/* "3.7" from ".../libpython3.7m.so.1.0" or "python3.7"; a hint for messages only. */
static bool version_hint(const char *path, char *ret, size_t size)
{
    const char *p = strstr(lk_base_name(path), "python");

    if (!p || !isdigit((unsigned char)p[6]) || p[7] != '.' || !isdigit((unsigned char)p[8]))
        return false;
    snprintf(ret, size, "%c.%d", p[6], atoi(p + 8) % 1000);
    return true;
}

static bool hint_is_old(const char *hint)
{
    int major = 0, minor = 0;
    return sscanf(hint, "%d.%d", &major, &minor) == 2 &&
           LK_PYVER(major, minor) < lk_layouts[0].version;
}

struct found {
    lk_addr runtime;
    uint32_t py_version; /* 0 unknown */
    bool old;            /* a Python without _PyRuntime: before 3.7 */
    char hint[16];
};

/* Looks into one file. */
static bool probe_file(struct lk_process *t, const struct candidate *c, struct found *f)
{
    struct lk_elf e;
    bool ok = lk_elf_open(&e, t, c->m);
    lk_addr at;

    f->runtime = ok ? lk_elf_dynsym(&e, "_PyRuntime") : 0;
    if (f->runtime && (at = lk_elf_dynsym(&e, "Py_Version")) != 0 &&
        !lk_read_u32(t, at, &f->py_version))
        f->py_version = 0;
    if (!f->runtime && c->rank < 2)
        f->runtime = lk_elf_symtab(t, c->m, "_PyRuntime", MIN_RUNTIME_SIZE);
    f->old = !f->runtime && ok && lk_elf_dynsym(&e, "Py_Initialize") &&
             lk_elf_dynsym(&e, "PyThreadState_Get");
    version_hint(c->m->path, f->hint, sizeof f->hint);
    if (ok)
        lk_elf_close(&e);
    return f->runtime || f->old;
}

/* ---- choosing the layout --------------------------------------------------------------- */

static bool fail(struct lk_py *py, const char *fmt, ...) LK_PRINTF(2, 3);
static bool fail(struct lk_py *py, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(py->why_not, sizeof py->why_not, fmt, ap);
    va_end(ap);
    return false;
}

/* Maps that live for one sample. */
static const size_t memos[] = {
    offsetof(struct lk_py, codes),           offsetof(struct lk_py, frames_of),
    offsetof(struct lk_py, frames_of_task),  offsetof(struct lk_py, by_ident),
    offsetof(struct lk_py, attr_index),      offsetof(struct lk_py, slots),
    offsetof(struct lk_py, instances),       offsetof(struct lk_py, class_names),
    offsetof(struct lk_py, modules_by_name), offsetof(struct lk_py, lines),
    offsetof(struct lk_py, texts),           offsetof(struct lk_py, thread_objects),
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

/* The main interpreter has id 0 and is the oldest, so the last of the list. */
static lk_addr main_interpreter(struct lk_py *py)
{
    const struct lk_layout *l = &py->layout;
    lk_addr is = lk_py_ptr(py, py->runtime + l->rt_interpreters_head), last = 0;
    int64_t id;

    for (int i = 0; is && i < MAX_INTERPRETERS; i++) {
        last = is;
        if (lk_read(py->t, is + l->is_id, &id, sizeof id) && id == 0)
            return is;
        is = lk_py_ptr(py, is + l->is_next);
    }
    return last;
}

/* Sets interp, modules and type_type; false when what is there is no interpreter in this layout. */
static bool enter_interpreter(struct lk_py *py, lk_addr *sysdict)
{
    lk_addr type;

    py->interp = main_interpreter(py);
    if (!py->interp)
        return fail(py, "no interpreter was found in the Python runtime");
    *sysdict = lk_py_ptr(py, py->interp + py->layout.is_sysdict);
    py->modules = lk_py_ptr(py, py->interp + py->layout.is_modules);
    if (!*sysdict || !py->modules || !(type = lk_py_ptr(py, *sysdict + 8)) ||
        !(py->type_type = lk_py_ptr(py, type + 8)))
        return fail(py, "the interpreter is just being set up or taken down: it has no sys module");
    const struct lk_pytype *meta = lk_py_type_at(py, py->type_type),
                           *dict = lk_py_type(py, *sysdict);
    if (!meta || meta->metatype != py->type_type || strcmp(meta->name, "type") != 0)
        return fail(py, "check failed: the type of a type is not `type`");
    if (!dict || strcmp(dict->name, "dict") != 0 || lk_py_kind(py, py->modules) != LK_PYK_DICT)
        return fail(py, "check failed: sys.modules is not a dict");
    return true;
}

/* The version as sys.hexversion has it, in the layout being tried. */
static bool hexversion(struct lk_py *py, unsigned *ret)
{
    lk_addr sysdict = 0, v;
    int64_t n;

    if (!enter_interpreter(py, &sysdict) || !(v = lk_py_dict_get(py, sysdict, "hexversion")) ||
        !lk_py_int(py, v, &n) || n <= 0 || n > UINT32_MAX)
        return false;
    *ret = (unsigned)n;
    return true;
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
        if (hexversion(py, &hex) && (int)(hex >> 16) == lk_layouts[i].version)
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

static bool choose_layout(struct lk_py *py, const struct found *f)
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
        if (hint_is_old(f->hint))
            return fail(py, "CPython %s is older than this build of loopknot reads (3.8 to 3.15)",
                        f->hint);
        return fail(py,
                    "the version of this Python (%s by its file name) could not be told; this "
                    "build of loopknot reads CPython "
                    "3.8 to 3.15",
                    *f->hint ? f->hint : "unknown");
    }
    set_version(py, hex);
    const struct lk_layout *row = lk_layout_find((int)(hex >> 16));
    if (!row)
        return fail(py, "CPython %u.%u is %s than this build of loopknot reads (3.8 to 3.15)",
                    hex >> 24, hex >> 16 & 255,
                    (int)(hex >> 16) > lk_layouts[lk_n_layouts - 1].version ? "newer" : "older");
    if (py->free_threaded)
        return fail(py,
                    "this is a free-threaded build of CPython %s, whose objects are laid out "
                    "differently; it is not read yet",
                    py->version);
    use_layout(py, row);
    return !row->debug_offsets ||
           lk_debug_offsets_apply(py->t, py->runtime, &py->layout, py->why_not, sizeof py->why_not);
}

/* ---- checks ---------------------------------------------------------------------------- */

/* Thread states link to their interpreter, and forward and back to each other. */
static bool check_threads(struct lk_py *py)
{
    const struct lk_layout *l = &py->layout;
    lk_addr ts = lk_py_ptr(py, py->interp + l->is_threads_head), prev = 0, back;

    for (int i = 0; ts && i < CHECKED_THREADS; i++) {
        if (lk_py_ptr(py, ts + l->ts_interp) != py->interp)
            return fail(py, "check failed: a thread state does not name its interpreter");
        if (!lk_read_u64(py->t, ts, &back) || (prev && back != prev))
            return fail(py, "check failed: the list of thread states is not linked both ways");
        prev = ts;
        ts = lk_py_ptr(py, ts + l->ts_next);
    }
    return true;
}

static bool check_size(struct lk_py *py, const struct lk_pytype *ty, const char *name,
                       uint32_t expected)
{
    if (ty && ty->basicsize == expected)
        return true;
    return fail(
        py,
        "check failed: objects of type %s are %lld bytes in this build of CPython %s, expected %u",
        name, ty ? (long long)ty->basicsize : -1, py->version, expected);
}

/* A type found as module attribute; NULL when that module was not imported. */
static const struct lk_pytype *known_type(struct lk_py *py, const char *module, const char *attr)
{
    lk_addr v = lk_py_module_attr(py, module, attr);
    return v ? lk_py_type_at(py, v) : NULL;
}

static bool check_types(struct lk_py *py)
{
    struct lk_layout *l = &py->layout;
    lk_addr sys = lk_py_dict_get(py, py->modules, "sys");
    lk_addr func = lk_py_module_attr(py, "_frozen_importlib", "_find_and_load");
    lk_addr code = func ? lk_py_function_code(py, func) : 0;
    const struct lk_pytype *code_type = code ? lk_py_type(py, code) : NULL, *ty;

    if (!sys || lk_py_is_none(py, sys)) /* finalize_modules() puts None in each module's place */
        return fail(py,
                    "the interpreter is just being set up or taken down: sys.modules holds no sys");
    if (!check_size(py, lk_py_type(py, sys), "module", l->module_size))
        return false;
    if (func && !check_size(py, lk_py_type(py, func), "function", l->function_size))
        return false;
    if (func && (!code_type || strcmp(code_type->name, "code") != 0))
        return fail(py, "check failed: a function's code is not of type `code`");
    if (func && !check_size(py, code_type, "code", l->code_basicsize))
        return false;
    if ((ty = known_type(py, "types", "CoroutineType")) &&
        !check_size(py, ty, "coroutine", l->coroutine_size))
        return false;
    if ((ty = known_type(py, "collections", "deque")) &&
        !check_size(py, ty, "deque", l->deque_size))
        return false;
    /* These changed within a minor (3.13): the live type decides. */
    if ((ty = known_type(py, "_thread", "LockType")) && ty->kind == LK_PYK_LOCK)
        l->lock_size = (uint32_t)ty->basicsize;
    if ((ty = known_type(py, "_thread", "RLock")) && ty->kind == LK_PYK_RLOCK)
        l->rlock_size = (uint32_t)ty->basicsize;
    if ((ty = known_type(py, "_queue", "SimpleQueue")) && ty->kind == LK_PYK_SIMPLEQUEUE)
        l->simplequeue_size = (uint32_t)ty->basicsize;
    return true;
}

static bool check_layout(struct lk_py *py)
{
    unsigned hex;
    lk_addr sysdict = 0;

    if (!enter_interpreter(py, &sysdict))
        return false;
    if (hexversion(py, &hex) && hex != py->version_hex)
        return fail(py, "check failed: sys.hexversion is %#x, the runtime says %#x", hex,
                    py->version_hex);
    py->debug_build = lk_py_dict_get(py, sysdict, "gettotalrefcount") != 0;
    snprintf(py->build, sizeof py->build, "%s", py->debug_build ? "debug" : "release");
    return check_threads(py) && check_types(py);
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
static struct lk_py *open_runtime(struct lk_process *t, const struct found *f)
{
    struct lk_py *py = py_create(t);

    py->runtime = f->runtime;
    if (f->old) {
        snprintf(py->version, sizeof py->version, "%s", f->hint);
        fail(py, "CPython %s is older than this build of loopknot reads (3.8 to 3.15)",
             *f->hint ? f->hint : "before 3.7");
        return py;
    }
    bool chosen = choose_layout(py, f);
    if (!initialised(py)) {
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
        py->readable = check_layout(py);
    }
    if (py->readable)
        py->why_not[0] = '\0';
    clear_memos(py);
    return py;
}

/* Opens the first runtime in use, likeliest files first. seen: how many there are, in use or not.
 */
static struct lk_py *open_first(struct lk_process *t, const struct candidates *c, size_t *seen)
{
    struct found old = { 0 };

    for (int rank = 0; rank <= 2; rank++)
        for (size_t i = 0; i < c->n; i++) {
            struct found f = { 0 };
            if (c->v[i].rank != rank || (rank == 2 && *seen) || !probe_file(t, &c->v[i], &f))
                continue;
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
    struct candidates c = { 0 };
    struct lk_py *py = NULL;
    size_t seen = 0;
    bool pypy = false;

    gather(t, &c, &pypy);
    if (!pypy)
        py = open_first(t, &c, &seen);
    free(c.v);
    if (!py)
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
    for (size_t i = 0; i < N_MEMOS; i++)
        lk_map_deinit(memo(py, i));
    lk_arena_destroy(py->arena);
    free(py);
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
    clear_memos(py);
    py->frames_complete = enter_interpreter(py, &sysdict);
    for (int i = 1; !py->frames_complete && i < OPEN_TRIES; i++) {
        lk_process_forget_racy(py->t);
        clear_memos(py);
        py->frames_complete = enter_interpreter(py, &sysdict);
    }
    if (!py->frames_complete) {
        s->python.why_not = lk_arena_strdup(s->arena, py->why_not);
        lk_snapshot_limit(s, "the Python interpreter could not be read in this sample: %s",
                          py->why_not);
    }
}

/* ---- describing ------------------------------------------------------------------------ */

/* Adds one folder to a ':'-separated list, once. */
static void add_folder(struct lk_strbuf *b, const char *folder, const char *rest)
{
    char path[2 * LK_PY_MAX_STR];
    int n = snprintf(path, sizeof path, "%s%s", folder, rest);

    if (n <= 1 || (size_t)n >= sizeof path || path[0] != '/')
        return;
    for (const char *p = b->s; p && *p;) {
        const char *end = strchr(p, ':');
        size_t len = end ? (size_t)(end - p) : strlen(p);
        if (len == (size_t)n && memcmp(p, path, len) == 0)
            return;
        p = end ? end + 1 : NULL;
    }
    if (b->n)
        lk_strbuf_puts(b, ":");
    lk_strbuf_puts(b, path);
}

/* The folder of a module's file, `up` levels above the file. */
static void add_module_folder(struct lk_py *py, struct lk_strbuf *b, const char *module, int up)
{
    lk_addr v = lk_py_module_attr(py, module, "__file__");
    const char *file = v ? lk_py_str(py, v) : NULL;
    char path[LK_PY_MAX_STR + 8];

    if (!file || strlen(file) >= sizeof path)
        return;
    snprintf(path, sizeof path, "%s", file);
    for (int i = 0; i < up; i++) {
        char *slash = strrchr(path, '/');
        if (!slash)
            return;
        *slash = '\0';
    }
    add_folder(b, path, "");
}

static void add_prefix(struct lk_py *py, struct lk_strbuf *b, lk_addr sysdict, const char *attr)
{
    lk_addr v = lk_py_dict_get(py, sysdict, attr), d = lk_py_dict_get(py, sysdict, "platlibdir");
    const char *prefix = v ? lk_py_str(py, v) : NULL, *lib = d ? lk_py_str(py, d) : NULL;
    unsigned major = py->version_hex >> 24, minor = py->version_hex >> 16 & 255;
    char rest[LK_PY_MAX_STR + 64];

    if (!prefix)
        return;
    snprintf(rest, sizeof rest, "/%s/python%u.%u", lib ? lib : "lib", major, minor);
    add_folder(b, prefix, rest);
    snprintf(rest, sizeof rest, "/%s/python%u.%u/lib-dynload", lib ? lib : "lib", major, minor);
    add_folder(b, prefix, rest);
    snprintf(rest, sizeof rest, "/%s/python%u%u.zip", lib ? lib : "lib", major, minor);
    add_folder(b, prefix, rest);
}

static void find_stdlib(struct lk_py *py)
{
    struct lk_strbuf b = { 0 };
    lk_addr sysdict = lk_py_ptr(py, py->interp + py->layout.is_sysdict), v;
    const char *dir;

    add_module_folder(py, &b, "os", 1);
    add_module_folder(py, &b, "encodings", 2);
    if (sysdict && (v = lk_py_dict_get(py, sysdict, "_stdlib_dir")) && (dir = lk_py_str(py, v)))
        add_folder(&b, dir, "");
    if (sysdict) {
        add_prefix(py, &b, sysdict, "base_prefix");
        add_prefix(py, &b, sysdict, "base_exec_prefix");
    }
    if (b.n)
        py->stdlib = lk_arena_strdup(py->arena, b.s);
    lk_strbuf_deinit(&b);
}

void lk_py_describe(struct lk_py *py, struct lk_snapshot *s)
{
    struct lk_python *d = &s->python;

    if (py->readable && !py->stdlib)
        find_stdlib(py);
    d->present = true;
    d->version = *py->version ? lk_arena_strdup(s->arena, py->version) : NULL;
    d->build = *py->build ? lk_arena_strdup(s->arena, py->build) : NULL;
    d->free_threaded =
        py->readable || py->free_threaded ? (py->free_threaded ? LK_YES : LK_NO) : LK_TRI_UNKNOWN;
    d->frames_read = py->readable && py->frames_complete;
    d->why_not = py->readable ? NULL : lk_arena_strdup(s->arena, py->why_not);
    d->stdlib = py->stdlib ? lk_arena_strdup(s->arena, py->stdlib) : NULL;
}
