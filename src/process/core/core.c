/*
 * A core as a kind of process. All its threads stand still, with all their registers: whoever asks
 * for a stop gets them at once. It has no clock.
 */
#include "process/core/core.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "process/arch/syscalls.h"
#include "process/core/answers.h"
#include "process/core/memory.h"
#include "process/core/unpack.h"
#include "process/process_impl.h"
#include "process/stop.h"
#include "util/text.h"

/* ---- threads ------------------------------------------------------------------------------- */

/* A blocked write that was broken off has returned how much it had written. */
static bool is_partly_written(const struct lk_arch *arch, const struct lk_core_thread *t,
                              const struct lk_thread_facts *f)
{
    enum { COUNT = 2 };
    struct lk_syscall call;
    const int64_t written = (int64_t)t->regset[arch->call.result];
    return f->nr >= 0 && lk_syscall_find(arch, f->nr, &call) && call.call == LK_CALL_WRITE &&
           written > 0 && (uint64_t)written < f->args[COUNT];
}

static void take_facts(const struct lk_core_image *c, const struct lk_core_thread *t,
                       struct lk_thread_facts *f)
{
    struct lk_regs regs;
    lk_arch_take_regs(c->arch, t->regset, &regs);
    *f = (struct lk_thread_facts){ .tid = t->tid, .nr = -1, .off_cpu_ms = LK_UNKNOWN };
    f->syscall_known =
        lk_arch_take_call(c->arch, t->regset, &f->nr, f->args) || is_partly_written(c->arch, t, f);
    f->running = !f->syscall_known;
    f->state = f->running ? 'R' : 'S';
    f->sp = regs.reg[LK_REG_SP];
    f->pc = regs.reg[LK_REG_PC];
    if (c->comm) /* the process's; a thread's own is in no core */
        memcpy(f->comm, c->comm, LK_MIN(strlen(c->comm) + 1, sizeof f->comm - 1));
}

static bool list_threads(void *impl, struct lk_thread_list *list, bool full, struct lk_error *err)
{
    const struct lk_core *c = impl;
    (void)err;
    if (!full)
        return true; /* nothing has changed */
    list->n = 0;
    for (size_t i = 0; i < c->image->threads.n; i++)
        take_facts(c->image, &c->image->threads.v[i], lk_vec_push(list));
    return true;
}

static bool stop(struct lk_process *t, const struct lk_stop_request *how,
                 struct lk_stop_result *res, struct lk_error *err)
{
    const struct lk_core_image *c = ((const struct lk_core *)t->impl)->image;
    (void)how;
    (void)err;
    for (size_t i = 0; i < c->threads.n; i++) {
        lk_vec_add(&res->stopped, c->threads.v[i].tid);
        lk_arch_take_regs(c->arch, c->threads.v[i].regset, lk_vec_push(&res->regs));
    }
    return true;
}

/*
 * A core that was written from outside of a container has other numbers than the memory in it. The
 * C library keeps a thread's own number where the thread's storage begins.
 */
static int64_t tid_outside(void *impl, int64_t inner)
{
    const struct lk_core *c = impl;
    const struct lk_arch *arch = c->image->arch;
    const uint16_t places[] = { arch->glibc.thread.tid, arch->musl_tid };
    for (size_t p = 0; p < LK_ARRAY_LEN(places); p++)
        for (size_t i = 0; i < c->image->threads.n; i++) {
            const struct lk_core_thread *t = &c->image->threads.v[i];
            int32_t tid;
            if (lk_core_bytes(c->image, t->regset[arch->call.thread_pointer] + places[p], &tid,
                              sizeof tid) == sizeof tid &&
                tid == inner)
                return t->tid;
        }
    for (size_t i = 0; i < c->image->threads.n; i++)
        if (c->image->threads.v[i].tid == inner)
            return inner;
    return -1;
}

/* ---- the rest ------------------------------------------------------------------------------ */

static int open_path(void *impl, const char *path, struct lk_error *err)
{
    return lk_core_open_path(((const struct lk_core *)impl)->files, path, err);
}

static uint64_t no_time(void *impl)
{
    (void)impl;
    return 0;
}

static void no_sleep(void *impl, uint64_t us)
{
    (void)impl;
    (void)us;
}

static bool unchanged(void *impl)
{
    (void)impl;
    return true;
}

static void destroy(void *impl)
{
    struct lk_core *c = impl;
    lk_core_files_destroy(c->files);
    lk_core_image_close(c->image);
    lk_free(c);
}

static const struct lk_process_ops ops = {
    .one_moment = true,
    .read = lk_core_read,
    .read_pages = lk_core_read_pages,
    .maps = lk_core_maps,
    .maps_unchanged = unchanged,
    .open_mapping = lk_core_open_mapping,
    .open_path = open_path,
    .threads = list_threads,
    .tid_outside = tid_outside,
    .stop = stop,
    .now_us = no_time,
    .sleep_us = no_sleep,
    .ask = lk_core_ask,
    .destroy = destroy,
};

static struct lk_core *open_image(const struct lk_core_request *r, struct lk_error *err)
{
    struct lk_arena *a = lk_arena_create();
    const char *name = lk_text_clean(a, r->file, strlen(r->file), 200);
    struct stat st;
    struct lk_core *c = NULL;
    const int fd = lk_core_unpack(r->file, name, &st, err);
    struct lk_core_image *image = fd >= 0 ? lk_core_image_open(fd, name, err) : NULL;
    if (image) {
        c = lk_xcalloc(1, sizeof *c);
        c->image = image;
        c->name = lk_arena_strdup(image->arena, name);
        c->places = (struct lk_core_places){ .exe = r->exe,
                                             .sysroot = r->sysroot,
                                             .debuginfod = r->debuginfod,
                                             .owner = st.st_uid,
                                             .written = st.st_mtime };
        c->files = lk_core_files_create(image, &c->places);
    }
    lk_arena_destroy(a);
    if (!c || lk_core_files_check(c->files, err))
        return c;
    destroy(c);
    return NULL;
}

struct lk_process *lk_core_open(const struct lk_core_request *r, struct lk_error *err)
{
    struct lk_core *c = open_image(r, err);
    if (!c)
        return NULL;
    struct lk_process *t = lk_process_create(&ops, c);
    if (!t) {
        lk_error_set(err, LK_ERR_NOMEM, "no address space for the page cache");
        return NULL;
    }
    t->pid = (pid_t)c->image->pid;
    t->arch = c->image->arch;
    c->process = t;
    return t;
}
