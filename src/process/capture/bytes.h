/*
 * Bytes of a capture: written into a buffer that grows, read back through a cursor that cannot
 * leave its bytes: once something is not as it must be, all that follows reads as 0 and `bad` is
 * checked once at the end. Numbers are LEB128 (DWARF 5, section 7.6), signed ones zigzag.
 */
#ifndef LK_PROCESS_CAPTURE_BYTES_H
#define LK_PROCESS_CAPTURE_BYTES_H

#include "util/arena.h"
#include "util/base.h"

struct lk_bytes {
    uint8_t *v;
    size_t n, cap;
};
void lk_bytes_put(struct lk_bytes *b, const void *p, size_t n);
void lk_bytes_number(struct lk_bytes *b, uint64_t v);
void lk_bytes_signed(struct lk_bytes *b, int64_t v);
/** s may be NULL, which is not "". */
void lk_bytes_text(struct lk_bytes *b, const char *s);
/** Why something failed; NULL: it did not. */
void lk_bytes_error(struct lk_bytes *b, const struct lk_error *err);

struct lk_cursor_of_bytes {
    const uint8_t *p, *end;
    bool bad;
};
/** n bytes, borrowed; NULL when there are fewer. */
const uint8_t *lk_take(struct lk_cursor_of_bytes *c, uint64_t n);
uint64_t lk_take_number(struct lk_cursor_of_bytes *c);
int64_t lk_take_signed(struct lk_cursor_of_bytes *c);
/** In the arena; NULL also where it is bad. */
char *lk_take_text(struct lk_cursor_of_bytes *c, struct lk_arena *a);
/** True when nothing had failed; false with err (which may be NULL), clean. */
bool lk_take_error(struct lk_cursor_of_bytes *c, struct lk_error *err);

#endif
