/*
 * A Python heap made by hand, in the layout of any version: what a real process cannot be made to
 * hold. Objects are laid down with heap_*; py is ready to read them. What py remembers of an object
 * beyond its bytes is forgotten by heap_refresh().
 */
#ifndef LK_TESTS_READ_PYTHON_PYHEAP_H
#define LK_TESTS_READ_PYTHON_PYHEAP_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fake_target.h"
#include "read/python/interpreter/interpreter.h"

#define HEAP_BASE UINT64_C(0x20000000)
#define HEAP_SIZE ((size_t)512 << 10)

#define FLAG_INLINE_VALUES (1ull << 2)
#define FLAG_MANAGED_DICT  (1ull << 4)
#define FLAG_HEAPTYPE      (1ull << 9)
#define FLAG_LONG          (1ull << 24)
#define FLAG_LIST          (1ull << 25)
#define FLAG_TUPLE         (1ull << 26)
#define FLAG_BYTES         (1ull << 27)
#define FLAG_UNICODE       (1ull << 28)
#define FLAG_DICT          (1ull << 29)
#define FLAG_TYPE          (1ull << 31)

struct pyheap {
    uint8_t *bytes;
    size_t used;
    struct lk_process *t;
    struct lk_py py;
    lk_addr type, object, str, integer, boolean, none_type, none, floating, bytes_type, tuple, list,
        dict, set, deque, module, function, code, cell, member, builtin, method_descr, frame, lock;
};

static inline void heap_put(struct pyheap *h, lk_addr at, const void *p, size_t n)
{
    if (at < HEAP_BASE || at + n > HEAP_BASE + HEAP_SIZE)
        abort();
    if (n)
        memcpy(h->bytes + (at - HEAP_BASE), p, n);
    lk_process_begin_sample(h->t); /* pages read before this are stale */
}
static inline void put64(struct pyheap *h, lk_addr at, uint64_t v)
{
    heap_put(h, at, &v, 8);
}
static inline void put32(struct pyheap *h, lk_addr at, uint32_t v)
{
    heap_put(h, at, &v, 4);
}
static inline void put8(struct pyheap *h, lk_addr at, uint8_t v)
{
    heap_put(h, at, &v, 1);
}

/* Room for n bytes, with room for a pre-header before them. */
static inline lk_addr heap_alloc(struct pyheap *h, size_t n)
{
    lk_addr at = HEAP_BASE + h->used + 64;
    h->used += (n + 64 + 15) & ~(size_t)15;
    if (h->used > HEAP_SIZE)
        abort();
    return at;
}

static inline lk_addr heap_object(struct pyheap *h, lk_addr type, size_t n)
{
    lk_addr o = heap_alloc(h, n);
    put64(h, o, 1);
    put64(h, o + 8, type);
    return o;
}

static inline lk_addr heap_cstr(struct pyheap *h, const char *s)
{
    lk_addr at = heap_alloc(h, strlen(s) + 1);
    heap_put(h, at, s, strlen(s) + 1);
    return at;
}

static inline lk_addr heap_tuple(struct pyheap *h, size_t n, const lk_addr *items)
{
    lk_addr o = heap_object(h, h->tuple, h->py.layout.tuple_items + n * 8);
    put64(h, o + 16, n);
    for (size_t i = 0; i < n; i++)
        put64(h, o + h->py.layout.tuple_items + i * 8, items[i]);
    return o;
}

static inline lk_addr heap_type(struct pyheap *h, const char *name, lk_addr base, uint64_t flags,
                                int64_t basicsize)
{
    const struct lk_layout *l = &h->py.layout;
    lk_addr o = heap_object(h, h->type, 1000);
    put64(h, o + l->tp_name, heap_cstr(h, name));
    put64(h, o + l->tp_basicsize, (uint64_t)basicsize);
    put64(h, o + l->tp_flags, flags);
    put64(h, o + l->tp_base, base);
    return o;
}

/* The MRO of a class: itself, its base, object. */
static inline void heap_mro(struct pyheap *h, lk_addr type, lk_addr base)
{
    lk_addr v[] = { type, base, h->object };
    put64(h, type + h->py.layout.tp_mro, heap_tuple(h, 3, v));
}

static inline lk_addr heap_str_of(struct pyheap *h, const void *data, size_t n, unsigned width,
                                  bool ascii)
{
    uint32_t at = ascii ? h->py.layout.str_data_ascii : h->py.layout.str_data_compact;
    lk_addr o = heap_object(h, h->str, at + (n + 1) * width);
    put64(h, o + 16, n);
    put64(h, o + 24, lk_hash(LK_HASH_INIT, data, n * width));
    put32(h, o + 32, width << 2 | 1u << 5 | (uint32_t)ascii << 6);
    heap_put(h, o + at, data, n * width);
    return o;
}
static inline lk_addr heap_str(struct pyheap *h, const char *s)
{
    return heap_str_of(h, s, strlen(s), 1, true);
}

static inline lk_addr heap_bytes(struct pyheap *h, const void *data, size_t n)
{
    lk_addr o = heap_object(h, h->bytes_type, 32 + n + 1);
    put64(h, o + 16, n);
    heap_put(h, o + 32, data, n);
    return o;
}

static inline lk_addr heap_int(struct pyheap *h, bool negative, unsigned n, const uint32_t *digits)
{
    lk_addr o = heap_object(h, h->integer, 24 + 4 * (n + 1));
    if (h->py.layout.int_tagged)
        put64(h, o + 16, (uint64_t)n << 3 | (n == 0 ? 1 : negative ? 2 : 0));
    else
        put64(h, o + 16, (uint64_t)(negative ? -(int64_t)n : (int64_t)n));
    for (unsigned i = 0; i < n; i++)
        put32(h, o + 24 + 4 * i, digits[i]);
    return o;
}

/* Keys object for n keys (values NULL: split table). */
/* As Objects/dictobject.c does: an index of a byte for each entry, where its key's hash leads. */
static inline void heap_index(struct pyheap *h, lk_addr indices, unsigned log2, const lk_addr *keys,
                              size_t n)
{
    int8_t at[256];
    const uint64_t mask = (UINT64_C(1) << log2) - 1;
    memset(at, -1, sizeof at);
    for (size_t k = 0; k < n; k++) {
        uint64_t hash = 0;
        if (keys[k])
            memcpy(&hash, h->bytes + (keys[k] - HEAP_BASE) + 24, 8);
        uint64_t i = hash & mask;
        for (uint64_t perturb = hash; at[i] != -1; i = (i * 5 + perturb + 1) & mask)
            perturb >>= 5;
        at[i] = (int8_t)(keys[k] ? k : (size_t)-2);
    }
    heap_put(h, indices, at, mask + 1);
}

static inline lk_addr heap_keys(struct pyheap *h, size_t n, const lk_addr *keys,
                                const lk_addr *values)
{
    const struct lk_layout *l = &h->py.layout;
    unsigned log2 = 3;
    while ((1u << log2) < n * 2)
        log2++;
    size_t entry = l->keys_log2 ? 16 : 24;
    lk_addr o = heap_alloc(h, l->dk_entries + (1u << log2) * 2 + n * entry);
    if (l->keys_log2) {
        put8(h, o + 8, (uint8_t)log2);
        put8(h, o + 9, (uint8_t)log2);
        put8(h, o + 10, values ? 1 : 2);
    } else {
        put64(h, o + 8, 1u << log2);
    }
    put64(h, o + l->dk_nentries, n);
    heap_index(h, o + l->dk_entries, log2, keys, n);
    for (size_t i = 0; i < n; i++) {
        lk_addr e = o + l->dk_entries + (1u << log2) + i * entry + (l->keys_log2 ? 0 : 8);
        put64(h, e, keys[i]);
        put64(h, e + 8, values ? values[i] : 0);
        if (keys[i] && !l->keys_log2)
            heap_put(h, e - 8, h->bytes + (keys[i] - HEAP_BASE) + 24, 8);
    }
    return o;
}

static inline lk_addr heap_dict(struct pyheap *h, size_t n, const char *const *names,
                                const lk_addr *values)
{
    lk_addr keys[64], o = heap_object(h, h->dict, 48);
    for (size_t i = 0; i < n; i++)
        keys[i] = heap_str(h, names[i]);
    put64(h, o + 16, n);
    put64(h, o + 32, heap_keys(h, n, keys, values));
    return o;
}

static inline void heap_basic_types(struct pyheap *h)
{
    h->type = heap_type(h, "type", 0, FLAG_TYPE, 900);
    put64(h, h->type + 8, h->type);
    h->py.type_type = h->type;
    h->object = heap_type(h, "object", 0, 0, 16);
    h->str = heap_type(h, "str", h->object, FLAG_UNICODE, 80);
    h->integer = heap_type(h, "int", h->object, FLAG_LONG, 24);
    h->boolean = heap_type(h, "bool", h->integer, FLAG_LONG, 32);
    h->none_type = heap_type(h, "NoneType", h->object, 0, 16);
    h->none = heap_object(h, h->none_type, 16);
    h->floating = heap_type(h, "float", h->object, 0, 24);
    h->bytes_type = heap_type(h, "bytes", h->object, FLAG_BYTES, 33);
    h->tuple = heap_type(h, "tuple", h->object, FLAG_TUPLE, 24);
    h->list = heap_type(h, "list", h->object, FLAG_LIST, 40);
    h->dict = heap_type(h, "dict", h->object, FLAG_DICT, 48);
    h->set = heap_type(h, "set", h->object, 0, 200);
    h->deque = heap_type(h, "collections.deque", h->object, 0, h->py.layout.deque_size);
    h->module = heap_type(h, "module", h->object, 0, h->py.layout.module_size);
    h->function = heap_type(h, "function", h->object, 0, h->py.layout.function_size);
    h->code = heap_type(h, "code", h->object, 0, h->py.layout.code_basicsize);
    h->cell = heap_type(h, "cell", h->object, 0, 24);
    h->member = heap_type(h, "member_descriptor", h->object, 0, 64);
    h->builtin = heap_type(h, "builtin_function_or_method", h->object, 0, 56);
    h->method_descr = heap_type(h, "method_descriptor", h->object, 0, 64);
    h->frame = heap_type(h, "frame", h->object, 0, 400);
    h->lock = heap_type(h, "_thread.lock", h->object, FLAG_HEAPTYPE, h->py.layout.lock_size);
}

static inline struct pyheap *heap_create(int version)
{
    struct pyheap *h = lk_xcalloc(1, sizeof *h);
    h->bytes = lk_xcalloc(1, HEAP_SIZE);
    struct fake_segment seg = { HEAP_BASE, h->bytes, HEAP_SIZE };
    h->t = fake_target(&seg, 1);
    h->py.t = h->t;
    h->py.arena = lk_arena_create();
    h->py.s = lk_snapshot_create();
    h->py.layout = *lk_layout_find(version);
    h->py.sample = 1;
    h->py.readable = h->py.frames_complete = true;
    heap_basic_types(h);
    return h;
}

static inline void heap_forget(struct pyheap *h, void (*done)(struct lk_map *))
{
    struct lk_map *maps[] = { &h->py.types,          &h->py.codes,           &h->py.frames_of,
                              &h->py.frames_of_task, &h->py.by_ident,        &h->py.thread_objects,
                              &h->py.attr_index,     &h->py.slots,           &h->py.instances,
                              &h->py.class_names,    &h->py.modules_by_name, &h->py.lines,
                              &h->py.texts,          &h->py.hashes };
    for (size_t i = 0; i < LK_ARRAY_LEN(maps); i++)
        done(maps[i]);
}

/* Forgets what was read: a new sample with a new snapshot. */
static inline void heap_refresh(struct pyheap *h)
{
    lk_process_begin_sample(h->t);
    heap_forget(h, lk_map_clear);
    lk_snapshot_destroy(h->py.s);
    h->py.s = lk_snapshot_create();
    h->py.sample++;
}

static inline void heap_destroy(struct pyheap *h)
{
    heap_forget(h, lk_map_deinit);
    lk_map_deinit(&h->py.hints);
    lk_free(h->py.interpreters.v);
    lk_free(h->py.tstates.v);
    lk_free(h->py.gils.v);
    lk_snapshot_destroy(h->py.s);
    lk_arena_destroy(h->py.arena);
    lk_process_destroy(h->t);
    lk_free(h->bytes);
    lk_free(h);
}

#endif
