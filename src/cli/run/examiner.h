/*
 * The examiner of `loopknot run`: a process of its own, so that an examination that hangs or
 * crashes costs the run nothing. It stands between loopknot and the guardian in the line of
 * parents, since where Yama's ptrace_scope is 1 only an ancestor may read a process
 * (Documentation/admin-guide/LSM/Yama.rst).
 */
#ifndef LK_CLI_RUN_EXAMINER_H
#define LK_CLI_RUN_EXAMINER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "cli/options.h"

enum examiner_word {
    EXAMINER_EXAMINE = 1, /* the tree below root; answered when done */
    /* what was examined last, to stderr, unless the same findings were printed before */
    EXAMINER_PRINT,
    EXAMINER_WRITE, /* all outputs, then core files if wanted */
    EXAMINER_DRAIN, /* forget the signals that wait for it; not answered */
};

/** Why the command is ended. */
enum examiner_reason {
    EXAMINER_HELD = 0, /* its own end is held up */
    EXAMINER_STILL,    /* it stood still */
    EXAMINER_LATE,     /* it ran too long */
};

struct examiner_request {
    int32_t word;
    pid_t root;
    int64_t elapsed_ms; /* how long the command has run */
    /* print and write: enum examiner_reason, for how long; print: the next look comes in so many
     * milliseconds */
    int32_t reason;
    int64_t reason_ms, next_ms;
};

struct examiner_answer {
    int32_t word;
    int32_t examined; /* how many processes */
    int32_t verdict;  /* enum loopknot_verdict */
    int32_t ok;       /* what was to be written was written */
    /* loopknot_command_end */
    int32_t held, runs;
    int64_t left_ms, still_ms;
    char fingerprint[17];
};

/** What an examiner needs to know; all borrowed for its life. */
struct examiner_job {
    const struct common *common;
    const char *command; /* as reports name it */
    const char *core;    /* folder of core files, or NULL */
    const char *capture; /* file of the last examination, or NULL */
    const int *keep;     /* inherited descriptors that outputs name */
    unsigned n_keep;
};

struct examiner {
    pid_t pid;
    int fd; /* -1: none */
};

/** Starts one; first(arg) is called in it before anything else. False with errno. */
bool examiner_start(struct examiner *e, const struct examiner_job *job, void (*first)(void *),
                    void *arg);
/** False when it is gone. */
bool examiner_ask(struct examiner *e, const struct examiner_request *q);
/** 1 an answer, 0 it is gone, -1 nothing there. */
int examiner_answered(struct examiner *e, struct examiner_answer *ret);
/** Asks an examination to end with what it has. */
void examiner_interrupt(struct examiner *e);
/** Ends it, at once or after it has waited for its children, so that their times are counted as
 * ours. */
void examiner_stop(struct examiner *e, bool wait_for_children);

/** The longest an examination of a tree may take, in milliseconds, and each member of it. */
unsigned examiner_deadline(const struct common *c);

#endif
