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

/** What the functions that can fail return. */
enum loopknot_status {
    LOOPKNOT_WRITE_ERROR = -1, /* errno says why */
    LOOPKNOT_OK = 0,
    LOOPKNOT_USAGE = 2,     /* an argument that this library cannot make sense of */
    LOOPKNOT_NO_REPORT = 3, /* no such process, not permitted, not readable at all */
    LOOPKNOT_NO_MEMORY = 4, /* memory ran out: all that the call had allocated is freed again */
};

struct loopknot_patterns;

/**
 * Options of an examination. Fill it with loopknot_options_default(), then change what shall
 * differ.
 *
 * size says how much of it the program knows, as in perf_event_open(2). A library that knows more
 * takes its defaults for the rest. One that knows less (the program was built with a newer header)
 * takes the struct when what it does not know is zero, and refuses it (LOOPKNOT_USAGE) otherwise:
 * zero always stands for what was before there was such a member. Strings and arrays are borrowed
 * for the call.
 */
struct loopknot_options {
    size_t size;               /* set by loopknot_options_default() */
    unsigned samples;          /* how many samples, at least 1 (3) */
    unsigned interval_ms;      /* between samples (100) */
    unsigned stalled_after_ms; /* no progress for so long is "stalled" (2000) */
    unsigned max_pause_ms;     /* no thread is held stopped for longer in one sample (250) */
    enum loopknot_stop stop;   /* (LOOPKNOT_STOP_AUTO) */
    int verbose;               /* reserved: has no effect on an examination (0) */
    bool native;               /* native stacks too (true) */
    /* together are whole trees, listed just now: a child that was started since then is not missed
     * (false) */
    bool tree;
    const char *project; /* folder of user code, or NULL (NULL) */
    /* all processes that will be examined into the same diagnosis, or NULL: a supervisor among
     * them is judged with its children, not called unknown for their sake (NULL, 0) */
    const pid_t *together;
    size_t n_together;
    /* set it nonzero (e.g. in a signal handler) to end early; or NULL (NULL) */
    const volatile int *interrupted;
    /* the user's, added to the built-in ones; or NULL. Borrowed for the diagnosis' life (NULL) */
    const struct loopknot_patterns *patterns;
};

/** Fills the first size bytes of *o with defaults; what is called through
 * loopknot_options_default(). Never fails. */
void loopknot_options_init(struct loopknot_options *o, size_t size);

/** The defaults, which stand in parentheses above. */
static inline struct loopknot_options loopknot_options_default(void)
{
    struct loopknot_options o;
    loopknot_options_init(&o, sizeof o);
    return o;
}

/**
 * Reads a file of patterns (the format stands in loopknot-rules(5)): blocking calls, framework
 * packages and other names that the rules know code by. NULL when it cannot be used; message (size
 * bytes, may be NULL) then holds one line with file and line number, and errno is ENOMEM where
 * memory ran out, else EINVAL.
 */
struct loopknot_patterns *loopknot_patterns_load(const char *file, char *message, size_t size);
void loopknot_patterns_free(struct loopknot_patterns *p); /* p may be NULL */

/** One or more examined processes. */
struct loopknot_diagnosis;

/** Creates an empty diagnosis; NULL where memory runs out. */
struct loopknot_diagnosis *loopknot_create(void);
void loopknot_destroy(struct loopknot_diagnosis *d);

/**
 * Examines a live process and adds its report to d. Takes samples * interval_ms and up to
 * stalled_after_ms more.
 * @param o NULL stands for the defaults.
 * @return LOOPKNOT_OK; or LOOPKNOT_NO_REPORT, LOOPKNOT_USAGE or LOOPKNOT_NO_MEMORY, when d is as
 * before and message (size bytes, may be NULL) holds one line that says why and how to mend it.
 */
int loopknot_examine(struct loopknot_diagnosis *d, pid_t pid, const struct loopknot_options *o,
                     char *message, size_t size);

/**
 * The process and all its descendants, parents before children, at most max; a subreaper's adopted
 * children count as its own.
 * @return how many; 0 with errno ESRCH when there is no such process, ENOMEM where memory runs out.
 */
size_t loopknot_tree(pid_t root, pid_t *pids, size_t max);

/**
 * Examines many processes at the same time, each within deadline_ms (0: none), and adds their
 * reports to d in the order of pids; waits that cross from one of them to another are followed.
 * o->together is set for it. A process that cannot be examined is told of by complain (may be NULL;
 * called from the calling thread only) and does not keep the others. One that is gone meanwhile is
 * no error: it is told with gone set. What concerns none of them in particular is told with pid 0.
 * @param o NULL stands for the defaults.
 * @return LOOPKNOT_OK when at least one was examined, LOOPKNOT_NO_REPORT when none was,
 * LOOPKNOT_USAGE, or LOOPKNOT_NO_MEMORY when none was for want of memory; d is then as before.
 */
int loopknot_examine_all(struct loopknot_diagnosis *d, const pid_t *pids, size_t n,
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

/** How to render. Fill it with loopknot_render_default(); size is what it is in struct
 * loopknot_options. Strings are borrowed for the call. */
struct loopknot_render {
    size_t size; /* set by loopknot_render_default() */
    int width;   /* terminal columns, 0 = never wrap */
    int verbose;
    bool color;
    bool all;    /* no folding */
    bool native; /* native frames too */
    bool set;    /* write a report set even when there is one report */
    /* it is ended for having hung or run too long: CI formats show it as failed, whatever the
     * verdict */
    bool ended;
    /* what was run (loopknot run), as a user would name it; or NULL. It names the test case of
     * junit */
    const char *command;
    /* the test that ran in it, if the caller knows; or NULL: told from the Python frames and
     * environment */
    const char *test;
    long long elapsed_ms; /* how long it had run; 0 not known */
};

/** Zeroes the first size bytes of *how and sets its size. Never fails. */
void loopknot_render_init(struct loopknot_render *how, size_t size);

/** All zero, but for the size. */
static inline struct loopknot_render loopknot_render_default(void)
{
    struct loopknot_render how;
    loopknot_render_init(&how, sizeof how);
    return how;
}

/** Writes all reports in a format, one of loopknot_format(). how may be NULL.
 * @return LOOPKNOT_OK, LOOPKNOT_USAGE for an unknown format, LOOPKNOT_WRITE_ERROR with errno,
 * LOOPKNOT_NO_MEMORY; after the latter two a part may have been written. */
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

/** Writes a table of all rules ("text", "json"). how may be NULL. @return as loopknot_write(). */
int loopknot_write_rules(const char *format, const struct loopknot_render *how, FILE *out);

/**
 * Explains n rules, named as for loopknot_rule_find, in a format ("text", "json", "markdown"): how
 * each comes about, how it is known, what would refute it, remedy, code before and after,
 * documentation. how may be NULL.
 * @return as loopknot_write(); LOOPKNOT_USAGE also for an unknown rule.
 */
int loopknot_write_explanations(const char *const *words, size_t n, const char *format,
                                const struct loopknot_render *how, FILE *out);

const char *loopknot_version(void);

#ifdef __cplusplus
}
#endif
#endif
