/*
 * Bits by slot of the page cache (pages.c), which knows what stands in a slot. A slot is listed
 * when its first bit is set; who is told twice is told nothing the second time.
 */
#include "process/asked.h"

#include <string.h>

#include "util/arena.h"

void lk_asked_set_bits(uint64_t *bits, size_t at, size_t n)
{
    for (size_t end = at + n; at < end;) {
        const size_t bit = at % 64, part = LK_MIN(64 - bit, end - at);

        bits[at / 64] |= (part == 64 ? ~UINT64_C(0) : (UINT64_C(1) << part) - 1) << bit;
        at += part;
    }
}

void lk_asked_watch(struct lk_asked *k, size_t slots, lk_pages_visit visit, void *arg)
{
    if (visit && !k->bits) {
        k->bits = lk_xcalloc(slots, sizeof *k->bits);
        k->any = lk_xcalloc(slots, 1);
    }
    k->visit = visit;
    k->arg = arg;
}

void lk_asked_deinit(struct lk_asked *k)
{
    lk_free(k->bits);
    lk_free(k->any);
    lk_free(k->told.v);
}

void lk_asked_of_slot(struct lk_asked *k, uint32_t slot, size_t at, size_t n)
{
    if (!k->any[slot]) {
        k->any[slot] = 1;
        lk_vec_add(&k->told, slot);
    }
    lk_asked_set_bits(k->bits[slot], at, n);
}

void lk_asked_once(struct lk_asked *k, lk_addr page, const uint8_t *bytes, size_t at, size_t n)
{
    uint64_t once[LK_PAGE_WORDS] = { 0 };

    lk_asked_set_bits(once, at, n);
    k->visit(k->arg, page, bytes, once);
}

void lk_asked_tell(struct lk_asked *k, uint32_t slot, lk_addr page, const uint8_t *bytes)
{
    if (!k->any[slot])
        return;
    k->visit(k->arg, page, bytes, k->bits[slot]);
    memset(k->bits[slot], 0, sizeof k->bits[slot]);
    k->any[slot] = 0;
}
