/* The walk from frame to frame, and the stacks that come of it: each pc is looked up and named
 * once. */
#include "read/native/unwind/unwind_internal.h"

#include <stdlib.h>
#include <string.h>

#include "read/native/elf/symbols.h"

#define MAX_SECOND 256 /* stacks of one sample that libunwind is asked for */

/* ---- life ------------------------------------------------------------------------------ */

static void forget_results(struct lk_unwinder *u)
{
    u->memo_arena = NULL;
    u->frames.n = u->stacks.n = 0;
    lk_map_clear(&u->frame_of_pc);
    lk_map_clear(&u->string_of);
    lk_map_clear(&u->function_of);
    lk_map_clear(&u->stack_of_hash);
}

struct lk_unwinder *lk_unwinder_create(struct lk_process *t, struct lk_error *err)
{
    struct lk_unwinder *u = lk_xcalloc(1, sizeof *u);
    bool changed;
    u->t = t;
    u->arena = lk_arena_create();
    u->modules.t = t;
    u->modules.arena = u->arena;
    if (lk_modules_read(&u->modules, &changed, err))
        return u;
    lk_unwinder_destroy(u);
    return NULL;
}

void lk_unwinder_destroy(struct lk_unwinder *u)
{
    if (!u)
        return;
    lk_modules_deinit(&u->modules);
    lk_map_deinit(&u->row_of_pc);
    lk_map_deinit(&u->frame_of_pc);
    lk_map_deinit(&u->string_of);
    lk_map_deinit(&u->function_of);
    lk_map_deinit(&u->stack_of_hash);
    lk_map_deinit(&u->line_of);
    lk_libunwind_destroy(u->libunwind);
    lk_free(u->rows.v);
    lk_free(u->exprs.v);
    lk_free(u->entry);
    lk_free(u->frames.v);
    lk_free(u->stacks.v);
    lk_free(u->lines.v);
    lk_free(u->functions.v);
    lk_arena_destroy(u->arena);
    lk_free(u);
}

void lk_unwinder_refresh(struct lk_unwinder *u)
{
    /* the table stays as it was: pcs in new modules get no row and end their stack */
    struct lk_error ignored;
    bool changed;
    forget_results(u);
    if (lk_modules_read(&u->modules, &changed, &ignored) && changed)
        lk_rows_forget(u);
}

bool lk_unwinder_use(struct lk_unwinder *u, enum lk_unwind_by by)
{
    const bool ok = by != LK_UNWIND_LIBUNWIND || lk_libunwind_is_there(u);
    u->by = ok ? by : LK_UNWIND_OWN;
    return ok;
}

/* ---- the walk ---------------------------------------------------------------------------- */

static bool known(const struct lk_regs *r, unsigned i)
{
    return i < LK_REGS_MAX && (r->known & 1u << i);
}

static bool find_cfa(struct lk_unwinder *u, const struct lk_row *row, const struct lk_regs *r,
                     uint64_t *cfa)
{
    if (row->cfa_reg == LK_CFA_EXPR)
        return lk_expr_eval(u, &u->exprs.v[row->cfa_off], r, NULL, cfa);
    if (!known(r, row->cfa_reg))
        return false;
    *cfa = r->reg[row->cfa_reg] + (uint64_t)(int64_t)row->cfa_off;
    return true;
}

/* The caller's value of register i; false: unknown. */
static bool recover(struct lk_unwinder *u, const struct lk_row *row, const struct lk_regs *r,
                    unsigned i, uint64_t cfa, uint64_t *ret)
{
    int32_t v = row->v[i];
    uint64_t at;
    switch ((enum lk_rule)row->kind[i]) {
    case LK_RULE_SAME: *ret = r->reg[i]; return known(r, i);
    case LK_RULE_OFFSET: return lk_stack_word(&u->window, u->t, cfa + (uint64_t)(int64_t)v, ret);
    case LK_RULE_VAL_OFFSET: *ret = cfa + (uint64_t)(int64_t)v; return true;
    case LK_RULE_REGISTER:
        if (v < 0 || !known(r, (unsigned)v))
            return false;
        *ret = r->reg[v];
        return true;
    case LK_RULE_EXPR:
        return lk_expr_eval(u, &u->exprs.v[v], r, &cfa, &at) &&
               lk_stack_word(&u->window, u->t, at, ret);
    case LK_RULE_VAL_EXPR: return lk_expr_eval(u, &u->exprs.v[v], r, &cfa, ret);
    case LK_RULE_UNDEFINED:
    case LK_RULE_UNSPECIFIED: break;
    }
    return false;
}

enum step { STEP_CALLER, STEP_END, STEP_LOST };

/* Replaces the registers by the caller's. */
static enum step step(struct lk_unwinder *u, const struct lk_row *row, struct lk_regs *r)
{
    struct lk_regs next = { 0 };
    uint64_t cfa;
    if (row->kind[LK_REG_PC] == LK_RULE_UNDEFINED)
        /* how _start, clone and makecontext's trampoline mark the outermost frame */
        return STEP_END;
    if (!find_cfa(u, row, r, &cfa))
        return STEP_LOST;
    /* Stacks grow down, so each caller lies higher, unless a signal switched to another stack.
     * This, with the limit of frames, also ends every cycle. */
    if (!row->signal && cfa <= r->reg[LK_REG_SP])
        return STEP_LOST;
    for (unsigned i = 0; i < LK_REGS_MAX; i++)
        if (recover(u, row, r, i, cfa, &next.reg[i]))
            next.known |= 1u << i;
    if (!known(&next, LK_REG_PC) || !known(&next, LK_REG_SP))
        return STEP_LOST;
    if (!next.reg[LK_REG_PC])
        /* psABI 3.4.1 and older thread starters: a null return address ends the chain */
        return STEP_END;
    *r = next;
    return STEP_CALLER;
}

static unsigned walk(struct lk_unwinder *u, const struct lk_regs *regs, struct lk_frame_key *out,
                     bool *truncated)
{
    struct lk_regs r = *regs, next;
    bool exact = true;
    unsigned n = 0;
    u->window.ok = false; /* the page cache may have been refilled since the last walk */
    *truncated = true;
    if (!known(&r, LK_REG_PC))
        return 0;
    while (n < LK_UNWIND_MAX) {
        lk_addr pc = r.reg[LK_REG_PC];
        const struct lk_row *row = lk_row_at(u, pc - !exact);
        if (n && !row->code)
            return n; /* what was taken for a return address is none */
        out[n++] = (struct lk_frame_key){ pc, exact };
        if (!known(&r, LK_REG_SP))
            return n;
        exact = row->signal;
        if (!row->ok) {
            if (!row->code || !lk_frame_pointer_caller(u, &r, &next))
                return n;
            r = next;
            continue;
        }
        lk_frame_pointer_find(u, row, &r);
        switch (step(u, row, &r)) {
        case STEP_CALLER: break;
        case STEP_END: *truncated = false; return n;
        case STEP_LOST: return n;
        }
    }
    return n;
}

unsigned lk_unwind_walk(struct lk_unwinder *u, const struct lk_regs *regs, lk_addr *pcs,
                        bool *truncated)
{
    struct lk_second_walk w;
    if (u->by == LK_UNWIND_LIBUNWIND) {
        if (!lk_libunwind_walk(u, &regs, 1, &w))
            w = (struct lk_second_walk){ .truncated = true };
    } else {
        w.n = walk(u, regs, w.keys, &w.truncated);
    }
    for (unsigned i = 0; i < w.n; i++)
        pcs[i] = w.keys[i].pc;
    *truncated = w.truncated;
    return w.n;
}

/* ---- stacks ------------------------------------------------------------------------------- */

/* A string of ours that lives long (of a module), once per arena. */
static const char *share(struct lk_unwinder *u, struct lk_arena *a, const char *s)
{
    uint64_t v;
    if (lk_map_get(&u->string_of, (uintptr_t)s, &v))
        return (const char *)(uintptr_t)v;
    const char *copy = lk_arena_strdup(a, s);
    lk_map_put(&u->string_of, (uintptr_t)s, (uintptr_t)copy);
    return copy;
}

/* A function's name, once per arena whatever pcs fall into it. */
static const char *share_name(struct lk_unwinder *u, struct lk_arena *a, lk_addr start,
                              const char *raw)
{
    uint64_t v;
    if (lk_map_get(&u->function_of, start, &v))
        return (const char *)(uintptr_t)v;
    const char *clean = lk_text_clean(a, raw, strlen(raw), LK_MAX_SYMBOL_NAME);
    lk_map_put(&u->function_of, start, (uintptr_t)clean);
    return clean;
}

static void describe(struct lk_unwinder *u, struct lk_arena *a, const struct lk_frame_key *key,
                     struct lk_natframe *f)
{
    struct lk_symbol_name name;
    struct lk_module *m = lk_module_at(&u->modules, key->pc - !key->exact);
    if (!m) {
        f->offset = key->pc;
        return;
    }
    f->module = share(u, a, m->name);
    f->module_path = share(u, a, m->path);
    f->system = m->system;
    if (!m->elf) {
        f->offset = key->pc - m->base + m->map.offset;
        return;
    }
    f->offset = key->pc - m->bias;
    if (m->build_id[0])
        f->build_id = share(u, a, m->build_id);
    if (lk_symbol_find(u->t, m, f->offset - !key->exact, &name)) {
        f->rust = lk_demangle(name.text, sizeof name.text);
        f->func_offset = name.offset + !key->exact;
        f->function = share_name(u, a, key->pc - f->func_offset, name.text);
    }
}

static const struct lk_natframe *frame_at(struct lk_unwinder *u, struct lk_arena *a,
                                          const struct lk_frame_key *key)
{
    uint64_t id = key->pc * 2 + key->exact, i;
    if (lk_map_get(&u->frame_of_pc, id, &i))
        return &u->frames.v[i];
    struct lk_natframe *f = lk_vec_push(&u->frames);
    describe(u, a, key, f);
    lk_map_put(&u->frame_of_pc, id, u->frames.n - 1);
    return f;
}

static bool same_stack(const struct lk_natstack *s, const struct lk_natframe *const *frames,
                       unsigned n, bool truncated)
{
    if (s->n != n || s->truncated != truncated)
        return false;
    for (unsigned i = 0; i < n; i++)
        if (s->frames[i].offset != frames[i]->offset ||
            s->frames[i].module_path != frames[i]->module_path ||
            s->frames[i].function != frames[i]->function)
            return false;
    return true;
}

static struct lk_natstack *make_stack(struct lk_unwinder *u, struct lk_arena *a,
                                      const struct lk_frame_key *keys, unsigned n, bool truncated)
{
    const struct lk_natframe *frames[LK_UNWIND_MAX];
    uint64_t i;
    uint64_t h = lk_hash_u64(LK_HASH_INIT, truncated);
    for (unsigned k = 0; k < n; k++)
        h = lk_hash_u64(h, keys[k].pc * 2 + keys[k].exact);
    for (unsigned k = 0; k < n; k++)
        frame_at(u, a, &keys[k]);
    for (unsigned k = 0; k < n; k++) /* in a second pass: the vector moves while it grows */
        frames[k] = frame_at(u, a, &keys[k]);
    if (lk_map_get(&u->stack_of_hash, h, &i) && same_stack(u->stacks.v[i], frames, n, truncated))
        return u->stacks.v[i];
    struct lk_natstack *s = lk_arena_alloc(a, sizeof *s);
    s->n = n;
    s->truncated = truncated;
    s->frames = lk_arena_array(a, n, sizeof *s->frames);
    for (unsigned k = 0; k < n; k++)
        s->frames[k] = *frames[k];
    lk_vec_add(&u->stacks, s); /* NOLINT(bugprone-sizeof-expression): pointers are what it holds */
    lk_map_put(&u->stack_of_hash, h, u->stacks.n - 1);
    return s;
}

/* libunwind goes on where our own walk ended early, if it came the same way. */
static bool goes_on(struct lk_unwinder *u, const struct lk_regs *regs,
                    const struct lk_second_walk *w)
{
    struct lk_frame_key own[LK_UNWIND_MAX];
    bool truncated;
    if (u->by == LK_UNWIND_LIBUNWIND)
        return true;
    const unsigned n = walk(u, regs, own, &truncated);
    bool same = w->n > n;
    for (unsigned i = 0; i < n && same; i++)
        same = own[i].pc == w->keys[i].pc;
    return same;
}

static void ask_libunwind(struct lk_unwinder *u, const struct lk_regs *regs, const size_t *which,
                          size_t n, struct lk_arena *a, struct lk_natstack **ret)
{
    struct lk_second_walk *walks = lk_xcalloc(n, sizeof *walks);
    const struct lk_regs *from[MAX_SECOND];
    for (size_t i = 0; i < n; i++)
        from[i] = &regs[which[i]];
    const size_t made = lk_libunwind_walk(u, from, n, walks);
    for (size_t i = 0; i < made && i < n; i++)
        if (walks[i].n && goes_on(u, from[i], &walks[i]))
            ret[which[i]] = make_stack(u, a, walks[i].keys, walks[i].n, walks[i].truncated);
    lk_free(walks);
}

void lk_unwind_all(struct lk_unwinder *u, const struct lk_regs *regs, size_t n, struct lk_arena *a,
                   struct lk_natstack **ret)
{
    struct lk_frame_key keys[LK_UNWIND_MAX];
    size_t second[MAX_SECOND], n_second = 0;
    if (u->memo_arena != a)
        forget_results(u);
    u->memo_arena = a;
    for (size_t i = 0; i < n; i++) {
        bool truncated = true;
        unsigned frames = 0;
        if (u->by != LK_UNWIND_LIBUNWIND)
            frames = walk(u, &regs[i], keys, &truncated);
        ret[i] = make_stack(u, a, keys, frames, truncated);
        if (truncated && known(&regs[i], LK_REG_SP) && u->by != LK_UNWIND_OWN &&
            frames < LK_UNWIND_MAX && n_second < MAX_SECOND)
            second[n_second++] = i;
    }
    if (n_second)
        ask_libunwind(u, regs, second, n_second, a, ret);
}

struct lk_natstack *lk_unwind(struct lk_unwinder *u, const struct lk_regs *regs, struct lk_arena *a)
{
    struct lk_natstack *ret;
    lk_unwind_all(u, regs, 1, a, &ret);
    return ret;
}
