/*
 * What a library or C code polls for it does not say: a lock file, a busy database. Somebody may
 * have it who is in the midst of the same code of the program, past that call, as requests that
 * take a lock in turn are; or native code may be at work on it.
 */
#include "diagnose/rules/polls_in_vain.h"

#include "diagnose/rules/requests.h"

static bool native_code_computes(const struct lk_snapshot *s)
{
    for (size_t i = 0; i < s->threads.n; i++)
        if (!s->threads.v[i].python && (s->threads.v[i].running || s->threads.v[i].moved))
            return true;
    return false;
}

static const struct lk_pyframe *frame_of(const struct lk_pystack *st, const struct lk_code *code)
{
    for (size_t i = 0; i < st->n; i++)
        if (st->frames[i].code == code)
            return &st->frames[i];
    return NULL;
}

static bool somebody_may_have_it(const struct lk_snapshot *s, struct lk_ref thread)
{
    const struct lk_pyframe *caller = lk_wait_caller(lk_thread_at(s, thread));
    for (size_t i = 0; caller && i < s->threads.n; i++) {
        const struct lk_thread *t = &s->threads.v[i];
        const struct lk_pyframe *f = frame_of(t->python_stack, caller->code);
        if (i != thread.index && f && (!t->stable || f->lasti != caller->lasti))
            return true;
    }
    return false;
}

bool lk_polls_in_vain(const struct lk_rule_context *c, struct lk_ref thread)
{
    const struct lk_thread *t = lk_thread_at(c->snap, thread);
    return t->wait.kind == LK_WAIT_SLEEP && (t->wait.traits & LK_WAIT_POLLS) && t->stable &&
           lk_serves_request(c, thread) && !native_code_computes(c->snap) &&
           !somebody_may_have_it(c->snap, thread);
}
