/* What stands in a queue: of the queue module, made in C or in Python, or a deque. */
#include "read/python/reader/queue_items.h"

#include "read/python/interpreter/attribute.h"
#include "read/python/interpreter/container.h"
#include "read/python/interpreter/interpreter.h"
#include "read/python/interpreter/type.h"
#include "read/python/reader/known_class.h"

enum {
    MAX_ITEMS = 1 << 17, /* of one queue */
    /* _queue.SimpleQueue (Modules/_queuemodule.c): up to 3.12 a list and a position, from 3.13 a
       ring buffer */
    SQ_LIST = 32,
    SQ_POS = 40,
    SQ_GET = 32,
    SQ_RING = 40,
    SQ_CAP = 48,
    SQ_COUNT = 56,
    SQ_LIST_SIZE = 56,
    SQ_RING_SIZE = 72, /* tp_basicsize of either */
};

static lk_addr *list_queue(struct lk_py *py, lk_addr queue, size_t *n)
{
    int64_t pos;
    lk_addr list = lk_py_ptr(py, lk_py_field(py, queue, SQ_LIST));
    if (!list || !lk_read(py->t, lk_py_field(py, queue, SQ_POS), &pos, sizeof pos) || pos < 0)
        return NULL;
    lk_addr *items = lk_py_items(py, list, MAX_ITEMS, n);
    if (!items || (uint64_t)pos >= *n) {
        *n = 0;
        return NULL;
    }
    *n -= (size_t)pos;
    return items + pos;
}

static lk_addr *ring_queue(struct lk_py *py, lk_addr queue, size_t *n)
{
    int64_t get, cap, count;
    lk_addr ring = lk_py_ptr(py, lk_py_field(py, queue, SQ_RING));
    if (!ring || !lk_read(py->t, lk_py_field(py, queue, SQ_GET), &get, sizeof get) ||
        !lk_read(py->t, lk_py_field(py, queue, SQ_CAP), &cap, sizeof cap) ||
        !lk_read(py->t, lk_py_field(py, queue, SQ_COUNT), &count, sizeof count))
        return NULL;
    if (cap <= 0 || get < 0 || get >= cap || count <= 0 || count > cap)
        return NULL;
    size_t m = (size_t)LK_MIN(count, (int64_t)MAX_ITEMS);
    uint64_t last;
    if (!lk_read_u64(py->t, ring + (uint64_t)((get + (int64_t)m - 1) % cap) * 8, &last))
        return NULL;
    lk_addr *items = lk_arena_array(py->s->arena, m, sizeof *items);
    for (size_t i = 0; i < m; i++)
        items[i] = lk_py_ptr(py, ring + (uint64_t)((get + (int64_t)i) % cap) * 8);
    *n = m;
    return items;
}

bool lk_py_queue_items(struct lk_py *py, lk_addr queue, lk_addr **items, size_t *n)
{
    const struct lk_pytype *ty = lk_py_type(py, queue);
    *n = 0;
    *items = NULL;
    if (lk_py_kind(py, queue) == LK_PYK_DEQUE) {
        *items = lk_py_items(py, queue, MAX_ITEMS, n);
        return true;
    }
    switch (lk_py_known_class(py, queue, NULL)) {
    case LK_CLASS_SIMPLE_QUEUE:
        if (ty->basicsize == (int64_t)lk_py_field(py, 0, SQ_RING_SIZE))
            *items = ring_queue(py, queue, n);
        else if (ty->basicsize == (int64_t)lk_py_field(py, 0, SQ_LIST_SIZE))
            *items = list_queue(py, queue, n);
        else
            return false;
        return true;
    case LK_CLASS_QUEUE:
        *items = lk_py_items(py, lk_py_attr(py, queue, "queue"), MAX_ITEMS, n);
        return true;
    case LK_CLASS_PY_SIMPLE_QUEUE:
        *items = lk_py_items(py, lk_py_attr(py, queue, "_queue"), MAX_ITEMS, n);
        return true;
    default: return false;
    }
}
