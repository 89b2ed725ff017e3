/*
 * What a process runs, as far as its names, its command line and its environment tell.
 */
#ifndef LK_READ_SERVERS_PROGRAM_H
#define LK_READ_SERVERS_PROGRAM_H

#include "process/linux/procfs.h"

struct lk_program {
    char exe[64]; /* file name of its executable; "" unknown */
    /* of the program: for an interpreter the script or module it runs ("gunicorn", "app.py") */
    char name[64];
    char comm[64];
    struct lk_procfs_args args;
};
/** base as by lk_procfs_base. */
void lk_program_read(const char *base, struct lk_program *ret);
void lk_program_deinit(struct lk_program *p);
/** path: of an executable. */
bool lk_program_is_interpreter(const char *path);
/** The process runs a program of that name. */
bool lk_program_runs(int64_t pid, const char *name);
/** variable: "NAME=VALUE", or "NAME=" for any value. */
bool lk_program_has_variable(const char *base, const char *variable);
/** The value of an option in any of its forms: "--long V", "--long=V", "-s V", "-sV". NULL when it
 * is not given. */
const char *lk_program_option(const struct lk_procfs_args *args, const char *longer,
                              const char *shorter);

#endif
