/*
 * compare_unwinders PID...: the stacks of all sleeping threads, as our own unwinder reads them and
 * as libunwind does over the same memory, as JSON. tests/e2e/run.py sets them against each other.
 */
#include <stdio.h>
#include <stdlib.h>

#include "read/native/unwind/unwind.h"

static struct lk_regs asleep(const struct lk_thread_facts *t)
{
    struct lk_regs r = { .known = 1u << LK_REG_SP | 1u << LK_REG_PC };
    r.reg[LK_REG_SP] = t->sp;
    r.reg[LK_REG_PC] = t->pc;
    return r;
}

static void print_stack(const char *name, const struct lk_natstack *s)
{
    printf("\"%s\": {\"whole\": %s, \"frames\": [", name, s->truncated ? "false" : "true");
    for (uint32_t i = 0; i < s->n; i++)
        printf("%s[\"%s\", %llu]", i ? ", " : "", s->frames[i].module ? s->frames[i].module : "",
               (unsigned long long)s->frames[i].offset);
    printf("]}");
}

/* Whether it slept on while it was read. */
static bool slept(const struct lk_thread_facts *t, const struct lk_thread_list *after)
{
    for (size_t i = 0; i < after->n; i++)
        if (after->v[i].tid == t->tid)
            return after->v[i].switches == t->switches && after->v[i].sp == t->sp;
    return false;
}

static int compare(pid_t pid, bool *first)
{
    struct lk_error err = { 0 };
    struct lk_thread_list before = { 0 }, after = { 0 };
    struct lk_process *t = lk_process_open_live(pid, &err);
    struct lk_unwinder *u = t ? lk_unwinder_create(t, &err) : NULL;
    struct lk_arena *a = lk_arena_create();
    bool ok =
        u && lk_process_threads(t, &before, true, &err) && lk_unwinder_use(u, LK_UNWIND_LIBUNWIND);
    struct lk_regs *regs = lk_xcalloc(before.n + 1, sizeof *regs);
    struct lk_natstack **own = lk_xcalloc(before.n + 1, sizeof(void *)),
                       **other = lk_xcalloc(before.n + 1, sizeof(void *));
    for (size_t i = 0; i < before.n; i++)
        regs[i] = asleep(&before.v[i]);
    if (ok) {
        lk_unwind_all(u, regs, before.n, a, other);
        lk_unwinder_use(u, LK_UNWIND_OWN);
        lk_unwind_all(u, regs, before.n, a, own);
        ok = lk_process_threads(t, &after, true, &err);
    }
    for (size_t i = 0; ok && i < before.n; i++) {
        if (!before.v[i].syscall_known || !before.v[i].sp || !slept(&before.v[i], &after))
            continue;
        printf("%s{\"tid\": %lld, ", *first ? "" : ",\n ", (long long)before.v[i].tid);
        print_stack("own", own[i]);
        printf(", ");
        print_stack("libunwind", other[i]);
        printf("}");
        *first = false;
    }
    if (!ok)
        fprintf(stderr, "process %d: %s\n", (int)pid, err.text);
    lk_free(regs);
    lk_free(own);
    lk_free(other);
    lk_free(before.v);
    lk_free(after.v);
    lk_unwinder_destroy(u);
    lk_arena_destroy(a);
    lk_process_destroy(t);
    return ok ? 0 : 1;
}

int main(int argc, char **argv)
{
    int status = 0;
    bool first = true;
    printf("[");
    for (int i = 1; i < argc; i++)
        status |= compare((pid_t)strtol(argv[i], NULL, 10), &first);
    printf("]\n");
    return status;
}
