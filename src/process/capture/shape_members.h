/* What a shape is made of: its tables (shapes.c) and who walks them (shape.c) know it. */
#ifndef LK_PROCESS_CAPTURE_SHAPE_MEMBERS_H
#define LK_PROCESS_CAPTURE_SHAPE_MEMBERS_H

#include <stddef.h>

#include "process/capture/shape.h"

enum kind {
    BOOL,
    CHAR,
    INT,
    ENUM, /* count_at: its last value; others are no such bytes */
    TRI,
    U32,
    I64,
    U64,
    TEXT,  /* clean: escaped once more on its way in, which changes nothing that is */
    SURE,  /* clean text that is always there */
    RAW,   /* text as the process or its files have it: who reads it cleans it */
    NAME,  /* an array of characters */
    WORDS, /* an array of 64-bit words */
    TEXTS, /* char **, counted elsewhere */
    INSIDE,
    ARRAY, /* pointer and count, in the arena */
    LIST,  /* a vector that lk_free frees */
};

struct member {
    enum kind kind;
    size_t at,
        count_at; /* offsets; count_at: of the count, or the number of elements of an array */
    const struct lk_shape *of;
};

struct lk_shape {
    size_t size;
    const struct member *members;
    size_t n;
};

#endif
