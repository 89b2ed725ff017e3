/*
 * What the answers of process/facts.h are made of, as tables, and the one way of writing and
 * reading what a table describes. A shape that changes is a new version of the format
 * (capture_file.h).
 */
#ifndef LK_PROCESS_CAPTURE_SHAPE_H
#define LK_PROCESS_CAPTURE_SHAPE_H

#include "process/capture/bytes.h"
#include "process/facts.h"

struct lk_shape;

/** The answer to a fact; NULL: it is never kept. */
const struct lk_shape *lk_shape_of(enum lk_fact what);
extern const struct lk_shape lk_shape_thread, lk_shape_mapping, lk_shape_regs;

size_t lk_shape_size(const struct lk_shape *s);
void lk_shape_write(const struct lk_shape *s, const void *value, struct lk_bytes *to);
/** Into ret, whose other members stay; text and arrays in the arena, but for lists of a snapshot,
 * which are allocated as the builder does. False when the bytes are not such a value. */
bool lk_shape_read(const struct lk_shape *s, struct lk_cursor_of_bytes *from, struct lk_arena *a,
                   void *ret);

#endif
