/*
 * Sets of processes: examined at the same time or out of a capture, their reports linked, and what
 * that asks of the machine recorded. What allocates runs inside lk_guarded(), see loopknot.c.
 */
#include <stdlib.h>
#include <string.h>

#include "api/diagnosis.h"
#include "api/file.h"
#include "api/options.h"
#include "examine/cross_process.h"
#include "examine/process_set.h"
#include "process/capture/capture_file.h"
#include "process/capture/record.h"
#include "process/capture/replay.h"
#include "process/linux/process_facts.h"
#include "snapshot/builder.h"
#include "util/text.h"
#include "util/version.h"

#define LK_EXPORT __attribute__((visibility("default")))

/* Reports of processes that were examined together. */
struct set {
    const pid_t *pids;
    size_t n;
    struct lk_examine_options options;
    const struct lk_machine *machine; /* that they run on */
    struct lk_joint_result *results;
    struct lk_report *to; /* room for n */
    size_t n_to, n_examined;
};

/* A member that is there and could not be examined: the set is not whole without it. */
static bool is_missed(const struct lk_joint_result *r)
{
    return !r->ok && r->err.code != LK_ERR_NO_PROCESS && r->err.code != LK_ERR_NOMEM;
}

static void link_on(struct set *s, const struct lk_machine *m)
{
    lk_examine_link(s->to, s->n_to, m);
    s->n_examined = s->n_to;
    for (size_t i = 0; s->n_examined && i < s->n; i++)
        if (is_missed(&s->results[i]))
            s->to[s->n_to++] = lk_report_missed(m, s->pids[i], &s->results[i].err);
}

static void keep_head(const struct set *s)
{
    const struct lk_examine_options *o = &s->options;
    int64_t *pids = lk_xcalloc(s->n + 1, sizeof *pids);
    for (size_t i = 0; i < s->n; i++)
        pids[i] = s->pids[i];
    const struct lk_capture_head head = { .samples = o->samples,
                                          .interval_ms = o->interval_ms,
                                          .stalled_after_ms = o->stalled_after_ms,
                                          .max_pause_ms = o->max_pause_ms,
                                          .stop = (uint32_t)o->stop,
                                          .unwinder = (uint32_t)o->unwinder,
                                          .native = o->native,
                                          .tree = o->tree,
                                          .listed_ticks = o->listed_ticks,
                                          .project = o->project,
                                          .pids = pids,
                                          .n_pids = s->n,
                                          .tool = lk_tool_version(),
                                          .cpu = lk_arch_own()->name };
    lk_capture_set_head(o->capture, &head);
    lk_free(pids);
}

static void link_and_record(struct set *s)
{
    struct lk_machine_record record;
    struct lk_bytes tape = { 0 };
    keep_head(s);
    for (size_t i = 0; i < s->n; i++)
        if (!s->results[i].ok)
            lk_capture_add_missed(s->options.capture, s->pids[i], &s->results[i].err);
    lk_machine_record_start(&record, s->machine, &tape);
    link_on(s, &record.machine);
    lk_capture_add_machine(s->options.capture, &tape);
    lk_free(tape.v);
}

/* The reports grow while they are linked, so they are adopted: they stay or go together. */
static void link_reports(void *arg)
{
    struct set *s = arg;
    for (size_t i = 0; i < s->n; i++) {
        if (s->results[i].ok)
            s->to[s->n_to++] = s->results[i].report;
        lk_blocks_adopt(s->results[i].blocks);
        s->results[i].blocks = NULL;
    }
    if (s->options.capture)
        link_and_record(s);
    else
        link_on(s, s->machine);
}

static bool ran_out(const struct set *s)
{
    for (size_t i = 0; i < s->n; i++)
        if (!s->results[i].ok && s->results[i].err.code == LK_ERR_NOMEM)
            return true;
    return false;
}

typedef void (*complain_fn)(pid_t pid, bool gone, const char *message, void *arg);

static int told(int status, const char *message, complain_fn complain, void *arg)
{
    if (complain)
        complain(0, false, message, arg);
    return status;
}

/* From the results of all to reports. */
static int report_set(struct loopknot_diagnosis *d, struct set *s, complain_fn complain, void *arg)
{
    s->to = d->v + d->n;
    if (!lk_guarded(link_reports, s, NULL)) {
        for (size_t i = 0; i < s->n; i++)
            if (s->results[i].blocks) /* not adopted yet */
                lk_joint_result_deinit(&s->results[i]);
        return told(LOOPKNOT_NO_MEMORY, "out of memory: the reports are lost", complain, arg);
    }
    d->n += s->n_to;
    if (!lk_api_take_in(d, d->n - s->n_to))
        return told(LOOPKNOT_NO_MEMORY, "out of memory: the reports are lost", complain, arg);
    for (size_t i = 0; complain && i < s->n; i++) {
        const struct lk_error *err = &s->results[i].err;
        if (!s->results[i].ok)
            complain(s->pids[i], err->code == LK_ERR_NO_PROCESS, err->text, arg);
    }
    if (s->n_to)
        return LOOPKNOT_OK;
    return ran_out(s) ? LOOPKNOT_NO_MEMORY : LOOPKNOT_NO_REPORT;
}

static int examine_set(struct loopknot_diagnosis *d, struct set *s, unsigned deadline_ms,
                       complain_fn complain, void *arg)
{
    lk_examine_together(s->pids, s->n, &s->options, deadline_ms, s->results);
    return report_set(d, s, complain, arg);
}

LK_EXPORT int loopknot_examine_all(struct loopknot_diagnosis *d, const pid_t *pids, size_t n,
                                   const struct loopknot_options *o, unsigned deadline_ms,
                                   void (*complain)(pid_t pid, bool gone, const char *message,
                                                    void *arg),
                                   void *arg)
{
    struct set s = { .pids = pids, .n = n };
    struct lk_error err = { 0 };
    if (!lk_api_options(o, &s.options, &err))
        return told(lk_api_status(&err), err.text, complain, arg);
    if (s.options.capture && lk_capture_is_used(s.options.capture))
        return told(LOOPKNOT_USAGE, "a capture is of one call of loopknot_examine_all()", complain,
                    arg);
    s.machine = lk_machine_here();
    s.options.together = pids;
    s.options.n_together = n;
    s.options.listed_ticks = lk_process_ticks_now();
    s.results = calloc(n + 1, sizeof *s.results);
    const int status =
        s.results && lk_api_reserve(d, n)
            ? examine_set(d, &s, deadline_ms, complain, arg)
            : told(LOOPKNOT_NO_MEMORY, "out of memory: nothing was examined", complain, arg);
    free(s.results);
    return status;
}

/* ---- what was captured -------------------------------------------------------------------- */

struct analysis {
    const char *file;
    char *bytes; /* of the file */
    struct lk_capture_file *capture;
    struct lk_replayed_machine *machine;
    struct lk_error err;
};

static void load_capture(void *arg)
{
    enum { MAX_SHOWN = 200 };
    struct analysis *x = arg;
    struct lk_arena *a = lk_arena_create();
    const char *name = lk_text_clean(a, x->file, strlen(x->file), MAX_SHOWN);
    struct lk_error why = { 0 };
    size_t n;
    x->bytes = lk_api_read_file(x->file, name, "captures are", LK_API_REGULAR, LK_CAPTURE_MAX_BYTES,
                                &n, &x->err);
    if (x->bytes && n > LK_CAPTURE_MAX_BYTES)
        lk_error_set(&why, LK_ERR_BAD_DATA, "it is too large for a capture");
    else if (x->bytes && (x->capture = lk_capture_load((const uint8_t *)x->bytes, n, &why)))
        x->machine = lk_capture_machine(x->capture, &why);
    if (x->bytes && !x->machine)
        lk_error_set(&x->err, why.code, "%s: %s", name, why.text);
    lk_arena_destroy(a);
}

static bool is_capture(const char *file)
{
    uint8_t begin[LK_CAPTURE_MAGIC];
    return lk_capture_is_one(begin, lk_api_peek(file, begin, sizeof begin));
}

static void take_head(struct set *s, const struct lk_capture_file *f)
{
    const struct lk_capture_head *h = lk_capture_head(f);
    struct lk_examine_options *o = &s->options;
    o->samples = h->samples;
    o->interval_ms = h->interval_ms;
    o->stalled_after_ms = h->stalled_after_ms;
    o->max_pause_ms = h->max_pause_ms;
    o->stop = (enum lk_stop_mode)LK_MIN(h->stop, (uint32_t)LK_STOP_NONE);
    o->unwinder = (enum lk_unwind_by)LK_MIN(h->unwinder, (uint32_t)LK_UNWIND_LIBUNWIND);
    o->native = h->native;
    o->tree = h->tree;
    o->listed_ticks = h->listed_ticks;
    o->project = o->project ? o->project : h->project;
    o->capture = NULL;
    o->captured = f;
}

static int analyze_all(struct loopknot_diagnosis *d, const struct analysis *x, struct set *s,
                       complain_fn complain, void *arg)
{
    const struct lk_capture_head *h = lk_capture_head(x->capture);
    pid_t *pids = calloc(h->n_pids + 1, sizeof *pids);
    s->results = calloc(h->n_pids + 1, sizeof *s->results);
    int status = LOOPKNOT_NO_MEMORY;
    for (size_t i = 0; pids && i < h->n_pids; i++)
        pids[i] = (pid_t)h->pids[i];
    if (pids && s->results && lk_api_reserve(d, h->n_pids)) {
        s->pids = s->options.together = pids;
        s->n = s->options.n_together = h->n_pids;
        s->machine = lk_replayed_machine(x->machine);
        for (size_t i = 0; i < s->n; i++)
            lk_examine_one(pids[i], &s->options, &s->results[i]);
        status = report_set(d, s, complain, arg);
        d->set |= h->tree || h->n_pids > 1;
    }
    free(s->results);
    free(pids);
    return status;
}

LK_EXPORT int
loopknot_analyze(struct loopknot_diagnosis *d, const char *file, const struct loopknot_options *o,
                 void (*complain)(pid_t pid, bool gone, const char *message, void *arg), void *arg)
{
    struct analysis x = { .file = file };
    struct set s = { 0 };
    struct lk_blocks *blocks = NULL;
    const size_t had = d->n;
    if (!lk_api_options(o, &s.options, &x.err))
        return told(lk_api_status(&x.err), x.err.text, complain, arg);
    if (!is_capture(file)) {
        const int loaded = loopknot_load(d, file, x.err.text, sizeof x.err.text);
        if (loaded != LOOPKNOT_OK)
            return told(loaded, x.err.text, complain, arg);
        for (size_t i = had; !s.options.locals && i < d->n; i++)
            lk_snapshot_forget_locals(d->v[i].snap, &(struct lk_refs){ 0 });
        return loaded;
    }
    if (!lk_guarded(load_capture, &x, &blocks))
        return told(LOOPKNOT_NO_MEMORY, "out of memory: the capture was not read", complain, arg);
    lk_blocks_dissolve(blocks);
    int status;
    if (x.machine) {
        take_head(&s, x.capture);
        status = analyze_all(d, &x, &s, complain, arg);
    } else {
        status = told(lk_api_status(&x.err), x.err.text, complain, arg);
    }
    lk_replayed_machine_destroy(x.machine);
    lk_capture_unload(x.capture);
    lk_free(x.bytes);
    return status;
}
