/*
 * A user's file of patterns (loopknot-rules(5)).
 */
#ifndef LK_DIAGNOSE_CATALOG_USER_FILE_H
#define LK_DIAGNOSE_CATALOG_USER_FILE_H

#include "diagnose/catalog/frames.h"

enum {
    LK_PATTERNS_MAX_BYTES = 256 * 1024, /* of a file */
    LK_PATTERNS_MAX_LINE = 512,
    LK_PATTERNS_MAX_ROWS = 4096,
};

/**
 * Parses the n bytes of a file of patterns. name: how errors call the file. NULL with err
 * ("NAME:LINE: what, why, what to do") when anything in it cannot be used.
 */
struct lk_patterns *lk_patterns_parse(const char *name, const char *text, size_t n,
                                      struct lk_error *err) LK_MUST_CHECK;
void lk_patterns_destroy(struct lk_patterns *p); /* p may be NULL */

#endif
