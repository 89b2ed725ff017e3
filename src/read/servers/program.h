/*
 * What a process runs, as far as its names and its command line tell.
 */
#ifndef LK_READ_SERVERS_PROGRAM_H
#define LK_READ_SERVERS_PROGRAM_H

#include "process/facts.h"

struct lk_program {
    char exe[64]; /* file name of its executable; "" unknown */
    /* of the program: for an interpreter the script or module it runs ("gunicorn", "app.py") */
    char name[64];
    char comm[64];
    struct lk_program_facts args;
};
/** What args points to belongs to the arena. */
void lk_program_read(const struct lk_machine *m, int64_t pid, struct lk_arena *a,
                     struct lk_program *ret);
/** path: of an executable. */
bool lk_program_is_interpreter(const char *path);
/** The process runs a program of that name. */
bool lk_program_runs(const struct lk_machine *m, int64_t pid, const char *name);
/** The value of an option in any of its forms: "--long V", "--long=V", "-s V", "-sV". NULL when it
 * is not given. */
const char *lk_program_option(const struct lk_program_facts *args, const char *longer,
                              const char *shorter);

#endif
