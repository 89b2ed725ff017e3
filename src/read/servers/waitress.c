/* waitress/task.py ThreadedTaskDispatcher: threads, a set of numbers; queue, a deque of channels,
 * each with its socket. */
#include "read/servers/waitress.h"

#include "read/python/interpreter/attribute.h"
#include "read/python/interpreter/container.h"
#include "read/python/interpreter/interpreter.h"
#include "read/python/reader/reader.h"
#include "read/python/stdlib/socket.h"

void lk_waitress_read_pool(struct lk_py *py, lk_addr obj, struct lk_ref thread)
{
    bool is_new;
    size_t n = 0;
    struct lk_ref ref = lk_snapshot_executor(py->s, obj, &is_new);
    struct lk_executor *x = lk_executor_at(py->s, ref);
    if (!x)
        return;
    lk_refs_add(py->s, &x->workers, thread);
    lk_thread_at(py->s, thread)->works_for = ref;
    if (!is_new)
        return;
    x->kind = "waitress pool";
    x->max_workers = lk_py_len(py, lk_py_attr(py, obj, "threads"));
    if (x->max_workers < 0)
        x->max_workers = LK_UNKNOWN;
    x->queued = lk_py_len(py, lk_py_attr(py, obj, "queue"));
    if (x->queued < 0)
        x->queued = LK_UNKNOWN;
    lk_addr *items = lk_py_items(py, lk_py_attr(py, obj, "queue"), LK_READER_KEEP_ITEMS, &n);
    struct lk_item *list = lk_arena_array(py->s->arena, n, sizeof *list);
    for (size_t i = 0; items && i < n; i++)
        list[i] =
            (struct lk_item){ .function = "service", .fd = lk_py_connection_of(py, items[i]) };
    x->items = list;
    x->n_items = items ? n : 0;
}
