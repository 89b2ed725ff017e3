/*
 * A child is alive as long as the machine knows when it began (facts.h). When it began is told in
 * clock ticks, and so is when the processes were listed.
 */
#include "examine/children.h"

#include "process/process.h"

enum { MARGIN_TICKS = 20 };

bool lk_is_examined(const struct lk_examine_options *o, int64_t pid)
{
    for (size_t i = 0; i < o->n_together; i++)
        if (o->together[i] == pid)
            return true;
    return false;
}

/* Alive, and not merely started while the processes to examine were being listed. */
static bool is_missed(const struct lk_process *target, const struct lk_examine_options *o,
                      int64_t pid)
{
    const uint64_t start = lk_machine_started(lk_process_machine(target), pid);
    return start && (!o->listed_ticks || start + MARGIN_TICKS < o->listed_ticks);
}

bool lk_all_children_examined(const struct lk_process *target, const struct lk_examine_options *o,
                              const struct lk_snapshot *s)
{
    size_t examined = 0, missed = 0;
    for (size_t i = 0; i < s->children.n; i++) {
        const bool seen = lk_is_examined(o, s->children.v[i].pid);
        examined += seen;
        missed += !seen && is_missed(target, o, s->children.v[i].pid);
    }
    return (examined || o->tree) && !missed;
}

void lk_forget_ended_children(const struct lk_process *target, struct lk_snapshot *s)
{
    size_t n = 0;
    for (size_t i = 0; i < s->children.n; i++)
        if (lk_machine_started(lk_process_machine(target), s->children.v[i].pid))
            s->children.v[n++] = s->children.v[i];
    s->children.n = n;
}
