/*
 * Writing a file that is there complete or as it was. It has no name until it is whole, O_TMPFILE
 * of open(2), so that nothing stays behind however the writing ends; where a file system has no
 * such files it is under a temporary name in its folder. A device or FIFO is written to as it is,
 * since putting a file in its place would take it away from everybody.
 */
#ifndef LK_UTIL_REPLACE_FILE_H
#define LK_UTIL_REPLACE_FILE_H

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>

#include "util/place.h"

struct lk_replacement {
    FILE *f;
    struct lk_place place;
    bool as_it_is;
    bool unnamed;  /* O_TMPFILE */
    char temp[40]; /* "": there is none */
    sigset_t mask; /* as it was */
};

/** Whether it could be written now: 0, or an errno. Nothing stays behind. */
int lk_replace_try(const char *name);
/**
 * A new file of this mode, less the umask. 0, or an errno. Until lk_replace_end() the thread does
 * not get SIGXFSZ: a file that grows too large is an error, EFBIG.
 */
int lk_replace_begin(struct lk_replacement *r, const char *name, mode_t mode);
/** Ends what was begun. ok: all was written, and it takes its place. 0, or an errno; why where it
 * was not ok. */
int lk_replace_end(struct lk_replacement *r, bool ok, int why);

/** The thread gets no SIGXFSZ, setrlimit(2), between the two. */
void lk_file_size_error(sigset_t *mask);
void lk_file_size_signal(const sigset_t *mask);

#endif
