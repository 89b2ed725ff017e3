/*
 * libloopknot: says what is wrong with a hung, threaded (Python) server, from outside.
 *
 * Link with -lloopknot. All functions may be called from any thread, but one lk_diagnosis object
 * only from one thread at a time. The library never makes its caller a tracer: stopping is done by
 * a short-lived child process (which the library waits for by its pid). It installs no signal
 * handlers and prints nothing.
 */
#ifndef LOOPKNOT_H
#define LOOPKNOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

#define LOOPKNOT_VERSION "0.1.0"

/** Verdicts in rising order; the verdict of a set is the worst of its members. */
enum loopknot_verdict {
    LOOPKNOT_HEALTHY = 0,
    LOOPKNOT_HAZARD,
    LOOPKNOT_UNKNOWN,
    LOOPKNOT_STALLED,
    LOOPKNOT_DEADLOCK
};

/** How running threads may be stopped while they are read. */
enum loopknot_stop { LOOPKNOT_STOP_AUTO = 0, LOOPKNOT_STOP_ALL, LOOPKNOT_STOP_NONE };

/** Options of an examination; start from loopknot_options_default(). Strings are borrowed for the
 * call. */
struct loopknot_options {
    unsigned samples;          /* how many samples, at least 1 */
    unsigned interval_ms;      /* between samples */
    unsigned stalled_after_ms; /* no progress for so long is "stalled" */
    unsigned max_pause_ms;     /* no thread is held stopped for longer in one sample */
    enum loopknot_stop stop;
    bool native;         /* native stacks too */
    const char *project; /* folder of user code, or NULL */
    /* all processes that will be examined into the same diagnosis, or NULL: a supervisor among */
    const pid_t *together;
    /* them is judged with its children, not called unknown for their sake */
    size_t n_together;
    /* those are whole trees, listed just now: a child that was started since then is not missed */
    bool tree;
    /* set it nonzero (e.g. in a signal handler) to end early; or NULL */
    const volatile int *interrupted;
    /* the user's, added to the built-in ones; or NULL. Borrowed for the diagnosis' life */
    const struct loopknot_patterns *patterns;
    int verbose;
};

/**
 * Reads a file of patterns (the format stands in loopknot-rules(5)): blocking calls, framework
 * packages and other names that the rules know code by. NULL when it cannot be used; message (size
 * bytes) then holds one line with file and line number.
 */
struct loopknot_patterns *loopknot_patterns_load(const char *file, char *message, size_t size);
void loopknot_patterns_free(struct loopknot_patterns *p); /* p may be NULL */

struct loopknot_options loopknot_options_default(void);

/** One or more examined processes. */
struct loopknot_diagnosis;

/** Creates an empty diagnosis; never NULL (memory exhaustion ends the process). */
struct loopknot_diagnosis *loopknot_create(void);
void loopknot_destroy(struct loopknot_diagnosis *d);

/**
 * Examines a live process and adds its report to d. Takes samples * interval_ms and up to
 * stalled_after_ms more.
 * @return 0, or 3 when there is no report at all (no such process, not permitted, not readable at
 * all); message (size bytes, may be NULL) then holds one line that says why and how to mend it.
 */
int loopknot_examine(struct loopknot_diagnosis *d, pid_t pid, const struct loopknot_options *o,
                     char *message, size_t size);

/**
 * The process and all its descendants, parents before children, at most max; a subreaper's adopted
 * children count as its own.
 * @return how many, 0 when there is no such process.
 */
size_t loopknot_tree(pid_t root, pid_t *pids, size_t max);

/**
 * Examines many processes at the same time, each within deadline_ms (0: none), and adds their
 * reports to d in the order of pids; waits that cross from one of them to another are followed. A
 * process that cannot be examined is told of by complain (may be NULL; called from the calling
 * thread only) and does not keep the others. One that is gone meanwhile is no error: it is told
 * with gone set.
 * @return how many were examined.
 */
size_t loopknot_examine_all(struct loopknot_diagnosis *d, const pid_t *pids, size_t n,
                            const struct loopknot_options *o, unsigned deadline_ms,
                            void (*complain)(pid_t pid, bool gone, const char *message, void *arg),
                            void *arg);

/** Number of reports, worst verdict (unknown when there is no report), and for one report (index <
 * count) its verdict and pid. */
size_t loopknot_count(const struct loopknot_diagnosis *d);
enum loopknot_verdict loopknot_verdict(const struct loopknot_diagnosis *d);
enum loopknot_verdict loopknot_verdict_of(const struct loopknot_diagnosis *d, size_t index);
const char *loopknot_verdict_name(enum loopknot_verdict v);

/**
 * One finding. Set size to sizeof(struct loopknot_finding) before the call: a program built with an
 * older header gets the fields that it knows. Strings belong to the diagnosis and live until it is
 * destroyed. -1 stands for a number that is not known.
 */
struct loopknot_finding {
    size_t size;
    const char *rule, *name;        /* "LK101", "loop-waits-on-itself" */
    enum loopknot_verdict severity; /* hazard, stalled or deadlock */
    const char *confidence;         /* "possible", "probable", "proven" */
    const char *summary;            /* one sentence; NULL when there is none */
    const char *fingerprint;     /* 16 hexadecimal digits, the same for the same hang elsewhere */
    const char *function, *file; /* of the first culprit; NULL when not known */
    int line;                    /* 0 when not known */
    long long stuck_ms, held_requests, held_tasks;
};

/** Findings of one report, worst first; 0 for an index past the end. */
size_t loopknot_finding_count(const struct loopknot_diagnosis *d, size_t index);

/** Fills ret with the finding-th finding of the index-th report; false, and ret untouched, when
 * there is none. Neither allocates nor fails otherwise. */
bool loopknot_finding(const struct loopknot_diagnosis *d, size_t index, size_t finding,
                      struct loopknot_finding *ret);

/** How to render. */
struct loopknot_render {
    bool color;
    int width; /* terminal columns, 0 = never wrap */
    bool all;  /* no folding */
    bool native;
    bool set; /* write a report set even when there is one report */
    int verbose;
    /* what was run (loopknot run), as a user would name it; or NULL. It names the test case of
     * junit */
    const char *command;
    /* the test that ran in it, if the caller knows; or NULL: told from the Python frames and
     * environment */
    const char *test;
    long long elapsed_ms; /* how long it had run; 0 not known */
    /* it is ended for having hung or run too long: CI formats show it as failed, whatever the
     * verdict */
    bool ended;
};

/** Writes all reports in a format ("text", "json", "markdown"). @return 0, 2 for an unknown format,
 * -1 with errno for a write error. */
int loopknot_write(const struct loopknot_diagnosis *d, const char *format,
                   const struct loopknot_render *how, FILE *out);

/** The index-th format name and its description; NULL past the end. */
const char *loopknot_format(size_t index, const char **help);

/** The index-th rule: id, and by pointer (each may be NULL) name, ceiling, meaning, remedy,
 * documents (NULL-terminated). NULL past the end. */
const char *loopknot_rule(size_t index, const char **name, const char **ceiling, const char **means,
                          const char **remedy, const char *const **docs);

/**
 * The id of the rule that word names: an id ("LK101", "lk101", "101") or a name, in any case. NULL
 * when it names none; nearest and its name (each may be NULL) are then the closest rule.
 */
const char *loopknot_rule_find(const char *word, const char **nearest, const char **nearest_name);

/** Writes a table of all rules ("text", "json"). @return 0, 2 for an unknown format, -1 with errno
 * for a write error. */
int loopknot_write_rules(const char *format, const struct loopknot_render *how, FILE *out);

/**
 * Explains n rules, named as for loopknot_rule_find, in a format ("text", "json", "markdown"): how
 * each comes about, how it is known, what would refute it, remedy, code before and after,
 * documentation.
 * @return 0, 2 for an unknown format or rule, -1 with errno for a write error.
 */
int loopknot_write_explanations(const char *const *words, size_t n, const char *format,
                                const struct loopknot_render *how, FILE *out);

const char *loopknot_version(void);

#ifdef __cplusplus
}
#endif
#endif
