/*
 * The second opinion: libunwind, over the same memory as our own unwinder. Its accessors for live
 * processes (libunwind-ptrace) stop threads and open files by name; ours read the page cache, know
 * the registers that are known, and find a function's entry by the table in memory, as perf does
 * (tools/perf/util/unwind-libunwind-local.c). Its walks are made in a process of their own
 * (confined.h), all of a sample in one, since call frame information can be made that crashes it.
 *
 * It is loaded when a stack first needs it, with names of its own: libunwind.so also has the
 * functions by which C++ exceptions are thrown, and a program that uses this library has its own.
 * In a static program (LK_STATIC) nothing can be loaded: it is linked.
 */
#include "read/native/unwind/unwind_internal.h"

#include <dlfcn.h>
#include <errno.h>
#include <libunwind.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "read/native/unwind/confined.h"

enum { MAX_READS = 20000 }; /* words in one walk */

#define TEXT_OF(x) #x
#define TEXT(x)    TEXT_OF(x)
#define LIBRARY    "libunwind-" TEXT(UNW_TARGET) ".so.8"

/* Exported, and in no header (perf declares it as well). */
int UNW_OBJ(dwarf_search_unwind_table)(unw_addr_space_t, unw_word_t, unw_dyn_info_t *,
                                       unw_proc_info_t *, int, void *);

struct functions {
    __typeof__(unw_create_addr_space) *create;
    __typeof__(unw_destroy_addr_space) *destroy;
    __typeof__(unw_init_remote) *init;
    __typeof__(unw_step) *step;
    __typeof__(unw_get_reg) *get_reg;
    __typeof__(unw_is_signal_frame) *is_signal_frame;
    __typeof__(UNW_OBJ(dwarf_search_unwind_table)) *search;
};

struct lk_libunwind {
    void *library;
    struct functions f;
    unw_addr_space_t space;
};

/* One walk. */
struct walk {
    struct lk_unwinder *u;
    const struct lk_regs *regs;
    unsigned reads;
};

/* ---- what it asks for ------------------------------------------------------------------ */

static int find_proc_info(unw_addr_space_t space, unw_word_t ip, unw_proc_info_t *info, int need,
                          void *arg)
{
    struct walk *w = arg;
    struct lk_unwinder *u = w->u;
    struct lk_eh_table table;
    const struct lk_module *m = lk_module_at(&u->modules, ip);
    if (!m || !m->elf || !lk_eh_table(u, m, &table))
        return -UNW_ENOINFO;
    unw_dyn_info_t di = { .start_ip = m->bias + m->lo,
                          .end_ip = m->bias + m->hi,
                          .format = UNW_INFO_FORMAT_REMOTE_TABLE,
                          .u.rti = { .segbase = table.header,
                                     .table_data = table.pairs,
                                     .table_len =
                                         table.n * sizeof(int32_t[2]) / sizeof(unw_word_t) } };
    return u->libunwind->f.search(space, ip, &di, info, need, arg);
}

static void put_unwind_info(unw_addr_space_t space, unw_proc_info_t *info, void *arg)
{
    (void)space, (void)info, (void)arg;
}

static int no_dynamic_info(unw_addr_space_t space, unw_word_t *list, void *arg)
{
    (void)space, (void)list, (void)arg;
    return -UNW_ENOINFO;
}

static int access_mem(unw_addr_space_t space, unw_word_t addr, unw_word_t *value, int write,
                      void *arg)
{
    struct walk *w = arg;
    (void)space;
    if (write || w->reads++ >= MAX_READS || !lk_stack_word(&w->u->window, w->u->t, addr, value))
        return -UNW_EINVAL;
    return 0;
}

static int access_reg(unw_addr_space_t space, unw_regnum_t reg, unw_word_t *value, int write,
                      void *arg)
{
    const struct walk *w = arg;
    const unsigned place =
        reg < 0 ? LK_REGS_MAX : lk_arch_place(lk_process_arch(w->u->t), (uint64_t)reg);
    (void)space;
    if (write || place >= LK_REGS_MAX || !(w->regs->known & 1u << place))
        return -UNW_EBADREG;
    *value = w->regs->reg[place];
    return 0;
}

static int no_fpreg(unw_addr_space_t space, unw_regnum_t reg, unw_fpreg_t *value, int write,
                    void *arg)
{
    (void)space, (void)reg, (void)value, (void)write, (void)arg;
    return -UNW_EBADREG;
}

static int no_resume(unw_addr_space_t space, unw_cursor_t *cursor, void *arg)
{
    (void)space, (void)cursor, (void)arg;
    return -UNW_EINVAL;
}

static int no_name(unw_addr_space_t space, unw_word_t addr, char *name, size_t size,
                   unw_word_t *offset, void *arg)
{
    (void)space, (void)addr, (void)name, (void)size, (void)offset, (void)arg;
    return -UNW_ENOINFO;
}

/* ---- life -------------------------------------------------------------------------------- */

#ifdef LK_STATIC
static bool find(struct lk_libunwind *l)
{
    l->f = (struct functions){ unw_create_addr_space,
                               unw_destroy_addr_space,
                               unw_init_remote,
                               unw_step,
                               unw_get_reg,
                               unw_is_signal_frame,
                               UNW_OBJ(dwarf_search_unwind_table) };
    return true;
}
#else
static bool find(struct lk_libunwind *l)
{
    const struct {
        const char *name;
        void *to;
    } rows[] = {
        { TEXT(unw_create_addr_space), &l->f.create },
        { TEXT(unw_destroy_addr_space), &l->f.destroy },
        { TEXT(unw_init_remote), &l->f.init },
        { TEXT(unw_step), &l->f.step },
        { TEXT(unw_get_reg), &l->f.get_reg },
        { TEXT(unw_is_signal_frame), &l->f.is_signal_frame },
        { TEXT(UNW_OBJ(dwarf_search_unwind_table)), &l->f.search },
    };
    l->library = dlopen(LIBRARY, RTLD_LAZY | RTLD_LOCAL);
    for (size_t i = 0; i < LK_ARRAY_LEN(rows); i++) {
        void *function = l->library ? dlsym(l->library, rows[i].name) : NULL;
        if (!function)
            return false;
        memcpy(rows[i].to, &function, sizeof function);
    }
    return true;
}
#endif

static void release(void *what, size_t size)
{
    struct lk_libunwind *l = what;
    (void)size;
    if (l->space)
        l->f.destroy(l->space);
    if (l->library)
        dlclose(l->library);
    free(l);
}

/* Without space where it is not installed. */
static struct lk_libunwind *make(void)
{
    struct lk_libunwind *l = calloc(1, sizeof *l);
    if (!l)
        lk_out_of_memory();
    lk_hold(l, sizeof *l, release);
    return l;
}

static struct lk_libunwind *load(void)
{
    static unw_accessors_t accessors = { .find_proc_info = find_proc_info,
                                         .put_unwind_info = put_unwind_info,
                                         .get_dyn_info_list_addr = no_dynamic_info,
                                         .access_mem = access_mem,
                                         .access_reg = access_reg,
                                         .access_fpreg = no_fpreg,
                                         .resume = no_resume,
                                         .get_proc_name = no_name };
    struct lk_libunwind *l = make();
    if (find(l))
        l->space = l->f.create(&accessors, 0);
    return l;
}

void lk_libunwind_destroy(struct lk_libunwind *l)
{
    if (!l)
        return;
    lk_let_go(l, release);
    release(l, sizeof *l);
}

bool lk_libunwind_is_there(struct lk_unwinder *u)
{
    if (lk_process_recalls(u->t))
        return true;
    if (!u->libunwind)
        u->libunwind = load();
    return u->libunwind->space != NULL;
}

/* ---- walks --------------------------------------------------------------------------------- */

static void walk(struct lk_unwinder *u, const struct lk_regs *regs, struct lk_second_walk *ret)
{
    const struct lk_libunwind *l = u->libunwind;
    struct walk w = { .u = u, .regs = regs };
    unw_cursor_t cursor;
    unw_word_t pc;
    bool exact = true;
    int more = -1;
    *ret = (struct lk_second_walk){ .truncated = true };
    if (l->f.init(&cursor, l->space, &w))
        return;
    while (ret->n < LK_UNWIND_MAX && !l->f.get_reg(&cursor, UNW_REG_IP, &pc) && pc &&
           (!ret->n || lk_unwind_is_code(u, pc - !exact))) {
        ret->keys[ret->n++] = (struct lk_frame_key){ pc, exact };
        exact = l->f.is_signal_frame(&cursor) > 0;
        more = l->f.step(&cursor);
        if (more <= 0)
            break;
    }
    /* It also ends, as if all were told, where a chain of frame pointers does. */
    ret->truncated = more != 0 || !ret->n || !lk_unwind_is_outermost(u, &ret->keys[ret->n - 1]);
}

struct question {
    struct lk_unwinder *u;
    const struct lk_regs *const *regs;
    size_t n;
};

static void answer_all(int out, void *arg)
{
    const struct question *q = arg;
    struct lk_second_walk w;
    for (size_t i = 0; i < q->n; i++) {
        walk(q->u, q->regs[i], &w);
        if (write(out, &w, sizeof w) != (ssize_t)sizeof w)
            return;
    }
}

static struct lk_key walk_fact(const struct lk_regs *r)
{
    return (struct lk_key){ .n = (int64_t)r->reg[LK_REG_SP], .m = (int64_t)r->reg[LK_REG_PC] };
}

static bool recall(struct lk_unwinder *u, const struct lk_regs *regs, struct lk_second_walk *ret)
{
    struct lk_walk_fact f = { 0 };
    const struct lk_key key = walk_fact(regs);
    int why = 0;
    *ret = (struct lk_second_walk){ .truncated = true };
    if (!lk_process_recall(u->t, LK_FACT_SECOND_WALK, &key, u->arena, &f, &why) || why ||
        f.n > LK_UNWIND_MAX)
        return why != ENODATA;
    ret->n = (uint32_t)f.n;
    ret->truncated = f.truncated;
    for (size_t i = 0; i < f.n; i++)
        ret->keys[i] = (struct lk_frame_key){ f.v[i] >> 1, (f.v[i] & 1) != 0 };
    return true;
}

/* Also of one that was not made: each place has its answers in order. */
static void keep(struct lk_unwinder *u, const struct lk_regs *regs, bool made,
                 const struct lk_second_walk *w)
{
    uint64_t v[LK_UNWIND_MAX];
    const struct lk_key key = walk_fact(regs);
    for (size_t i = 0; made && i < w->n; i++)
        v[i] = w->keys[i].pc << 1 | w->keys[i].exact;
    const struct lk_walk_fact f = { v, made ? w->n : 0, w->truncated };
    lk_process_keep(u->t, LK_FACT_SECOND_WALK, &key, made ? 0 : ETIMEDOUT, &f);
}

/* It was forgotten then what was read, as below. */
static size_t recall_all(struct lk_unwinder *u, const struct lk_regs *const *regs, size_t n,
                         struct lk_second_walk *ret)
{
    bool made = false;
    for (size_t i = 0; i < n; i++)
        made |= recall(u, regs[i], &ret[i]);
    if (made)
        lk_process_forget_racy(u->t);
    return n;
}

size_t lk_libunwind_walk(struct lk_unwinder *u, const struct lk_regs *const *regs, size_t n,
                         struct lk_second_walk *ret)
{
    if (lk_process_recalls(u->t))
        return recall_all(u, regs, n, ret);
    if (!lk_libunwind_is_there(u))
        return 0;
    struct question q = { u, regs, n };
    const size_t got = lk_confined(answer_all, &q, -1, ret, n * sizeof *ret) / sizeof *ret;
    /* Where Yama lets ancestors alone read, our child may not: what it could not read is no news.
     */
    lk_process_forget_racy(u->t);
    u->window.ok = false;
    for (size_t i = 0; i < got; i++) /* what a parser gone astray wrote is not believed either */
        if (ret[i].n > LK_UNWIND_MAX)
            ret[i] = (struct lk_second_walk){ .truncated = true };
    for (size_t i = 0; i < n; i++)
        keep(u, regs[i], i < got, &ret[i]);
    return got;
}
