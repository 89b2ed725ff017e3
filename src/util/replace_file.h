/*
 * Writing a file that is there complete or as it was: under a temporary name in its folder, renamed
 * at the end, rename(2). A link stays one; a device, a FIFO or a socket is written to as it is,
 * since renaming a file over it would take it away from everybody.
 */
#ifndef LK_UTIL_REPLACE_FILE_H
#define LK_UTIL_REPLACE_FILE_H

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>

struct lk_replacement {
    FILE *f;
    char file[PATH_MAX];      /* what is replaced */
    char temp[PATH_MAX + 32]; /* "": it is written to as it is */
};

/** Whether it could be written now: 0, or an errno. Nothing stays behind. */
int lk_replace_try(const char *name);
/** A new file of mode 0600. 0, or an errno. */
int lk_replace_begin(struct lk_replacement *r, const char *name);
/** Ends what was begun. ok: all was written, and it takes its place. 0, or an errno; why where it
 * was not ok. */
int lk_replace_end(struct lk_replacement *r, bool ok, int why);

#endif
