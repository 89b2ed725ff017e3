/*
 * A record is gone through once: where the pieces of each sample lie, the answers by sample and
 * key, in their order, the memory by its moments. The same question asked again in a sample gets
 * the next answer, and the last one for ever. What is not there is ENODATA: "not in the capture".
 */
#include "process/capture/replay.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "process/capture/known.h"
#include "process/capture/shape.h"
#include "process/capture/tape.h"
#include "process/process_impl.h"
#include "process/stop.h"
#include "util/map.h"
#include "util/text.h"
#include "util/vec.h"

enum { MAX_SAMPLES = 100000 }; /* and moments of all */

/* A piece: where its body stands, and the next one with its key in its sample (index + 1). */
struct piece {
    const uint8_t *body;
    size_t n;
    int why;
    uint32_t next;
};

struct sample {
    const uint8_t *maps; /* NULL none */
    size_t first;        /* its moments */
};

struct replay {
    const uint8_t *end;
    LK_VEC(struct piece) pieces;
    LK_VEC(struct sample) samples;
    LK_VEC(const uint8_t *) moments; /* their memory, of all samples; NULL none */
    struct lk_map by_key;            /* digest -> index + 1 of the piece that is next */
    struct lk_map last; /* digest -> index + 1 of the last one, while the record is gone through */
    size_t at, moment;  /* that are under way */
    struct lk_known *known;
    uint64_t slept_us; /* since the clock was last read on the record */
    uint64_t clock_us;
    struct lk_machine machine;
    struct lk_error withheld; /* lk_process_withheld of who was recorded */
    size_t n_missing;         /* lk_process_n_missing */
};

static const char not_there[] = "not in the capture";

/* ---- going through it -------------------------------------------------------------------- */

static uint64_t digest(uint64_t sample, enum lk_piece piece, uint64_t what,
                       const struct lk_key *key)
{
    uint64_t h = lk_hash_u64(lk_hash_u64(lk_hash_u64(LK_HASH_INIT, sample), piece), what);
    h = lk_hash_u64(lk_hash_u64(lk_hash_u64(h, (uint64_t)key->pid), (uint64_t)key->n),
                    (uint64_t)key->m);
    return lk_hash_str(h, key->text ? key->text : "");
}

static void add_piece(struct replay *r, uint64_t key, const uint8_t *body, size_t n, int why)
{
    uint64_t before;
    *lk_vec_push(&r->pieces) = (struct piece){ .body = body, .n = n, .why = why };
    if (lk_map_get(&r->last, key, &before))
        r->pieces.v[before - 1].next = (uint32_t)r->pieces.n;
    else
        lk_map_put(&r->by_key, key, r->pieces.n);
    lk_map_put(&r->last, key, r->pieces.n);
}

static void skip_values(struct lk_cursor_of_bytes *c, const struct lk_shape *of, struct lk_arena *a)
{
    const uint64_t n = lk_take_number(c);
    void *value = lk_arena_alloc(a, lk_shape_size(of));
    for (uint64_t i = 0; i < n && !c->bad; i++)
        lk_shape_read(of, c, a, value);
}

static void skip_stop(struct lk_cursor_of_bytes *c, struct lk_arena *a)
{
    struct lk_regs regs;
    lk_take_error(c, NULL);
    const uint64_t n = lk_take_number(c);
    for (uint64_t i = 0; i < n && !c->bad; i++) {
        lk_take_signed(c);
        lk_shape_read(&lk_shape_regs, c, a, &regs);
    }
    lk_take_signed(c);
    lk_take_number(c);
    lk_take_number(c);
}

/* One that is kept belongs to the whole process. */
static void enter_answer(struct replay *r, enum lk_piece piece, struct lk_cursor_of_bytes *c,
                         struct lk_arena *a)
{
    const uint64_t what = lk_take_number(c);
    struct lk_key key = { .pid = lk_take_signed(c) };
    key.n = lk_take_signed(c);
    key.m = lk_take_signed(c);
    key.text = lk_take_text(c, a);
    const int why = (int)lk_take_signed(c);
    const uint64_t n = lk_take_number(c);
    const uint8_t *body = lk_take(c, n);
    const uint64_t sample = piece == LK_PIECE_KEPT ? 0 : r->samples.n - 1;
    if (body)
        add_piece(r, digest(sample, piece, what, &key), body, (size_t)n, why);
}

static void enter_plain(struct replay *r, enum lk_piece piece, const struct lk_key *key,
                        const uint8_t *from, const struct lk_cursor_of_bytes *c)
{
    add_piece(r, digest(r->samples.n - 1, piece, 0, key), from, (size_t)(c->p - from), 0);
}

static void enter_process(struct replay *r, struct lk_cursor_of_bytes *c)
{
    const struct lk_key key = { .pid = lk_take_signed(c) };
    const uint8_t *from = c->p;
    if (lk_take_error(c, NULL))
        lk_take(c, lk_take_number(c));
    enter_plain(r, LK_PIECE_PROCESS, &key, from, c);
}

static void enter_moment(struct replay *r, struct lk_cursor_of_bytes *c)
{
    *lk_vec_push(&r->moments) = NULL;
    c->bad |= r->moments.n > MAX_SAMPLES;
}

static void enter_sample(struct replay *r, struct lk_cursor_of_bytes *c)
{
    lk_vec_push(&r->samples)->first = r->moments.n;
    enter_moment(r, c);
}

static void enter_piece(struct replay *r, enum lk_piece piece, struct lk_cursor_of_bytes *c,
                        struct lk_arena *a)
{
    const uint8_t *from = c->p;
    struct lk_key key = { 0 };
    struct sample *s = &r->samples.v[r->samples.n - 1];
    switch (piece) {
    case LK_PIECE_SAMPLE: enter_sample(r, c); return;
    case LK_PIECE_MOMENT: enter_moment(r, c); return;
    case LK_PIECE_MEMORY:
        r->moments.v[r->moments.n - 1] = from;
        lk_known_read(NULL, c);
        return;
    case LK_PIECE_MAPS:
        s->maps = from;
        skip_values(c, &lk_shape_mapping, a);
        return;
    case LK_PIECE_WITHHELD: lk_take_error(c, &r->withheld); return;
    case LK_PIECE_THREADS:
        lk_take_error(c, NULL);
        skip_values(c, &lk_shape_thread, a);
        break;
    case LK_PIECE_STOP: skip_stop(c, a); break;
    case LK_PIECE_FACT:
    case LK_PIECE_MACHINE:
    case LK_PIECE_KEPT: enter_answer(r, piece, c, a); return;
    case LK_PIECE_CLOCK: lk_take_number(c); break;
    case LK_PIECE_THREAD_ID:
        key.n = lk_take_signed(c);
        from = c->p;
        lk_take_signed(c);
        break;
    case LK_PIECE_PROCESS: enter_process(r, c); return;
    default: c->bad = true; return;
    }
    enter_plain(r, piece, &key, from, c);
}

static bool enter_all(struct replay *r, const uint8_t *tape, size_t n)
{
    struct lk_cursor_of_bytes c = { .p = tape, .end = tape + n };
    const uint8_t *letter;
    enter_sample(r, &c);
    while (!c.bad && c.p < c.end && (letter = lk_take(&c, 1))) {
        struct lk_arena *a = lk_arena_create(); /* for what is only passed over */
        enter_piece(r, (enum lk_piece) * letter, &c, a);
        lk_arena_destroy(a);
    }
    lk_map_deinit(&r->last);
    return !c.bad;
}

/* ---- answers ----------------------------------------------------------------------------- */

static const struct piece *find(struct replay *r, uint64_t sample, enum lk_piece piece,
                                uint64_t what, const struct lk_key *key)
{
    const uint64_t h = digest(sample, piece, what, key);
    uint64_t i;
    if (!lk_map_get(&r->by_key, h, &i))
        return NULL;
    const struct piece *p = &r->pieces.v[i - 1];
    if (p->next)
        lk_map_put(&r->by_key, h, p->next);
    return p;
}

static const struct piece *find_plain(struct replay *r, enum lk_piece piece,
                                      const struct lk_key *key, struct lk_cursor_of_bytes *ret)
{
    const struct piece *p = find(r, r->at, piece, 0, key);
    if (p)
        *ret = (struct lk_cursor_of_bytes){ .p = p->body, .end = p->body + p->n };
    r->n_missing += !p;
    return p;
}

static int answer(struct replay *r, uint64_t sample, enum lk_piece piece, enum lk_fact what,
                  const struct lk_key *key, struct lk_arena *a, void *ret)
{
    const struct piece *p = find(r, sample, piece, what, key);
    const struct lk_shape *shape = lk_shape_of(what);
    if (!p || !shape) { /* where a module has no lines, nobody wrote that down */
        r->n_missing += what != LK_FACT_FUNCTIONS;
        return ENODATA;
    }
    if (p->why)
        return p->why;
    struct lk_cursor_of_bytes c = { .p = p->body, .end = p->body + p->n };
    return lk_shape_read(shape, &c, a, ret) ? 0 : ENODATA;
}

static int ask(void *impl, enum lk_fact what, const struct lk_key *key, struct lk_arena *a,
               void *ret)
{
    struct replay *r = impl;
    return answer(r, r->at, LK_PIECE_FACT, what, key, a, ret);
}

static int ask_machine(void *impl, enum lk_fact what, const struct lk_key *key, struct lk_arena *a,
                       void *ret)
{
    struct replay *r = impl;
    return answer(r, r->at, LK_PIECE_MACHINE, what, key, a, ret);
}

static int recall(void *impl, enum lk_fact what, const struct lk_key *key, struct lk_arena *a,
                  void *ret)
{
    return answer(impl, 0, LK_PIECE_KEPT, what, key, a, ret);
}

/* ---- memory ------------------------------------------------------------------------------ */

static void load_moment(struct replay *r)
{
    const uint8_t *memory = r->moment < r->moments.n ? r->moments.v[r->moment] : NULL;
    struct lk_cursor_of_bytes c = { .p = memory, .end = r->end };
    if (memory)
        lk_known_read(r->known, &c);
}

/* False: the one that is under way is the last of its sample. */
static bool next_moment(struct replay *r)
{
    const size_t end = r->at + 1 < r->samples.n ? r->samples.v[r->at + 1].first : r->moments.n;
    if (r->moment + 1 >= end)
        return false;
    r->moment++;
    lk_known_next_moment(r->known);
    load_moment(r);
    return true;
}

/* A reader that asks in another order than the one of then finds in a later moment what it wants.
 */
static int read_known(void *impl, lk_addr addr, void *buf, size_t n)
{
    struct replay *r = impl;
    int why = lk_known_get(r->known, addr, buf, n);
    while (why == ENODATA && next_moment(r))
        why = lk_known_get(r->known, addr, buf, n);
    r->n_missing += why == ENODATA;
    return why;
}

static size_t read_some(void *impl, lk_addr addr, void *buf, size_t n)
{
    return read_known(impl, addr, buf, n) ? 0 : n;
}

/* Those of this sample, or what they were before and did not change. */
static bool maps(void *impl, struct lk_arena *a, struct lk_mapping **ret, size_t *n,
                 struct lk_error *err)
{
    const struct replay *r = impl;
    const uint8_t *from = NULL;
    for (size_t i = LK_MIN(r->at + 1, r->samples.n); i-- > 0 && !from;)
        from = r->samples.v[i].maps;
    struct lk_cursor_of_bytes c = { .p = from, .end = r->end };
    if (!from)
        return lk_error_set(err, LK_ERR_BAD_DATA, "the list of mappings: %s", not_there);
    *n = (size_t)lk_take_number(&c);
    *n = LK_MIN(*n, (size_t)(c.end - c.p));
    *ret = lk_arena_array(a, *n, sizeof **ret);
    lk_addr end = 0;
    for (size_t i = 0; i < *n; i++) {
        struct lk_mapping *m = &(*ret)[i];
        if (!lk_shape_read(&lk_shape_mapping, &c, a, m) || m->start < end || m->start >= m->end)
            return lk_error_set(err, LK_ERR_BAD_DATA, "the list of mappings makes no sense");
        end = m->end;
        if (!m->path)
            m->path = "";
    }
    return true;
}

/* ---- threads ----------------------------------------------------------------------------- */

static bool threads(void *impl, struct lk_thread_list *list, bool full, struct lk_error *err)
{
    struct lk_cursor_of_bytes c;
    struct replay *r = impl;
    if (!find_plain(r, LK_PIECE_THREADS, &(struct lk_key){ 0 }, &c))
        return lk_error_set(err, LK_ERR_NO_PROCESS, "the list of threads: %s", not_there);
    if (!lk_take_error(&c, err))
        return false;
    const uint64_t n = lk_take_number(&c);
    if (full)
        list->n = 0;
    else
        for (size_t i = 0; i < list->n; i++)
            list->v[i].state = 'X';
    for (uint64_t i = 0; i < n && !c.bad; i++) {
        struct lk_thread_facts f = { 0 };
        lk_shape_read(&lk_shape_thread, &c, NULL, &f);
        struct lk_thread_facts *known =
            full ? lk_vec_push(list)
                 : (struct lk_thread_facts *)lk_thread_facts_of(list, f.tid, (size_t)i);
        if (known)
            *known = f;
    }
    return true;
}

static bool is_cut(void *impl)
{
    const struct replay *r = impl;
    return lk_known_is_cut(r->known);
}

static size_t n_missing(void *impl)
{
    const struct replay *r = impl;
    return r->n_missing;
}

static int64_t tid_outside(void *impl, int64_t inner)
{
    struct lk_cursor_of_bytes c;
    return find_plain(impl, LK_PIECE_THREAD_ID, &(struct lk_key){ .n = inner }, &c)
               ? lk_take_signed(&c)
               : -1;
}

static bool stop(struct lk_process *t, const struct lk_stop_request *how,
                 struct lk_stop_result *res, struct lk_error *err)
{
    struct lk_cursor_of_bytes c;
    (void)how;
    if (!find_plain(t->impl, LK_PIECE_STOP, &(struct lk_key){ 0 }, &c))
        return lk_error_set(err, LK_ERR_UNSUPPORTED, "a stop: %s", not_there);
    if (!lk_take_error(&c, err))
        return false;
    const uint64_t n = lk_take_number(&c);
    for (uint64_t i = 0; i < n && !c.bad; i++) {
        struct lk_regs regs = { 0 };
        lk_vec_add(&res->stopped, lk_take_signed(&c));
        lk_shape_read(&lk_shape_regs, &c, NULL, &regs);
        lk_vec_add(&res->regs, regs);
    }
    res->pause_us = lk_take_signed(&c);
    res->deadline = lk_take_number(&c) != 0;
    res->overflow = lk_take_number(&c) != 0;
    return true;
}

/* ---- time, and the rest ------------------------------------------------------------------ */

/* What is slept counts until the record knows better. */
static uint64_t now_us(void *impl)
{
    struct replay *r = impl;
    struct lk_cursor_of_bytes c;
    const uint64_t before = r->clock_us + r->slept_us,
                   now = find_plain(r, LK_PIECE_CLOCK, &(struct lk_key){ 0 }, &c)
                             ? lk_take_number(&c)
                             : 0;
    if (now > before) {
        r->clock_us = now;
        r->slept_us = 0;
    }
    return r->clock_us + r->slept_us;
}

static void sleep_us(void *impl, uint64_t us)
{
    struct replay *r = impl;
    r->slept_us += us;
}

static void begin_sample(void *impl)
{
    struct replay *r = impl;
    while (next_moment(r)) /* a page may be what it was the moment before */
        ;
    r->at++;
    r->moment++;
    lk_known_next(r->known);
    load_moment(r);
}

static void begin_moment(void *impl)
{
    next_moment(impl);
}

static int no_file(void *impl, const struct lk_mapping *m, struct lk_error *err)
{
    (void)impl;
    (void)m;
    lk_error_os(err, ENODATA, "files: %s", not_there);
    return -1;
}

static int no_path(void *impl, const char *path, struct lk_error *err)
{
    (void)path;
    return no_file(impl, NULL, err);
}

static struct lk_process *open_other(void *impl, pid_t pid, struct lk_error *err)
{
    struct lk_cursor_of_bytes c;
    if (!find_plain(impl, LK_PIECE_PROCESS, &(struct lk_key){ .pid = pid }, &c)) {
        lk_error_set(err, LK_ERR_NO_PROCESS, "process %d: %s", (int)pid, not_there);
        return NULL;
    }
    if (!lk_take_error(&c, err))
        return NULL;
    const uint64_t n = lk_take_number(&c);
    const uint8_t *tape = lk_take(&c, n);
    return tape ? lk_replay_open(pid, tape, (size_t)n, err) : NULL;
}

static void destroy(void *impl)
{
    struct replay *r = impl;
    lk_known_destroy(r->known);
    lk_map_deinit(&r->by_key);
    lk_map_deinit(&r->last);
    lk_free(r->pieces.v);
    lk_free(r->samples.v);
    lk_free(r->moments.v);
    lk_free(r);
}

static const struct lk_process_ops ops = {
    .read = read_some,
    .read_known = read_known,
    .maps = maps,
    .open_mapping = no_file,
    .open_path = no_path,
    .threads = threads,
    .is_cut = is_cut,
    .n_missing = n_missing,
    .begin_sample = begin_sample,
    .begin_moment = begin_moment,
    .tid_outside = tid_outside,
    .stop = stop,
    .now_us = now_us,
    .sleep_us = sleep_us,
    .ask = ask,
    .recall = recall,
    .open_other = open_other,
    .destroy = destroy,
};

static struct replay *load(const uint8_t *tape, size_t n, struct lk_error *err)
{
    struct replay *r = lk_xcalloc(1, sizeof *r);
    r->end = tape + n;
    r->machine = (struct lk_machine){ ask_machine, r };
    r->known = lk_known_create(LK_KNOWN_PAGES);
    if (enter_all(r, tape, n)) {
        load_moment(r);
        return r;
    }
    destroy(r);
    lk_error_set(err, LK_ERR_BAD_DATA, "its record of a process makes no sense");
    return NULL;
}

struct lk_process *lk_replay_open(pid_t pid, const uint8_t *tape, size_t n, struct lk_error *err)
{
    struct replay *r = load(tape, n, err);
    if (!r)
        return NULL;
    struct lk_process *t = lk_process_create(&ops, r);
    if (!t) {
        lk_error_set(err, LK_ERR_NOMEM, "no address space for the page cache");
        return NULL;
    }
    t->pid = pid;
    t->machine = &r->machine;
    t->withheld = r->withheld;
    return t;
}

/* ---- a machine --------------------------------------------------------------------------- */

struct lk_replayed_machine {
    struct replay *r;
};

struct lk_replayed_machine *lk_replay_machine(const uint8_t *tape, size_t n, struct lk_error *err)
{
    struct replay *r = load(tape, n, err);
    if (!r)
        return NULL;
    struct lk_replayed_machine *m = lk_xcalloc(1, sizeof *m);
    m->r = r;
    return m;
}

const struct lk_machine *lk_replayed_machine(const struct lk_replayed_machine *m)
{
    return &m->r->machine;
}

void lk_replayed_machine_destroy(struct lk_replayed_machine *m)
{
    if (!m)
        return;
    destroy(m->r);
    lk_free(m);
}
