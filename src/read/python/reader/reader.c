/* The state of one sample of the readers, and the moments that loops count in. */
#include "read/python/reader/reader.h"

#include <stdlib.h>

#include "read/python/interpreter/interpreter.h"

#define NEVER_MS (INT64_MAX / 4) /* later than any moment that comes */
/* 99 years: uvloop makes a timer of 100 years of one that never comes */
#define AGES_MS (INT64_C(99) * 365 * 24 * 3600 * 1000)

struct lk_reader *lk_reader(struct lk_py *py)
{
    if (!py->reader) {
        py->reader = lk_xcalloc(1, sizeof *py->reader);
        py->reader->now_ms =
            lk_process_is_moment(py->t) ? LK_UNKNOWN : (int64_t)lk_process_now_ms(py->t);
    }
    return py->reader;
}

void lk_reader_end(struct lk_py *py)
{
    struct lk_reader *a = py->reader;
    if (!a)
        return;
    struct lk_map *maps[] = {
        &a->no_row[0],      &a->no_row[1], &a->no_row[2],     &a->visited,      &a->callbacks,
        &a->sources,        &a->follows,   &a->setters,       &a->setter_rows,  &a->alias,
        &a->ready,          &a->running,   &a->no_with,       &a->timer_sets,   &a->timer_frees,
        &a->deadlines,      &a->chains,    &a->setters_known, &a->may_complete, &a->peers,
        &a->gathers_failed, &a->lost_jobs, &a->greenlet_at,   &a->hub_of_loop,  &a->places
    };
    for (size_t i = 0; i < LK_ARRAY_LEN(maps); i++)
        lk_map_deinit(maps[i]);
    for (size_t i = 0; i < a->source_lists.n; i++)
        lk_free(a->source_lists.v[i].v);
    lk_free(a->source_lists.v);
    for (size_t i = 0; i < LK_ARRAY_LEN(a->todo); i++)
        lk_free(a->todo[i].v);
    lk_free(a->enders_todo.v);
    lk_free(a->relays_todo.v);
    lk_free(a->pool_joins.v);
    lk_free(a->holds.v);
    lk_free(a->reach.v);
    lk_free(a->with_others.v);
    lk_free(a->with_generators.v);
    lk_free(a->releasing.v);
    lk_free(a->release_callbacks.v);
    lk_free(a->on_primitive.v);
    lk_free(a->greenlets.v);
    lk_free(a->chain.v);
    lk_free(a);
    py->reader = NULL;
}

void lk_reader_cut_tasks(struct lk_py *py)
{
    struct lk_reader *a = lk_reader(py);
    if (!a->tasks_cut)
        a->cut_read = lk_read_failed(py->t);
    a->tasks_cut = true;
}

void lk_reader_earliest(struct lk_map *m, lk_addr key, int64_t when_ms)
{
    uint64_t old;
    if (!lk_map_get(m, key, &old) || (int64_t)old > when_ms)
        lk_map_put(m, key, (uint64_t)when_ms);
}

int64_t lk_reader_ms(double seconds)
{
    double ms = seconds * 1000;
    return ms > -(double)NEVER_MS && ms < (double)NEVER_MS ? (int64_t)ms
           : ms < 0                                        ? -NEVER_MS
                                                           : NEVER_MS;
}

int64_t lk_reader_left_ms(struct lk_py *py, int64_t when_ms)
{
    if (when_ms >= NEVER_MS) /* asyncio.sleep(math.inf) */
        return LK_FOREVER;
    const int64_t now_ms = lk_reader(py)->now_ms;
    if (now_ms == LK_UNKNOWN)
        return when_ms >= AGES_MS ? LK_FOREVER : LK_SOMETIME;
    int64_t left = when_ms - now_ms;
    return left >= AGES_MS ? LK_FOREVER : left > 0 ? left : 0;
}
