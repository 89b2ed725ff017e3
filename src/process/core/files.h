/*
 * The files that a core leaves out: program, libraries, sources. A file counts as the one that was
 * mapped if its build id is the one in the core's copy of its first page; another one is refused.
 */
#ifndef LK_PROCESS_CORE_FILES_H
#define LK_PROCESS_CORE_FILES_H

#include <time.h>

#include "process/core/image.h"

/** Where they are looked for; NULL: not there. */
struct lk_core_places {
    const char *exe;     /* the program's file */
    const char *sysroot; /* a folder that has the paths below it */
    bool debuginfod; /* debuginfod-find(1) is asked, which asks the servers of its environment */
    uid_t owner;     /* of the core: who may read what it names */
    time_t written;  /* when it was: what is newer is not the source of then */
};

struct lk_core_files;
/** The image is borrowed. The strings of places are copied. */
struct lk_core_files *lk_core_files_create(const struct lk_core_image *c,
                                           const struct lk_core_places *places);
void lk_core_files_destroy(struct lk_core_files *f);

/** Whether the file that the user named is the core's program; false with err, which says both
 * build ids. True where none was named. */
bool lk_core_files_check(struct lk_core_files *f, struct lk_error *err);

/** Looks for all files now. */
void lk_core_files_look(struct lk_core_files *f);
/** A descriptor of the file that was mapped there, for reading; it stays the list's. -1 with err.
 */
int lk_core_file_at(struct lk_core_files *f, const struct lk_core_mapped *m, struct lk_error *err);
/** PF_R, PF_W, PF_X of that piece of the file, by its program headers in the core or in the file;
 * 0 not known. */
uint32_t lk_core_file_flags(struct lk_core_files *f, const struct lk_core_mapped *m);
/** Raw, without " (deleted)"; NULL: which of its files is the program is not known. */
const char *lk_core_program(const struct lk_core_files *f);
/** -1: not found, so far. */
int lk_core_program_fd(const struct lk_core_files *f);

/** A file that the process names, an absolute path: a descriptor of the caller's; -1 with err. */
int lk_core_open_path(const struct lk_core_files *f, const char *path, struct lk_error *err);

/** Calls told for each file that was looked for and not found, or refused: why, in one line. */
void lk_core_files_tell(const struct lk_core_files *f, void (*told)(const char *why, void *arg),
                        void *arg);

#endif
