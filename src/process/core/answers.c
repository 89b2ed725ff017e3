/*
 * One function a fact that is in a core: who the process is, by its notes and its first stack, and
 * the system call that a thread slept in, by its registers and its memory. All else was in the
 * kernel only.
 */
#include "process/core/answers.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#include "process/core/start.h"
#include "process/linux/language_runtime.h"
#include "process/linux/process_facts.h"
#include "snapshot/builder.h"
#include "util/redact.h"
#include "util/text.h"

enum { MAX_TEXT = 4096, MAX_TEST = 1024 };

static const char *clean(struct lk_snapshot *s, const char *text, size_t max)
{
    return text ? lk_text_clean(s->arena, text, strlen(text), max) : NULL;
}

/* ---- identity -------------------------------------------------------------------------------- */

/* NT_PRPSINFO has the first 80 bytes of the command line, with blanks where its ends were. */
static void set_cmdline(const struct lk_core_image *c, struct lk_snapshot *s)
{
    struct lk_core_start start;
    char *one = (char *)c->args;
    lk_core_start_read(c, s->arena, &start);
    if (!start.argc && one && *one)
        start = (struct lk_core_start){ .argv = &one, .argc = 1 };
    s->cmdline = lk_arena_array(s->arena, start.argc + 1, sizeof *s->cmdline);
    s->n_cmdline = start.argc;
    for (size_t i = 0; i < start.argc; i++) {
        const char *shown = lk_redact(s->arena, start.argv[i], i ? start.argv[i - 1] : NULL);
        s->cmdline[i] = lk_text_clean(s->arena, shown, strlen(shown), MAX_TEXT);
    }
    if (start.test)
        s->test_env = lk_redact_name(s->arena, clean(s, start.test, MAX_TEST));
}

static const char *when(struct lk_arena *a, time_t t)
{
    struct tm tm;
    char text[64];
    if (!gmtime_r(&t, &tm) || !strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &tm))
        return NULL;
    return lk_arena_printf(a, "%s.000Z", text);
}

static void note_missing_file(const char *why, void *arg)
{
    lk_snapshot_limit(arg, "%s", why);
}

static void note_limits(const struct lk_core *c, struct lk_snapshot *s)
{
    enum { MIB = 1 << 20 };
    const struct lk_core_image *x = c->image;
    lk_snapshot_limit(s,
                      "a core dump is one moment of the process%s%s%s: whether it moves, how long "
                      "its waits last and have left, what its descriptors are and who has their "
                      "other ends, its children and signal handlers in C are not in the core",
                      x->signal ? " (ended by " : "", x->signal ? strsignal(x->signal) : "",
                      x->signal ? ")" : "");
    if (x->missing)
        lk_snapshot_limit(
            s, "the core was cut off: %llu MiB of the memory that it tells of are missing",
            (unsigned long long)((x->missing + MIB - 1) / MIB));
    if (x->lost)
        lk_snapshot_limit(s, "the core was cut off: %s", x->lost);
    lk_core_files_tell(c->files, note_missing_file, s);
}

struct mapped {
    const struct lk_core_image *core;
    size_t n;
};

static const char *next_mapped(void *arg)
{
    struct mapped *m = arg;
    return m->n < m->core->mapped.n ? m->core->mapped.v[m->n++].path : NULL;
}

static enum lk_runtime runtime_of(const struct lk_core *c)
{
    const char *program = lk_core_program(c->files);
    enum lk_runtime ret = program ? lk_runtime_of_program(program) : LK_RUNTIME_UNKNOWN;
    if (!ret)
        ret = lk_runtime_of_files(next_mapped, &(struct mapped){ .core = c->image });
    if (!ret && lk_core_program_fd(c->files) >= 0 && lk_runtime_is_go(lk_core_program_fd(c->files)))
        ret = LK_RUNTIME_GO;
    return ret ? ret : program ? LK_RUNTIME_NATIVE : LK_RUNTIME_UNKNOWN;
}

static int identity(const struct lk_core *c, struct lk_snapshot *s)
{
    const struct lk_core_image *x = c->image;
    lk_core_files_look(c->files);
    s->pid = x->pid;
    s->ppid = x->ppid;
    s->uid = x->uid;
    s->forked = x->forked;
    s->handles_signals = s->own_handlers = s->handles_alarm = LK_TRI_UNKNOWN;
    s->taken_at = when(s->arena, c->places.written);
    s->comm = clean(s, x->comm, MAX_TEXT);
    s->exe = clean(s, lk_core_program(c->files), MAX_TEXT);
    set_cmdline(x, s);
    s->runtime = runtime_of(c);
    note_limits(c, s);
    return 0;
}

/* ---- system calls ------------------------------------------------------------------------------
 */

static int call(const struct lk_core *c, const struct lk_thread_facts *f, struct lk_arena *a,
                struct lk_syscall_wait *ret)
{
    struct lk_kernel_reader *r = lk_kernel_reader_create(c->process, -1, a);
    lk_kernel_read_wait(r, f, ret);
    lk_kernel_reader_destroy(r);
    return 0;
}

int lk_core_ask(void *impl, enum lk_fact what, const struct lk_key *key, struct lk_arena *a,
                void *ret)
{
    const struct lk_core *c = impl;
    switch (what) {
    case LK_FACT_IDENTITY: return identity(c, ret);
    case LK_FACT_CALL: return call(c, key->given, a, ret);
    default: return ENODATA;
    }
}
