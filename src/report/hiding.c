/*
 * Readers redact what they can (a command line, a name) when it enters the snapshot; here nothing
 * is left out, whoever read it. Names first: a sentence quotes them, so what was changed in a name
 * is changed in every sentence, where its marks may be gone.
 */
#include "report/hiding.h"

#include <string.h>

#include "snapshot/texts.h"
#include "util/redact.h"
#include "util/text.h"
#include "util/vec.h"

enum { MAX_QUOTED = 256, SHORTEST_QUOTED = 4 };

/* A name that changed. */
struct quoted {
    const char *old, *now;
};

struct search {
    struct lk_hiding *h;
    const struct lk_redaction *user;
    bool sentences;
    const char *last, *last_now; /* 100,000 tasks share the name of a coroutine */
    LK_VEC(struct quoted) quoted;
};

static void change(struct search *x, const char **at, const char *now)
{
    if (now != *at && strcmp(now, *at) != 0)
        lk_vec_add(&x->h->changes, ((struct lk_hidden_text){ at, now }));
}

static void quote(struct search *x, const char *old, const char *now)
{
    if (now == old || strcmp(old, now) == 0 || strlen(old) < SHORTEST_QUOTED)
        return;
    for (size_t i = 0; i < x->quoted.n; i++)
        if (strcmp(x->quoted.v[i].old, old) == 0)
            return;
    if (x->quoted.n < MAX_QUOTED)
        lk_vec_add(&x->quoted, ((struct quoted){ old, now }));
}

static const char *replaced(struct lk_arena *a, const char *text, const struct quoted *q)
{
    struct lk_strbuf out = { 0 };
    const char *from = text;
    for (const char *at; (at = strstr(from, q->old)); from = at + strlen(q->old)) {
        lk_strbuf_add(&out, from, (size_t)(at - from));
        lk_strbuf_puts(&out, q->now);
    }
    if (from == text)
        return text;
    lk_strbuf_puts(&out, from);
    const char *ret = lk_arena_strdup(a, out.s);
    lk_strbuf_deinit(&out);
    return ret;
}

static void sentence(struct search *x, const char **at)
{
    const char *text = *at;
    for (size_t i = 0; text && i < x->quoted.n; i++)
        text = replaced(x->h->arena, text, &x->quoted.v[i]);
    if (text)
        change(x, at, lk_redaction_hide(x->user, x->h->arena, text));
}

static void name(struct search *x, const char **at, enum lk_text_kind kind)
{
    struct lk_arena *a = x->h->arena;
    if (!*at)
        return;
    if (*at == x->last && kind == LK_TEXT_NAME) {
        change(x, at, x->last_now);
        return;
    }
    const char *known = kind == LK_TEXT_SOURCE ? lk_redact_source(a, *at) : lk_redact_name(a, *at),
               *now = lk_redaction_hide(x->user, a, known);
    change(x, at, now);
    quote(x, *at, now);
    if (kind == LK_TEXT_NAME) {
        x->last = *at;
        x->last_now = now;
    }
}

static void look(const char **at, enum lk_text_kind kind, void *arg)
{
    struct search *x = arg;
    if (x->sentences && kind == LK_TEXT_SENTENCE)
        sentence(x, at);
    else if (!x->sentences && kind != LK_TEXT_SENTENCE)
        name(x, at, kind);
}

/* A culprit repeats what a frame has: the same texts, at other places. */
static void look_at_culprits(struct search *x, struct lk_finding *f)
{
    for (size_t i = 0; i < f->culprits.n; i++) {
        struct lk_culprit *c = &f->culprits.v[i];
        name(x, &c->function, LK_TEXT_NAME);
        name(x, &c->file, LK_TEXT_NAME);
        name(x, &c->module, LK_TEXT_NAME);
        name(x, &c->source, LK_TEXT_SOURCE);
        if (c->context) {
            name(x, &c->context->before, LK_TEXT_SOURCE);
            name(x, &c->context->at, LK_TEXT_SOURCE);
            name(x, &c->context->after, LK_TEXT_SOURCE);
        }
    }
}

static void look_at_words(struct search *x, struct lk_finding *f)
{
    sentence(x, &f->summary);
    sentence(x, &f->remedy);
    sentence(x, &f->safe_now);
    for (size_t i = 0; i < f->chain.n; i++)
        sentence(x, &f->chain.v[i].why);
    for (size_t i = 0; i < f->evidence.n; i++)
        sentence(x, &f->evidence.v[i]);
}

struct lk_hiding lk_hiding_find(struct lk_report *r, const struct lk_redaction *user)
{
    struct lk_hiding h = { .arena = lk_arena_create() };
    struct search x = { .h = &h, .user = user };
    lk_snapshot_each_text(r->snap, look, &x);
    for (size_t i = 0; i < r->findings->list.n; i++)
        look_at_culprits(&x, &r->findings->list.v[i]);
    if (x.quoted.n || (user && user->n)) {
        x.sentences = true;
        lk_snapshot_each_text(r->snap, look, &x);
        for (size_t i = 0; i < r->findings->list.n; i++)
            look_at_words(&x, &r->findings->list.v[i]);
        sentence(&x, &r->findings->verdict_why);
        for (size_t i = 0; i < r->findings->ruled_out.n; i++)
            sentence(&x, &r->findings->ruled_out.v[i].why);
    }
    lk_free(x.quoted.v);
    return h;
}

void lk_hiding_commit(struct lk_hiding *h, struct lk_report *r)
{
    for (size_t i = 0; i < h->changes.n; i++)
        *h->changes.v[i].at = h->changes.v[i].text;
    lk_free(h->changes.v);
    lk_arena_keep(r->snap->arena, h->arena);
}
