/* Code objects: names, line tables, exception tables. */
#include "read/python/interpreter/code.h"

#include "read/python/interpreter/container.h"
#include "read/python/interpreter/scalar.h"
#include "read/python/interpreter/type.h"

enum {
    BYTES_SIZE = 16,
    BYTES_DATA = 32,
    MAX_LOCALS = 1 << 16,
    MAX_STACK = 1 << 16,
    MAX_TABLE = 4 << 20, /* bytes of one line or exception table */
    MAX_CODE = 256 << 20,
    MAX_NAMES = 4096,    /* co_names entries looked at */
    CO_COROUTINE = 0x80, /* Include/cpython/code.h */
    CO_ASYNC_GENERATOR = 0x200,
    KIND_LOCAL = 0x20, /* co_localspluskinds, Include/internal/pycore_code.h */
    KIND_CELL = 0x40,
    KIND_FREE = 0x80,
};

/* File names and many names are one str object for many code objects. */
static const char *text(struct lk_py *py, lk_addr str)
{
    uint64_t known;

    if (lk_map_get(&py->texts, str, &known))
        return (const char *)(uintptr_t)known;
    const char *s = lk_py_str(py, str);
    if (!s)
        s = "?";
    lk_map_put(&py->texts, str, (uintptr_t)s);
    return s;
}

/* What opens a server's sockets, in asyncio and in libraries (aiohttp, hypercorn, websockets,
 * grpc).
 */
static bool opens_server(const char *name)
{
    static const char *const names[] = { "start_server",     "start_unix_server",  "create_server",
                                         "serve_forever",    "create_unix_server", "run_app",
                                         "TCPSite",          "UnixSite",           "serve",
                                         "add_insecure_port" };
    return lk_is_one_of(name, names, LK_ARRAY_LEN(names));
}

/* co_names of what locks and futures offer: a frame that names neither acquire nor release cannot
 * have taken or released one by hand. */
static void read_mentions(struct lk_py *py, lk_addr names, struct lk_code *c)
{
    int64_t n = lk_py_kind(py, names) == LK_PYK_TUPLE ? lk_py_len(py, names) : -1;

    if (n < 0 || n > MAX_NAMES) { /* not known: assume the worse */
        c->mentions_release = c->mentions_acquire = true;
        return;
    }
    for (int64_t i = 0; i < n; i++) {
        char name[24];
        if (!lk_py_str_raw(py, lk_py_item(py, names, (size_t)i), name, sizeof name))
            continue;
        c->mentions_release |= strcmp(name, "release") == 0;
        c->mentions_acquire |= strcmp(name, "acquire") == 0;
        c->mentions_cancel |= strcmp(name, "cancel") == 0;
        c->mentions_set |= strcmp(name, "set_result") == 0 || strcmp(name, "set_exception") == 0;
        c->mentions_serve |= opens_server(name);
    }
}

/*
 * The entry of a web application, a function or method of these arguments. The first one is called
 * environ or env, scope or otherwise; the others bear the names that PEP 3333 and the ASGI
 * specification call them by.
 */
static enum lk_entry entry_of(struct lk_py *py, lk_addr names, int argcount)
{
    enum { MOST = 4 }; /* self, and three arguments */
    char v[MOST][16] = { "", "", "", "" };
    int64_t n = lk_py_kind(py, names) == LK_PYK_TUPLE ? lk_py_len(py, names) : 0;
    n = LK_MIN(n, (int64_t)argcount); /* other variables follow */
    for (int64_t i = 1; i < LK_MIN(n, (int64_t)MOST); i++)
        if (!lk_py_str_raw(py, lk_py_item(py, names, (size_t)i), v[i], sizeof v[i]))
            v[i][0] = '\0'; /* longer than any of these */
    for (int i = 1; i < 3; i++) {
        if (strcmp(v[i], "start_response") == 0)
            return LK_ENTRY_WSGI;
        if (strcmp(v[i], "receive") == 0 && strcmp(v[i + 1], "send") == 0)
            return LK_ENTRY_ASGI;
    }
    return LK_ENTRY_NONE;
}

/* Number of items of a tuple field, for 3.8 - 3.10 where counts of cells are not stored. */
static int tuple_len(struct lk_py *py, lk_addr tuple)
{
    int64_t n = lk_py_kind(py, tuple) == LK_PYK_TUPLE ? lk_py_len(py, tuple) : -1;
    return n < 0 || n > MAX_LOCALS ? -1 : (int)n;
}

static bool read_shape(struct lk_py *py, const uint8_t *b, struct lk_pycode *c)
{
    const struct lk_layout *l = &py->layout;
    int64_t units;

    c->flags = (unsigned)lk_i32_in(b, l->co_flags);
    c->stacksize = lk_i32_in(b, l->co_stacksize);
    c->nlocals = lk_i32_in(b, l->co_nlocals);
    if (l->co_nlocalsplus != LK_OFF_NONE) {
        c->nlocalsplus = lk_i32_in(b, l->co_nlocalsplus);
        c->nfreevars = lk_i32_in(b, l->co_nfreevars);
        c->firsttraceable = lk_i32_in(b, l->co_firsttraceable);
        c->names = lk_addr_in(b, l->co_localsplusnames);
        c->kinds = lk_addr_in(b, l->co_localspluskinds);
        c->start = c->addr + l->co_code_adaptive;
        /* ob_size: code units of two bytes */
        memcpy(&units, b + lk_py_field(py, 0, 16), sizeof units);
        c->code_bytes = units > 0 && units < MAX_CODE / 2 ? units * 2 : -1;
    } else {
        int cells = tuple_len(py, lk_addr_in(b, l->co_cellvars)),
            frees = tuple_len(py, lk_addr_in(b, l->co_freevars));
        if (cells < 0 || frees < 0 || c->nlocals < 0 || c->nlocals > MAX_LOCALS)
            return false;
        c->nlocalsplus = c->nlocals + cells + frees;
        c->nfreevars = frees;
        lk_addr code = lk_addr_in(b, l->co_code);
        c->start = code + BYTES_DATA;
        if (lk_py_kind(py, code) != LK_PYK_BYTES ||
            !lk_read(py->t, lk_py_field(py, code, BYTES_SIZE), &c->code_bytes,
                     sizeof c->code_bytes))
            return false;
    }
    return c->code_bytes > 0 && c->code_bytes <= MAX_CODE && c->stacksize >= 0 &&
           c->stacksize <= MAX_STACK && c->nlocalsplus >= 0 && c->nlocalsplus <= MAX_LOCALS &&
           c->nfreevars >= 0 && c->nfreevars <= c->nlocalsplus;
}

static const struct lk_pycode *read_code(struct lk_py *py, lk_addr code)
{
    const struct lk_layout *l = &py->layout;
    uint8_t b[256];
    struct lk_pycode c = { .addr = code };

    if (lk_py_kind(py, code) != LK_PYK_CODE || l->co_size > sizeof b ||
        !lk_read(py->t, code, b, l->co_size) || !read_shape(py, b, &c))
        return NULL;
    c.fingerprint[0] = lk_addr_in(b, l->co_name);
    c.fingerprint[1] = lk_addr_in(b, l->co_linetable);
    c.fingerprint[2] = lk_addr_in(b, l->co_filename);
    struct lk_code *pub = lk_arena_alloc(lk_py_arena(py), sizeof *pub);
    pub->addr = code;
    pub->function = text(py, lk_addr_in(b, l->co_name));
    pub->qualname =
        l->co_qualname == LK_OFF_NONE ? pub->function : text(py, lk_addr_in(b, l->co_qualname));
    pub->file = text(py, lk_addr_in(b, l->co_filename));
    pub->firstlineno = lk_i32_in(b, l->co_firstlineno);
    pub->is_coroutine = (c.flags & (CO_COROUTINE | CO_ASYNC_GENERATOR)) != 0;
    read_mentions(py, lk_addr_in(b, l->co_names), pub);
    pub->entry =
        entry_of(py, l->co_localsplusnames != LK_OFF_NONE ? c.names : lk_addr_in(b, l->co_varnames),
                 lk_i32_in(b, l->co_argcount));
    c.code = pub;
    struct lk_pycode *ret = lk_arena_alloc(lk_py_arena(py), sizeof *ret);
    *ret = c;
    lk_map_put(&py->codes, code, (uintptr_t)ret);
    return ret;
}

const struct lk_pycode *lk_py_code(struct lk_py *py, lk_addr code)
{
    uint64_t known;

    if (lk_map_get(&py->codes, code, &known))
        return (const struct lk_pycode *)(uintptr_t)known;
    const char *before = lk_reading(py->t, "a code object");
    const struct lk_pycode *ret = read_code(py, code);
    lk_reading(py->t, before);
    return ret;
}

/* ---- names of locals ------------------------------------------------------------------- */

static void add_names(struct lk_py *py, struct lk_pycode *c, lk_addr tuple, int n, int *at,
                      uint8_t kind)
{
    for (int i = 0; i < n && *at < c->nlocalsplus; i++, (*at)++) {
        c->local_names[*at] = text(py, lk_py_item(py, tuple, (size_t)i));
        c->local_kinds[*at] = kind;
    }
}

bool lk_py_code_locals(struct lk_py *py, const struct lk_pycode *cc)
{
    const struct lk_layout *l = &py->layout;
    struct lk_pycode *c = (struct lk_pycode *)cc; /* memo; made by lk_py_code only */
    int at = 0;

    if (c->local_names)
        return true;
    const char **names = lk_arena_array(lk_py_arena(py), (size_t)c->nlocalsplus + 1, sizeof *names);
    c->local_kinds = lk_arena_alloc(lk_py_arena(py), (size_t)c->nlocalsplus + 1);
    c->local_names = names;
    if (l->co_localsplusnames != LK_OFF_NONE) {
        add_names(py, c, c->names, c->nlocalsplus, &at, KIND_LOCAL);
        if (lk_py_kind(py, c->kinds) != LK_PYK_BYTES ||
            !lk_read(py->t, lk_py_field(py, c->kinds, BYTES_DATA), c->local_kinds,
                     (size_t)c->nlocalsplus))
            memset(c->local_kinds, KIND_LOCAL, (size_t)c->nlocalsplus);
        return true;
    }
    lk_addr cells = lk_py_ptr(py, c->addr + l->co_cellvars),
            frees = lk_py_ptr(py, c->addr + l->co_freevars);
    add_names(py, c, lk_py_ptr(py, c->addr + l->co_varnames), c->nlocals, &at, KIND_LOCAL);
    add_names(py, c, cells, tuple_len(py, cells), &at, KIND_CELL);
    add_names(py, c, frees, tuple_len(py, frees), &at, KIND_FREE);
    for (; at < c->nlocalsplus; at++)
        c->local_names[at] = "";
    return true;
}

/* ---- tables ---------------------------------------------------------------------------- */

static uint8_t *read_bytes(struct lk_py *py, lk_addr obj, int64_t *n)
{
    int64_t size;

    *n = -1;
    if (lk_py_kind(py, obj) != LK_PYK_BYTES ||
        !lk_read(py->t, lk_py_field(py, obj, BYTES_SIZE), &size, sizeof size) || size < 0 ||
        size > MAX_TABLE)
        return NULL;
    uint8_t probe;
    if (size && !lk_read_u8(py->t, lk_py_field(py, obj, BYTES_DATA) + (uint64_t)size - 1, &probe))
        return NULL;
    uint8_t *ret = lk_arena_alloc(lk_py_arena(py), (size_t)size + 1);
    if (!lk_read(py->t, lk_py_field(py, obj, BYTES_DATA), ret, (size_t)size))
        return NULL;
    *n = size;
    return ret;
}

/* Raw tables, in the sample's arena; NULL when unreadable. */
static const uint8_t *line_table(struct lk_py *py, const struct lk_pycode *cc, int64_t *n)
{
    struct lk_pycode *c = (struct lk_pycode *)cc;
    if (!c->linetable && c->linetable_n == 0)
        c->linetable = read_bytes(py, c->fingerprint[1], &c->linetable_n);
    *n = c->linetable_n;
    return c->linetable;
}

static const uint8_t *exception_table(struct lk_py *py, const struct lk_pycode *cc, int64_t *n)
{
    struct lk_pycode *c = (struct lk_pycode *)cc;
    if (!c->exceptions && c->exceptions_n == 0)
        c->exceptions =
            read_bytes(py, lk_py_ptr(py, c->addr + py->layout.co_exceptiontable), &c->exceptions_n);
    *n = c->exceptions_n;
    return c->exceptions;
}

/* 3.8, 3.9 (Objects/lnotab_notes.txt): pairs of an unsigned byte delta and a signed line delta. */
static int line_lnotab(const uint8_t *t, int64_t n, int first, int lasti)
{
    int line = first, addr = 0;

    for (int64_t i = 0; i + 1 < n; i += 2) {
        addr += t[i];
        if (addr > lasti)
            break;
        line += (int8_t)t[i + 1];
    }
    return line;
}

/* 3.10 (PEP 626): pairs of a length and a signed line delta; -128 means no line. */
static int line_ranges(const uint8_t *t, int64_t n, int first, int lasti)
{
    int line = first, end = 0;

    for (int64_t i = 0; i + 1 < n; i += 2) {
        int delta = t[i + 1] < 128 ? t[i + 1] : t[i + 1] - 256;
        end += t[i];
        if (delta != -128)
            line += delta;
        if (lasti < end)
            return delta == -128 ? 0 : line;
    }
    return first;
}

/* Little end first, six bits a byte, bit 6 continues. */
static uint32_t location_varint(const uint8_t *t, int64_t n, int64_t *i)
{
    uint32_t v = 0;
    for (unsigned shift = 0; *i < n; shift += 6) {
        uint8_t b = t[(*i)++];
        if (shift < 32)
            v |= (uint32_t)(b & 63) << shift;
        if (!(b & 64))
            break;
    }
    return v;
}

/* 3.11+ (Objects/locations.md). Column information is stepped over: the next entry is the next byte
 * with bit 7 set. */
static int line_locations(const uint8_t *t, int64_t n, int first, int lasti)
{
    int64_t line = first, end = 0;

    for (int64_t i = 0; i < n;) {
        uint8_t head = t[i++];
        int kind = head >> 3 & 15;
        bool none = kind == 15;
        if (kind >= 10 && kind <= 12) {
            line += kind - 10;
        } else if (kind == 13 || kind == 14) {
            uint32_t v = location_varint(t, n, &i);
            line += v & 1 ? -(int64_t)(v >> 1) : (int64_t)(v >> 1);
        }
        end += ((head & 7) + 1) * 2;
        if (lasti < end)
            return none || line <= 0 || line > INT32_MAX ? 0 : (int)line;
        while (i < n && !(t[i] & 0x80))
            i++;
    }
    return first;
}

int lk_py_code_line(struct lk_py *py, const struct lk_pycode *c, int lasti)
{
    uint64_t key = lk_hash_u64(lk_hash_u64(LK_HASH_INIT, c->addr), (uint64_t)lasti), known;
    int line = c->code->firstlineno;
    int64_t n;

    if (lasti < 0)
        return line;
    if (lk_map_get(&py->lines, key, &known))
        return (int)known;
    const uint8_t *t = line_table(py, c, &n);
    if (!t)
        line = 0;
    else if (py->layout.line_kind == LK_LINE_LNOTAB)
        line = line_lnotab(t, n, line, lasti);
    else
        line = (py->layout.line_kind == LK_LINE_RANGES ? line_ranges : line_locations)(t, n, line,
                                                                                       lasti);
    lk_map_put(&py->lines, key, (uint64_t)line);
    return line;
}

/* Big end first, six bits a byte, bit 6 continues; bit 7 marks an entry's first byte
 * (Objects/exception_handling_notes.txt). */
static int64_t table_varint(const uint8_t *t, int64_t n, int64_t *i)
{
    int64_t v = 0;
    while (*i < n) {
        uint8_t b = t[(*i)++];
        v = (v << 6 | (b & 63)) & INT32_MAX;
        if (!(b & 64))
            break;
    }
    return v;
}

bool lk_py_handler(struct lk_py *py, const struct lk_pycode *c, int64_t at,
                   struct lk_pyhandler *ret)
{
    int64_t n;
    const uint8_t *t = exception_table(py, c, &n);

    for (int64_t i = 0; t && i < n;) {
        int64_t start = table_varint(t, n, &i), length = table_varint(t, n, &i);
        int64_t target = table_varint(t, n, &i), depth = table_varint(t, n, &i);
        if (start > at)
            return false;
        if (at < start + length) {
            *ret = (struct lk_pyhandler){ .target = target,
                                          .depth = (int)(depth >> 1),
                                          .lasti = depth & 1 };
            return true;
        }
    }
    return false;
}
