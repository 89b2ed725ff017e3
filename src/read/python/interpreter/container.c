/* Tuples, lists, sets, deques and dicts, and the modules found through sys.modules. */
#include "read/python/interpreter/container.h"

#include <stdlib.h>

#include "read/python/interpreter/dict.h"
#include "read/python/interpreter/scalar.h"
#include "read/python/interpreter/type.h"

enum {
    SIZE_AT = 16, /* ob_size of tuple, list, deque; ma_used of dict */
    LIST_ITEMS = 24,
    SET_USED = 24,
    SET_MASK = 32,
    SET_TABLE = 40,
    DEQUE_LEFT_BLOCK = 24,
    DEQUE_LEFT_INDEX = 40,
    BLOCK_ITEMS = 64, /* Modules/_collectionsmodule.c BLOCKLEN */
    BLOCK_DATA = 8,
    BLOCK_RIGHT = 520,
    MODULE_DICT = 16,
    MAX_HINTS = 4096,
    STR_SPAN = 64, /* head and first characters of a str */
    STR_HASH = 24,
};
#define MAX_LEN (INT64_C(1) << 40) /* more is no length but garbage */

int64_t lk_py_len(struct lk_py *py, lk_addr obj)
{
    int64_t n;
    uint32_t at = SIZE_AT;

    switch (lk_py_kind(py, obj)) {
    case LK_PYK_SET: at = SET_USED; break;
    case LK_PYK_TUPLE:
    case LK_PYK_LIST:
    case LK_PYK_DICT:
    case LK_PYK_DEQUE: break;
    default: return -1;
    }
    if (!lk_read(py->t, lk_py_field(py, obj, at), &n, sizeof n) || n < 0 || n > MAX_LEN)
        return -1;
    return n;
}

/* Address of the first item of a tuple or list; 0. */
static lk_addr first_item(struct lk_py *py, lk_addr seq, enum lk_pykind kind)
{
    if (kind == LK_PYK_TUPLE)
        return seq + py->layout.tuple_items;
    return kind == LK_PYK_LIST ? lk_py_ptr(py, lk_py_field(py, seq, LIST_ITEMS)) : 0;
}

lk_addr lk_py_item(struct lk_py *py, lk_addr seq, size_t i)
{
    enum lk_pykind kind = lk_py_kind(py, seq);
    int64_t n = kind == LK_PYK_TUPLE || kind == LK_PYK_LIST ? lk_py_len(py, seq) : -1;

    if (n < 0 || i >= (uint64_t)n)
        return 0;
    lk_addr first = first_item(py, seq, kind);
    return first ? lk_py_ptr(py, first + i * 8) : 0;
}

/* Collected addresses; grown as items really turn up, so that a lying length costs no memory. */
struct gathered {
    lk_addr *v;
    size_t n, cap, max;
};

static void gather(struct gathered *g, const lk_addr *items, size_t n)
{
    for (size_t i = 0; i < n && g->n < g->max; i++)
        lk_vec_add(g, items[i]);
}

static void set_items(struct lk_py *py, lk_addr set, struct gathered *g)
{
    uint64_t mask, chunk[512];
    lk_addr table = lk_py_ptr(py, lk_py_field(py, set, SET_TABLE));

    if (!table || !lk_read_u64(py->t, lk_py_field(py, set, SET_MASK), &mask) ||
        (mask & (mask + 1)) != 0)
        return;
    uint64_t entries = LK_MIN(mask, (uint64_t)LK_PY_MAX_ITEMS * 4) + 1;
    for (uint64_t i = 0; i < entries && g->n < g->max;) {
        size_t k = LK_MIN(entries - i, LK_ARRAY_LEN(chunk) / 2);
        if (!lk_read(py->t, table + i * 16, chunk, k * 16))
            return;
        for (size_t j = 0; j < k; j++)
            /* hash -1: the dummy of a removed key */
            if (chunk[2 * j] && chunk[2 * j + 1] != UINT64_MAX)
                gather(g, &chunk[2 * j], 1);
        i += k;
    }
}

static void deque_items(struct lk_py *py, lk_addr deque, struct gathered *g)
{
    lk_addr block = lk_py_ptr(py, lk_py_field(py, deque, DEQUE_LEFT_BLOCK)), next,
            chunk[BLOCK_ITEMS];
    uint64_t index, left;

    if (!block || !lk_read_u64(py->t, lk_py_field(py, deque, DEQUE_LEFT_INDEX), &index) ||
        index >= BLOCK_ITEMS)
        return;
    for (;;) {
        size_t k = LK_MIN(BLOCK_ITEMS - index, g->max - g->n);
        if (!lk_read(py->t, block + BLOCK_DATA + index * 8, chunk, k * 8))
            return;
        gather(g, chunk, k);
        index = 0;
        /* The next block must point back: a torn or cyclic chain ends here. */
        if (g->n == g->max || !(next = lk_py_ptr(py, block + BLOCK_RIGHT)) ||
            !lk_read_u64(py->t, next, &left) || left != block)
            return;
        block = next;
    }
}

/* Tuple or list. */
static void array_items(struct lk_py *py, lk_addr first, struct gathered *g)
{
    lk_addr chunk[512];

    for (size_t i = 0; g->n < g->max; i += LK_ARRAY_LEN(chunk)) {
        size_t k = LK_MIN(g->max - g->n, LK_ARRAY_LEN(chunk));
        if (!lk_read(py->t, first + i * 8, chunk, k * 8))
            return;
        gather(g, chunk, k);
    }
}

static bool gather_key(struct lk_py *py, lk_addr key, lk_addr value, void *arg)
{
    struct gathered *g = arg;
    (void)py;
    (void)value;
    gather(g, &key, 1);
    return g->n < g->max;
}

lk_addr *lk_py_items(struct lk_py *py, lk_addr container, size_t max, size_t *n)
{
    enum lk_pykind kind = lk_py_kind(py, container);
    int64_t len = lk_py_len(py, container);
    struct gathered g = { .max = LK_MIN(max, (size_t)LK_PY_MAX_ITEMS) };

    *n = 0;
    if (len <= 0 || max == 0)
        return NULL;
    g.max = LK_MIN(g.max, (size_t)len);
    lk_addr first = first_item(py, container, kind);
    if (kind == LK_PYK_SET)
        set_items(py, container, &g);
    else if (kind == LK_PYK_DEQUE)
        deque_items(py, container, &g);
    else if (kind == LK_PYK_DICT)
        lk_py_dict_each(py, container, gather_key, &g);
    else if (first)
        array_items(py, first, &g);
    lk_addr *ret = g.n ? lk_arena_array(lk_py_arena(py), g.n, sizeof *ret) : NULL;
    if (g.n)
        memcpy(ret, g.v, g.n * sizeof *ret);
    *n = g.n;
    lk_free(g.v);
    return ret;
}

/* ---- dict ---------------------------------------------------------------------------- */

bool lk_py_keys_open(struct lk_py *py, lk_addr keys, struct lk_dict_view *v)
{
    const struct lk_layout *l = &py->layout;
    uint8_t b[40];
    uint64_t size, index_bytes;
    int64_t n;

    if (!keys || !lk_read(py->t, keys, b, sizeof b))
        return false;
    memcpy(&n, b + l->dk_nentries, sizeof n);
    v->entry_size = 24;
    v->key_at = 8;
    /* dk_log2_size +8, dk_log2_index_bytes +9, dk_kind +10: 0 general, 1 str keys, 2 split */
    if (l->keys_log2) {
        if (b[8] > 40 || b[9] < b[8] || b[9] > b[8] + 3 || b[10] > 2)
            return false;
        size = UINT64_C(1) << b[8];
        index_bytes = UINT64_C(1) << b[9];
        if (b[10] != 0) {
            v->entry_size = 16;
            v->key_at = 0;
        }
    } else {
        memcpy(&size, b + 8, sizeof size);
        if (size == 0 || (size & (size - 1)) || size > (UINT64_C(1) << 40))
            return false;
        index_bytes = size * (size <= 0xff ? 1 : size <= 0xffff ? 2 : size <= UINT32_MAX ? 4 : 8);
    }
    if (n < 0 || (uint64_t)n > size)
        return false;
    v->keys = keys;
    v->n = LK_MIN(n, LK_PY_MAX_ITEMS);
    v->indices = keys + l->dk_entries;
    v->entries = v->indices + index_bytes;
    v->size = size;
    v->index_size = (uint32_t)(index_bytes / size);
    v->values = 0;
    return true;
}

/* PyDictObject: ma_keys +32, ma_values +40 in all versions. */
static bool dict_open(struct lk_py *py, lk_addr dict, struct lk_dict_view *v)
{
    lk_addr keys, values;

    if (lk_py_kind(py, dict) != LK_PYK_DICT || !(keys = lk_py_ptr(py, lk_py_field(py, dict, 32))) ||
        !lk_read_u64(py->t, lk_py_field(py, dict, 40), &values))
        return false;
    if (!lk_py_keys_open(py, keys, v))
        return false;
    v->values = values ? values + py->layout.values_array : 0;
    return true;
}

static lk_addr split_value(struct lk_py *py, const struct lk_dict_view *v, size_t i)
{
    return lk_py_ptr(py, v->values + i * 8);
}

void lk_py_view_each(struct lk_py *py, const struct lk_dict_view *v,
                     bool (*fn)(struct lk_py *, lk_addr, lk_addr, void *), void *arg)
{
    uint8_t chunk[64 * 24];
    uint64_t key, value;

    for (int64_t i = 0; i < v->n;) {
        int64_t k = LK_MIN(v->n - i, 64);
        if (!lk_read(py->t, v->entries + (uint64_t)i * v->entry_size, chunk,
                     (size_t)k * v->entry_size))
            return;
        for (int64_t j = 0; j < k; j++) {
            const uint8_t *e = chunk + (size_t)j * v->entry_size + v->key_at;
            memcpy(&key, e, 8);
            memcpy(&value, e + 8, 8);
            if (v->values)
                value = key ? split_value(py, v, (size_t)(i + j)) : 0;
            if (key && value && !fn(py, key, value, arg))
                return;
        }
        i += k;
    }
}

void lk_py_dict_each(struct lk_py *py, lk_addr dict,
                     bool (*fn)(struct lk_py *, lk_addr key, lk_addr value, void *), void *arg)
{
    struct lk_dict_view v;
    if (dict_open(py, dict, &v))
        lk_py_view_each(py, &v, fn, arg);
}

/* The entry at an index of the hash table: its key if that has the hash, else 0. */
static lk_addr entry_key(struct lk_py *py, const struct lk_dict_view *v, int64_t at, uint64_t hash)
{
    const lk_addr entry = v->entries + (uint64_t)at * v->entry_size,
                  key = lk_py_ptr(py, entry + v->key_at);
    uint64_t has;
    const lk_addr at_hash = v->key_at ? entry : lk_py_field(py, key, STR_HASH);
    return key && lk_read_u64(py->t, at_hash, &has) && has == hash ? key : 0;
}

/* Where the hash stands in the table, as Objects/dictobject.c looks it up; -1: nowhere; -2: that
 * cannot be told. */
static int64_t probe_key(struct lk_py *py, const struct lk_dict_view *v, const char *name,
                         uint64_t hash)
{
    enum { PERTURB = 5, MOST = 256, DUMMY = -2 };
    uint64_t i = hash, perturb = hash;
    for (int probes = 0; probes < MOST; probes++) {
        uint64_t word = 0;
        i &= v->size - 1;
        if (!lk_read(py->t, v->indices + i * v->index_size, &word, v->index_size))
            return -2;
        const unsigned unused = 64 - 8 * v->index_size;
        const int64_t at = (int64_t)(word << unused) >> unused;
        if (at < DUMMY || at >= v->n)
            return -2;
        if (at == -1)
            return -1;
        const lk_addr key = at >= 0 ? entry_key(py, v, at, hash) : 0;
        if (key && lk_py_str_eq(py, key, name))
            return at;
        perturb >>= PERTURB;
        i = i * 5 + perturb + 1;
    }
    return -2;
}

/* A str keeps its hash, which is the same in all tables: known once its name was found in one. Who
 * replays knows only what it met itself: it would look for the name where nothing was read. */
static void learn_hash(struct lk_py *py, const struct lk_dict_view *v, const char *name, int64_t at)
{
    const lk_addr key = lk_py_ptr(py, v->entries + (uint64_t)at * v->entry_size + v->key_at);
    uint64_t hash;
    if (key && lk_read_u64(py->t, lk_py_field(py, key, STR_HASH), &hash) &&
        probe_key(py, v, name, hash) == at && !py->on_own_way)
        lk_map_put(&py->hashes, lk_hash_str(LK_HASH_INIT, name), hash);
}

/*
 * Looks a str key up in a combined table: by its hash, or where that is not known yet a chunk of
 * entries at a time. The keys lie scattered over the heap, so their pages are fetched together
 * before they are compared.
 */
static lk_addr find_key(struct lk_py *py, const struct lk_dict_view *v, const char *name,
                        int64_t *at)
{
    enum { FIRST = 16, NEXT = 64 };
    uint8_t chunk[NEXT * 24];
    lk_addr keys[NEXT];
    uint64_t value, hash;

    if (lk_map_get(&py->hashes, lk_hash_str(LK_HASH_INIT, name), &hash) &&
        (*at = probe_key(py, v, name, hash)) >= -1)
        return *at < 0 ? 0
                       : lk_py_ptr(py, v->entries + (uint64_t)*at * v->entry_size + v->key_at + 8);
    *at = -1;
    for (int64_t i = 0; i < v->n; i += i ? NEXT : FIRST) {
        size_t k = (size_t)LK_MIN(v->n - i, i ? NEXT : FIRST);
        if (!lk_read(py->t, v->entries + (uint64_t)i * v->entry_size, chunk, k * v->entry_size))
            return 0;
        for (size_t j = 0; j < k; j++)
            memcpy(&keys[j], chunk + j * v->entry_size + v->key_at, 8);
        if (k > 8)
            lk_prefetch(py->t, keys, k, STR_SPAN);
        for (size_t j = 0; j < k; j++) {
            memcpy(&value, chunk + j * v->entry_size + v->key_at + 8, 8);
            if (keys[j] && value && lk_py_str_eq(py, keys[j], name)) {
                *at = i + (int64_t)j;
                learn_hash(py, v, name, *at);
                return value;
            }
        }
    }
    return 0;
}

/* Index of a key in a keys object, -1 when absent. Shared keys serve many objects, so the answer is
 * remembered. */
static int64_t key_index(struct lk_py *py, const struct lk_dict_view *v, const char *name)
{
    uint64_t id = lk_hash_str(lk_hash_u64(LK_HASH_INIT, v->keys), name), known;
    int64_t found = -1;

    if (lk_map_get(&py->attr_index, id, &known))
        return (int64_t)known;
    for (int64_t i = 0; i < v->n && found < 0; i++) {
        lk_addr key = lk_py_ptr(py, v->entries + (uint64_t)i * v->entry_size + v->key_at);
        if (key && lk_py_str_eq(py, key, name))
            found = i;
    }
    lk_map_put(&py->attr_index, id, (uint64_t)found);
    return found;
}

lk_addr lk_py_view_get(struct lk_py *py, const struct lk_dict_view *v, const char *name)
{
    int64_t i;

    if (v->values) {
        i = key_index(py, v, name);
        return i >= 0 ? split_value(py, v, (size_t)i) : 0;
    }
    return find_key(py, v, name, &i);
}

lk_addr lk_py_dict_get(struct lk_py *py, lk_addr dict, const char *key)
{
    struct lk_dict_view v;
    return dict_open(py, dict, &v) ? lk_py_view_get(py, &v, key) : 0;
}

/* ---- modules ------------------------------------------------------------------------- */

/* Where a name stood in a module's dict or in sys.modules when it was last looked up; kept from
 * sample to sample. */
struct hint {
    lk_addr keys;
    int64_t n, at; /* entries then; index, -1 absent */
};

static bool hint_holds(struct lk_py *py, const struct lk_dict_view *v, const struct hint *h,
                       const char *name, lk_addr *value)
{
    *value = 0;
    if (h->keys != v->keys)
        return false;
    if (h->at < 0) /* a new key takes a new entry, so nothing was added */
        return h->n == v->n;
    if (h->at >= v->n)
        return false;
    lk_addr entry = v->entries + (uint64_t)h->at * v->entry_size + v->key_at,
            key = lk_py_ptr(py, entry);
    *value = lk_py_ptr(py, entry + 8);
    return key && *value && lk_py_str_eq(py, key, name);
}

/* lk_py_dict_get for dicts that live as long as the process: a look-up of last sample's names costs
 * an entry instead of a scan.
 */
static lk_addr long_lived_get(struct lk_py *py, lk_addr dict, const char *name)
{
    uint64_t id = lk_hash_str(lk_hash_u64(LK_HASH_INIT, dict), name), known;
    struct lk_dict_view v;
    lk_addr value;

    if (!dict_open(py, dict, &v))
        return 0;
    if (v.values)
        return lk_py_view_get(py, &v, name);
    struct hint *h = lk_map_get(&py->hints, id, &known) ? (struct hint *)(uintptr_t)known : NULL;
    if (h && hint_holds(py, &v, h, name, &value))
        return value;
    if (!h && py->hints.n < MAX_HINTS) {
        h = lk_arena_alloc(py->arena, sizeof *h);
        lk_map_put(&py->hints, id, (uintptr_t)h);
    }
    int64_t at;
    value = find_key(py, &v, name, &at);
    if (h)
        *h = (struct hint){ .keys = v.keys, .n = v.n, .at = at };
    return value;
}

/* The dict of a module in this sys.modules; 0. */
static lk_addr module_dict_in(struct lk_py *py, lk_addr modules, const char *name)
{
    uint64_t id = lk_hash_str(lk_hash_u64(LK_HASH_INIT, modules), name), known;

    if (lk_map_get(&py->modules_by_name, id, &known))
        return known;
    lk_addr module = long_lived_get(py, modules, name), dict = 0;
    if (module && lk_py_kind(py, module) == LK_PYK_MODULE)
        dict = lk_py_ptr(py, lk_py_field(py, module, MODULE_DICT));
    if (lk_py_kind(py, dict) != LK_PYK_DICT)
        dict = 0;
    lk_map_put(&py->modules_by_name, id, dict);
    return dict;
}

static lk_addr attr_of_module(struct lk_py *py, lk_addr dict, const char *name)
{
    if (!dict)
        return 0;
    uint64_t id = lk_hash_str(lk_hash_u64(LK_HASH_INIT, dict), name), known;
    if (lk_map_get(&py->modules_by_name, id, &known))
        return known;
    lk_addr value = long_lived_get(py, dict, name);
    lk_map_put(&py->modules_by_name, id, value);
    return value;
}

lk_addr lk_py_module_dict(struct lk_py *py, const char *name)
{
    lk_addr dict = module_dict_in(py, py->modules, name);
    for (size_t i = 1; !dict && i < py->interpreters.n; i++)
        if (py->interpreters.v[i].modules)
            dict = module_dict_in(py, py->interpreters.v[i].modules, name);
    return dict;
}

lk_addr lk_py_module_attr(struct lk_py *py, const char *module, const char *name)
{
    return attr_of_module(py, lk_py_module_dict(py, module), name);
}

lk_addr lk_py_module_attr_in(struct lk_py *py, size_t interpreter, const char *module,
                             const char *name)
{
    const lk_addr modules = py->interpreters.v[interpreter].modules;
    return modules ? attr_of_module(py, module_dict_in(py, modules, module), name) : 0;
}
