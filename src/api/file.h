/* Whole files for the library: bounded, and of a kind that ends. */
#ifndef LK_API_FILE_H
#define LK_API_FILE_H

#include "util/memory.h"

/** What a file may be besides a regular one. */
enum lk_api_file {
    LK_API_REGULAR = 0,
    LK_API_STREAM, /* a pipe or socket too, and "-" for standard input: reading waits for its end */
};

/**
 * Reads a file of at most max bytes; a larger one gives max + 1 of them, so that whoever parses it
 * can tell.
 * @param name the file's name as it is to be shown.
 * @param what what is read from it, for the refusal: "patterns are".
 * @return to be freed by lk_free(); NULL where it cannot be read.
 */
char *lk_api_read_file(const char *file, const char *name, const char *what, enum lk_api_file kind,
                       size_t max, size_t *n, struct lk_error *err);

/** The first bytes of a regular file, at most n of them; 0 of what is none, or cannot be read. */
size_t lk_api_peek(const char *file, void *ret, size_t n);

#endif
