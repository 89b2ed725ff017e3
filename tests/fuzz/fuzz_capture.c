/*
 * Captures: the record of a process behind its checksum, and the file around it. What comes of any
 * of it is bounded, clean text, or a refusal.
 */
#include "fuzz.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "process/capture/capture_file.h"
#include "process/capture/record.h"
#include "process/capture/replay.h"
#include "process/capture/shape.h"
#include "process/capture/tape.h"
#include "process/stop.h"
#include "snapshot/builder.h"
#include "util/map.h"
#include "util/text.h"

enum { CAP = 8192 };

static void put_answer(struct lk_bytes *b, enum lk_piece piece, enum lk_fact what)
{
    static const char *const text = "text";
    const uint8_t letter = (uint8_t)piece;
    const struct lk_shape *s = lk_shape_of(what);
    struct lk_bytes body = { 0 };
    void *zero = lk_xcalloc(1, lk_shape_size(s) + sizeof text);
    lk_shape_write(s, zero, &body);
    lk_free(zero);
    lk_bytes_put(b, &letter, 1);
    lk_bytes_number(b, what);
    for (int i = 0; i < 3; i++)
        lk_bytes_signed(b, 0);
    lk_bytes_text(b, what % 2 ? NULL : text);
    lk_bytes_signed(b, 0);
    lk_bytes_number(b, body.n);
    lk_bytes_put(b, body.v, body.n);
    lk_free(body.v);
}

/* Every fact of each kind, two samples, two mappings, a thread, a stop, a clock, another process.
 */
static size_t make_seed(uint8_t *ret)
{
    static const enum lk_piece pieces[] = { LK_PIECE_FACT, LK_PIECE_KEPT, LK_PIECE_MACHINE };
    static const uint8_t rest[] = { 'M', 0,   1,   5,   0,   0, 3,   0xfd, 0x1f, 0, 'a',
                                    'b', 'c', 'S', 'T', 0,   0, 'X', 0,    0,    9, 0,
                                    0,   'C', 200, 1,   'I', 2, 4,   'O',  2,    0, 2,
                                    'C', 1,   'W', 6,   0,   2, 'g', 'P',  2 };
    static const struct lk_mapping maps[] = { { .start = 0x1000, .end = 0x2000, .path = "a" },
                                              { .start = 0x2000, .end = 0x4000, .path = "" } };
    struct lk_bytes b = { 0 };
    const size_t from = fuzz_below(LK_FACTS); /* not all fit */
    for (size_t i = 0; i < LK_FACTS && b.n < CAP / 4; i++)
        put_answer(&b, pieces[fuzz_below(3)], (enum lk_fact)((from + i) % LK_FACTS));
    lk_bytes_put(&b, rest, sizeof rest);
    for (size_t i = 0; i < 2; i++)
        lk_shape_write(&lk_shape_mapping, &maps[i], &b);
    const size_t n = LK_MIN(b.n, (size_t)CAP / 2);
    memcpy(ret, b.v, n);
    lk_free(b.v);
    return n;
}

/* Text that came through a file is clean. */
static void check_clean(const char *text)
{
    struct lk_arena *a = lk_arena_create();
    CHECK(!text || strcmp(lk_text_clean(a, text, strlen(text), SIZE_MAX), text) == 0);
    lk_arena_destroy(a);
}

static void check_snapshot(const struct lk_snapshot *s)
{
    const char *const texts[] = { s->comm, s->exe, s->host, s->boot_id, s->container, s->cwd };
    for (size_t i = 0; i < LK_ARRAY_LEN(texts); i++)
        check_clean(texts[i]);
    for (size_t i = 0; i < s->n_cmdline; i++)
        check_clean(s->cmdline[i]);
    for (size_t i = 0; i < s->limits.n; i++)
        check_clean(s->limits.v[i].text);
}

static void ask_all(struct lk_process *t)
{
    const struct lk_key keys[] = { { 0 }, { .text = "text" }, { .pid = 1, .n = 2 } };
    for (int i = 0; i < 3 * LK_FACTS * (int)LK_ARRAY_LEN(keys); i++) {
        const enum lk_fact what = (enum lk_fact)(i / 3 % LK_FACTS);
        const struct lk_key *key = &keys[i / 3 / LK_FACTS];
        struct lk_arena *a = lk_arena_create();
        struct lk_snapshot *s = lk_snapshot_create();
        const bool whole =
            what == LK_FACT_IDENTITY || what == LK_FACT_IDENTITY_OF || what == LK_FACT_LISTENERS;
        void *ret = whole ? (void *)s : lk_arena_alloc(a, lk_shape_size(lk_shape_of(what)));
        int why = ENODATA;
        if (i % 3 == 0)
            why = lk_process_ask(t, what, key, a, ret);
        else if (i % 3 == 1)
            why = lk_machine_ask(lk_process_machine(t), what, key, a, ret);
        else
            CHECK(lk_process_recall(t, what, key, a, ret, &why));
        if (!why)
            check_snapshot(s);
        lk_snapshot_destroy(s);
        lk_arena_destroy(a);
    }
}

static void replay(const uint8_t *tape, size_t n)
{
    struct lk_error err = { 0 };
    struct lk_process *t = lk_replay_open(7, tape, n, &err);
    struct lk_thread_list list = { 0 };
    struct lk_stop_result res;
    size_t maps;
    uint64_t v;
    if (!t) {
        CHECK(err.text[0]);
        return;
    }
    for (int i = 0; i < 3; i++) {
        lk_read_u64(t, 5 * LK_PAGE, &v);
        lk_process_maps(t, &maps, &err);
        lk_process_threads(t, &list, i % 2 == 0, &err);
        lk_process_tid(t, 2);
        lk_process_now_us(t);
        lk_stop_collect(t, &(struct lk_stop_request){ .tids = &(int64_t){ 1 }, .n = 1 }, &res,
                        &err);
        lk_stop_result_deinit(&res);
        lk_process_destroy(lk_process_open_other(t, 1, &err));
        ask_all(t);
        lk_process_begin_sample(t);
    }
    lk_free(list.v);
    lk_process_destroy(t);
}

static void put_le(struct lk_bytes *b, uint64_t v, size_t n)
{
    for (size_t i = 0; i < n; i++, v >>= 8)
        lk_bytes_put(b, &(uint8_t){ (uint8_t)v }, 1);
}

/* What is damaged stands behind a checksum that is right. */
static void put_section(struct lk_bytes *b, unsigned kind, const uint8_t *raw, size_t n)
{
    uint8_t stored[CAP * 2];
    const size_t size = ZSTD_compress(stored, sizeof stored, raw, n, 1);
    CHECK(!ZSTD_isError(size));
    put_le(b, kind, 4);
    put_le(b, kind == 4 ? 0 : 7, 4); /* a machine is of no process */
    put_le(b, size, 8);
    put_le(b, n, 8);
    put_le(b, lk_hash(LK_HASH_INIT, stored, size), 8);
    lk_bytes_put(b, stored, size);
}

static size_t make_head(uint8_t *ret)
{
    static const uint8_t numbers[] = { 3, 100, 100, 100, 0, 0, 1, 0, 0, 0, 0 };
    struct lk_bytes b = { 0 };
    lk_bytes_put(&b, numbers, sizeof numbers);
    lk_bytes_text(&b, lk_arch_own()->name);
    put_le(&b, 1 | 14 << 8, 2);
    memcpy(ret, b.v, b.n);
    const size_t n = b.n;
    lk_free(b.v);
    return n;
}

/* Kinds as capture_file.c numbers them: head, process, missed, machine, end. */
static void load_file(const uint8_t *tape, size_t n, bool damaged)
{
    struct lk_error err = { 0 };
    struct lk_bytes b = { 0 };
    uint8_t *head = lk_xcalloc(1, CAP), missed[] = { LK_ERR_PERMISSION, 0, 2, 'x' };
    const size_t n_head = make_head(head);
    lk_bytes_put(&b, "LKCAP\r\n\x1a\1\0\0\0", 12);
    put_section(&b, 1, head, damaged ? fuzz_mutate(head, n_head, CAP) : n_head);
    put_section(&b, 2 + (unsigned)fuzz_below(3), tape, n);
    put_section(&b, 3, missed, damaged ? fuzz_below(sizeof missed + 1) : sizeof missed);
    put_section(&b, 5, NULL, 0);
    struct lk_capture_file *f = lk_capture_load(b.v, b.n, &err);
    CHECK(f || (damaged && err.text[0]));
    if (f) {
        lk_process_destroy(lk_capture_open(f, 7, &err));
        lk_replayed_machine_destroy(lk_capture_machine(f, &err));
        CHECK(lk_capture_head(f)->n_pids <= LK_CAPTURE_MAX_PIDS);
    }
    lk_capture_unload(f);
    lk_free(b.v);
    lk_free(head);
}

static void one(uint64_t round)
{
    uint8_t *buf = lk_xmalloc(CAP);
    const size_t n = fuzz_mutate(buf, make_seed(buf), CAP);
    uint8_t *exact = lk_xmalloc(n + 1);
    memcpy(exact, buf, n);
    replay(exact, n);
    if (round % 8 == 0)
        load_file(exact, n, round % 16 == 0);
    lk_free(exact);
    lk_free(buf);
}

int main(int argc, char **argv)
{
    return fuzz_run(argc, argv, one);
}
