/*
 * What other processes are up to that could end a thread's wait: told with any finding on such a
 * wait. It was found out over all processes that were examined together (examine/cross_process.c).
 */
#include "diagnose/rules/cross_process_waits.h"

#include "diagnose/rules/finding.h"
#include "diagnose/rules/rule_words.h"

const struct lk_cross_wait *lk_next_cross_wait(const struct lk_rule_context *c, size_t thread,
                                               const struct lk_cross_wait *after)
{
    const struct lk_snapshot *s = c->snap;
    for (const struct lk_cross_wait *l = after ? after + 1 : s->cross_waits.v;
         l && l < s->cross_waits.v + s->cross_waits.n; l++)
        if (l->thread == thread)
            return l;
    return NULL;
}

void lk_finding_say_cross_waits(struct lk_rule_context *c, struct lk_finding *f,
                                struct lk_ref thread)
{
    if (!lk_thread_at(c->snap, thread))
        return;
    for (const struct lk_cross_wait *l = NULL; (l = lk_next_cross_wait(c, thread.index, l));) {
        if (l->waits)
            lk_finding_say(c, f, "%s cannot act before this one: %s", l->what, l->waits);
        else if (l->finding && l->verdict >= LK_STALLED) {
            const char *how = l->verdict == LK_DEADLOCK ? "deadlocked" : "stalled";
            lk_finding_say(c, f, "%s is itself %s, which is to be mended first: %s", l->what, how,
                           l->finding);
            /* A victim has no remedy of its own. */
            f->remedy = lk_print(c,
                                 "Nothing here: %s, for which this waits, is itself %s; its own "
                                 "finding says what to change.",
                                 l->what, how);
        }
    }
}
