/*
 * Captures: the record of a process behind its checksum, and the file around it. What comes of any
 * of it is bounded, clean text, or a refusal.
 */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "process/capture/capture_file.h"
#include "process/capture/record.h"
#include "process/capture/replay.h"
#include "process/capture/shape.h"
#include "process/capture/tape.h"
#include "process/stop.h"
#include "snapshot/builder.h"
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

/* Every fact, two samples, a thread, a stop, a clock. */
static size_t make_seed(uint8_t *ret)
{
    static const uint8_t rest[] = { 'M', 1,   5,   0,   0, 3,   0xfd, 0x1f, 0,   'a', 'b',
                                    'c', 'S', 'T', 0,   0, 'X', 0,    0,    9,   0,   0,
                                    'C', 200, 1,   'I', 2, 4,   'P',  0,    'M', 0 };
    struct lk_bytes b = { 0 };
    for (int i = 0; i < LK_FACTS; i++)
        put_answer(&b, i % 3 ? LK_PIECE_FACT : LK_PIECE_KEPT, (enum lk_fact)i);
    lk_bytes_put(&b, rest, sizeof rest);
    const size_t n = LK_MIN(b.n, (size_t)CAP / 2);
    memcpy(ret, b.v, n);
    lk_free(b.v);
    return n;
}

static void ask_all(struct lk_process *t)
{
    const struct lk_key keys[] = { { 0 }, { .text = "text" }, { .pid = 1, .n = 2 } };
    for (int i = 0; i < LK_FACTS; i++)
        for (size_t k = 0; k < sizeof keys / sizeof keys[0]; k++) {
            struct lk_arena *a = lk_arena_create();
            struct lk_snapshot *s = lk_snapshot_create();
            void *ret = lk_xcalloc(1, lk_shape_size(lk_shape_of((enum lk_fact)i)));
            const bool whole =
                i == LK_FACT_IDENTITY || i == LK_FACT_IDENTITY_OF || i == LK_FACT_LISTENERS;
            int why;
            why = lk_process_ask(t, (enum lk_fact)i, &keys[k], a, whole ? (void *)s : ret);
            if (why && !whole)
                lk_process_recall(t, (enum lk_fact)i, &keys[k], a, ret, &why);
            CHECK(!s->comm || lk_text_clean(a, s->comm, strlen(s->comm), SIZE_MAX));
            lk_free(ret);
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

static void one(uint64_t round)
{
    struct lk_error err = { 0 };
    uint8_t *buf = lk_xmalloc(CAP);
    const size_t n = fuzz_mutate(buf, make_seed(buf), CAP);
    uint8_t *exact = lk_xmalloc(n + 1);
    memcpy(exact, buf, n);
    replay(exact, n);
    if (round % 8 == 0) {
        memcpy(exact, "LKCAP\r\n\x1a\1\0\0", LK_MIN(n, (size_t)12));
        lk_capture_unload(lk_capture_load_bytes(exact, n, &err));
    }
    lk_free(exact);
    lk_free(buf);
}

int main(int argc, char **argv)
{
    return fuzz_run(argc, argv, one);
}
