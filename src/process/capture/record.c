/*
 * A kind of process that asks another kind and writes down what it is told. Memory is gathered by
 * samples (known.c), so that what is read twice is in it once.
 */
#include "process/capture/record.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "process/capture/known.h"
#include "process/capture/shape.h"
#include "process/capture/tape.h"
#include "process/process_impl.h"
#include "process/stop.h"

struct record {
    struct lk_process *t;
    struct lk_process_ops ops; /* ours */
    const struct lk_process_ops *inner;
    void *impl;
    struct lk_bytes tape;
    struct lk_known *known;
    bool cut; /* known of a sample before */
    size_t n_samples,
        n_told; /* begun; and the one whose pages were told in the time that is slept */
    struct lk_machine_record machine;
    struct record *into; /* of another process, which asked for this one */
    unsigned asking;     /* the inner kind looks around for an answer: that is its own business */
};

/* ---- pieces ------------------------------------------------------------------------------ */

static void begin(struct lk_bytes *tape, enum lk_piece piece)
{
    const uint8_t letter = (uint8_t)piece;
    lk_bytes_put(tape, &letter, 1);
}

static void write_answer(struct lk_bytes *tape, enum lk_piece piece, enum lk_fact what,
                         const struct lk_key *key, int why, const void *value)
{
    const struct lk_shape *shape = lk_shape_of(what);
    struct lk_bytes body = { 0 };
    if (!shape)
        return;
    if (!why)
        lk_shape_write(shape, value, &body);
    begin(tape, piece);
    lk_bytes_number(tape, what);
    lk_bytes_signed(tape, key->pid);
    lk_bytes_signed(tape, key->n);
    lk_bytes_signed(tape, key->m);
    lk_bytes_text(tape, key->text);
    lk_bytes_signed(tape, why);
    lk_bytes_number(tape, body.n);
    lk_bytes_put(tape, body.v, body.n);
    lk_free(body.v);
}

static void end_moment(struct record *r)
{
    begin(&r->tape, LK_PIECE_MEMORY);
    lk_known_write(r->known, &r->tape);
    r->cut |= lk_known_is_cut(r->known);
}

/* ---- what is asked ----------------------------------------------------------------------- */

static void begin_moment(void *impl)
{
    struct record *r = impl;
    end_moment(r);
    lk_known_next_moment(r->known);
    begin(&r->tape, LK_PIECE_MOMENT);
}

static void begin_sample(void *impl)
{
    struct record *r = impl;
    if (!r->t->aside) {
        end_moment(r);
        lk_known_next(r->known);
        begin(&r->tape, LK_PIECE_SAMPLE);
        r->n_samples++;
    }
    if (r->inner->begin_sample)
        r->inner->begin_sample(r->impl);
}

static size_t read_some(void *impl, lk_addr addr, void *buf, size_t n)
{
    struct record *r = impl;
    return r->inner->read(r->impl, addr, buf, n);
}

static void was_read(void *impl, lk_addr page, const uint8_t *bytes, const uint64_t *asked)
{
    struct record *r = impl;
    lk_known_put(r->known, page, bytes, asked);
}

static void not_read(void *impl, lk_addr page, int why)
{
    struct record *r = impl;
    lk_known_lack(r->known, page, why);
}

static bool maps(void *impl, struct lk_arena *a, struct lk_mapping **ret, size_t *n,
                 struct lk_error *err)
{
    struct record *r = impl;
    if (!r->inner->maps(r->impl, a, ret, n, err))
        return false;
    begin(&r->tape, LK_PIECE_MAPS);
    lk_bytes_number(&r->tape, *n);
    for (size_t i = 0; i < *n; i++)
        lk_shape_write(&lk_shape_mapping, &(*ret)[i], &r->tape);
    return true;
}

static bool maps_unchanged(void *impl)
{
    struct record *r = impl;
    return r->inner->maps_unchanged(r->impl);
}

static int open_mapping(void *impl, const struct lk_mapping *m, struct lk_error *err)
{
    struct record *r = impl;
    return r->inner->open_mapping(r->impl, m, err);
}

static int open_path(void *impl, const char *path, struct lk_error *err)
{
    struct record *r = impl;
    return r->inner->open_path(r->impl, path, err);
}

static bool threads(void *impl, struct lk_thread_list *list, bool full, struct lk_error *err)
{
    struct record *r = impl;
    struct lk_error own = { 0 };
    err = err ? err : &own;
    const bool ok = r->inner->threads(r->impl, list, full, err);
    begin(&r->tape, LK_PIECE_THREADS);
    lk_bytes_error(&r->tape, ok ? NULL : err);
    lk_bytes_number(&r->tape, ok ? list->n : 0);
    for (size_t i = 0; ok && i < list->n; i++)
        lk_shape_write(&lk_shape_thread, &list->v[i], &r->tape);
    return ok;
}

static int64_t tid_outside(void *impl, int64_t inner)
{
    struct record *r = impl;
    const int64_t outer = r->inner->tid_outside(r->impl, inner);
    begin(&r->tape, LK_PIECE_THREAD_ID);
    lk_bytes_signed(&r->tape, inner);
    lk_bytes_signed(&r->tape, outer);
    return outer;
}

static void write_stop(struct lk_bytes *tape, const struct lk_stop_result *res,
                       const struct lk_error *failed)
{
    begin(tape, LK_PIECE_STOP);
    lk_bytes_error(tape, failed);
    lk_bytes_number(tape, res->stopped.n);
    for (size_t i = 0; i < res->stopped.n; i++) {
        lk_bytes_signed(tape, res->stopped.v[i]);
        lk_shape_write(&lk_shape_regs, &res->regs.v[i], tape);
    }
    lk_bytes_signed(tape, res->pause_us);
    lk_bytes_number(tape, (uint64_t)res->deadline);
    lk_bytes_number(tape, (uint64_t)res->overflow);
}

/* While it is stopped it is what it was: what is read then is only rehearsed, in another process.
 */
static bool stop(struct lk_process *t, const struct lk_stop_request *how,
                 struct lk_stop_result *res, struct lk_error *err)
{
    struct record *r = t->impl;
    struct lk_error own = { 0 };
    err = err ? err : &own;
    t->ops = r->inner;
    t->impl = r->impl;
    const bool ok = t->ops->stop(t, how, res, err);
    t->ops = &r->ops;
    t->impl = r;
    write_stop(&r->tape, res, ok ? NULL : err);
    return ok;
}

static bool is_cut(void *impl)
{
    const struct record *r = impl;
    return r->cut || lk_known_is_cut(r->known);
}

static uint64_t now_us(void *impl)
{
    struct record *r = impl;
    const uint64_t now = r->inner->now_us ? r->inner->now_us(r->impl) : lk_now_us();
    begin(&r->tape, LK_PIECE_CLOCK);
    lk_bytes_number(&r->tape, now);
    return now;
}

/* The time is used: what was read until now is kept. Who waits looks at the clock anyway. */
static void sleep_us(void *impl, uint64_t us)
{
    struct record *r = impl;
    const struct timespec nap = { (time_t)(us / 1000000), (long)(us % 1000000) * 1000 };
    if (r->n_told != r->n_samples)
        lk_pages_tell(r->t->pages);
    else if (r->inner->sleep_us)
        r->inner->sleep_us(r->impl, us);
    else
        nanosleep(&nap, NULL);
    r->n_told = r->n_samples;
}

static int ask(void *impl, enum lk_fact what, const struct lk_key *key, struct lk_arena *a,
               void *ret)
{
    struct record *r = impl;
    r->asking++;
    lk_process_aside(r->t);
    const int why = r->inner->ask(r->impl, what, key, a, ret);
    lk_process_aside_end(r->t);
    r->asking--;
    write_answer(&r->tape, LK_PIECE_FACT, what, key, why, ret);
    return why;
}

static void keep(void *impl, enum lk_fact what, const struct lk_key *key, int why,
                 const void *value)
{
    struct record *r = impl;
    write_answer(&r->tape, LK_PIECE_KEPT, what, key, why, value);
}

static struct record *start(struct lk_process *t, struct record *into);

static struct lk_process *open_other(void *impl, pid_t pid, struct lk_error *err)
{
    struct record *r = impl;
    struct lk_error own = { 0 };
    err = err ? err : &own;
    struct lk_process *t = r->inner->open_other(r->impl, pid, err);
    if (t && !r->asking)
        start(t, r);
    if (t || r->asking)
        return t;
    begin(&r->tape, LK_PIECE_PROCESS);
    lk_bytes_signed(&r->tape, pid);
    lk_bytes_error(&r->tape, err);
    return NULL;
}

/* ---- life -------------------------------------------------------------------------------- */

static void release(struct record *r)
{
    lk_known_destroy(r->known);
    lk_free(r->tape.v);
    lk_free(r);
}

static void destroy(void *impl)
{
    struct record *r = impl;
    if (r->into) {
        struct lk_bytes *to = &r->into->tape;
        end_moment(r);
        begin(to, LK_PIECE_PROCESS);
        lk_bytes_signed(to, r->t->pid);
        lk_bytes_error(to, NULL);
        lk_bytes_number(to, r->tape.n);
        lk_bytes_put(to, r->tape.v, r->tape.n);
    }
    if (r->inner->destroy)
        r->inner->destroy(r->impl);
    release(r);
}

static int ask_machine(void *impl, enum lk_fact what, const struct lk_key *key, struct lk_arena *a,
                       void *ret)
{
    struct lk_machine_record *r = impl;
    const int why = lk_machine_ask(r->of, what, key, a, ret);
    write_answer(r->tape, LK_PIECE_MACHINE, what, key, why, ret);
    return why;
}

void lk_machine_record_start(struct lk_machine_record *r, const struct lk_machine *of,
                             struct lk_bytes *tape)
{
    *r = (struct lk_machine_record){ .machine = { ask_machine, r }, .of = of, .tape = tape };
}

/* What the kind lacks we lack too. */
static struct lk_process_ops ops_over(const struct lk_process_ops *inner)
{
    return (struct lk_process_ops){
        .read = read_some,
        .maps = inner->maps ? maps : NULL,
        .open_mapping = inner->open_mapping ? open_mapping : NULL,
        .open_path = inner->open_path ? open_path : NULL,
        .threads = inner->threads ? threads : NULL,
        .begin_sample = begin_sample,
        .begin_moment = begin_moment,
        .tid_outside = inner->tid_outside ? tid_outside : NULL,
        .stop = inner->stop ? stop : NULL,
        .now_us = now_us,
        .sleep_us = sleep_us,
        .was_read = was_read,
        .not_read = not_read,
        .is_cut = is_cut,
        .keep = keep,
        .ask = inner->ask ? ask : NULL,
        .open_other = inner->open_other ? open_other : NULL,
        .maps_unchanged = inner->maps_unchanged ? maps_unchanged : NULL,
        .destroy = destroy,
    };
}

static struct record *start(struct lk_process *t, struct record *into)
{
    struct record *r = lk_xcalloc(1, sizeof *r);
    r->t = t;
    r->inner = t->ops;
    r->impl = t->impl;
    r->into = into;
    r->known = lk_known_create(LK_KNOWN_PAGES);
    r->ops = ops_over(t->ops);
    lk_machine_record_start(&r->machine, t->machine, &r->tape);
    t->machine = &r->machine.machine;
    if (t->withheld.code) {
        begin(&r->tape, LK_PIECE_WITHHELD);
        lk_bytes_error(&r->tape, &t->withheld);
    }
    t->ops = &r->ops;
    t->impl = r;
    lk_pages_watch(t->pages, was_read, r);
    return r;
}

void lk_record_start(struct lk_process *t)
{
    start(t, NULL);
}

bool lk_record_end(struct lk_process *t, struct lk_bytes *ret)
{
    struct record *r = t->impl;
    if (t->ops->destroy != destroy)
        return false;
    lk_pages_watch(t->pages, NULL, NULL);
    end_moment(r);
    *ret = r->tape;
    r->tape = (struct lk_bytes){ 0 };
    t->ops = r->inner;
    t->impl = r->impl;
    t->machine = r->machine.of;
    release(r);
    return true;
}
