/*
 * The child processes of a pool are one party: whichever of them has an item works it off. What
 * they do is asked of the kernel.
 */
#include "read/python/stdlib/pool_children.h"

#include "snapshot/builder.h"

enum { MAX_ASKED = 16 }; /* children of a pool that are looked at */

void lk_pool_child_add(struct lk_py *py, struct lk_pool_children *c, int64_t pid)
{
    if (c->n++ == 0 || pid < c->first)
        c->first = pid;
    if (c->n <= MAX_ASKED && c->does != LK_CHILD_RUNS)
        c->does = LK_MAX(c->does, lk_process_child_work(py->t, pid));
}

struct lk_ref lk_pool_children_extern(struct lk_py *py, const struct lk_pool_children *c)
{
    if (!c->n)
        return lk_ref_make(LK_KIND_NONE, 0);
    const char *text =
        c->n == 1 ? lk_arena_printf(py->s->arena, "child process %lld", (long long)c->first)
                  : lk_arena_printf(py->s->arena, "child process %lld and %zu more of its pool",
                                    (long long)c->first, c->n - 1);
    struct lk_ref child = lk_snapshot_extern(py->s, LK_EXT_CHILD, text, LK_UNKNOWN);
    lk_extern_at(py->s, child)->child = c->does;
    lk_extern_at(py->s, child)->pool = true;
    return child;
}
