/*
 * libloopknot: says what is wrong with a hung, threaded (Python) server, from outside.
 *
 *     struct loopknot_diagnosis *d = loopknot_create();
 *     char why[400];
 *     if (d && loopknot_examine(d, pid, NULL, why, sizeof why) == LOOPKNOT_OK)
 *         loopknot_write(d, "text", NULL, stdout);
 *     loopknot_destroy(d);
 *
 * Link with -lloopknot (pkg-config loopknot).
 *
 * The host. The library ends no process, prints nothing, installs no signal handler and keeps no
 * state between calls. It never makes its caller a tracer: running threads are stopped by a
 * short-lived child process, which is waited for by its pid; a host that reaps every child, or
 * ignores SIGCHLD, disturbs nothing. Descriptors are close-on-exec. A call may change the CPU
 * affinity and the file-system ids of the thread that makes it, and restores both before it
 * returns.
 *
 * Threads. All functions may be called from any thread at any time, but a diagnosis is used by one
 * thread at a time, and is not destroyed while another uses it. Patterns may be shared: nothing
 * changes them. No function may be called from a signal handler.
 *
 * Memory. What a create or load function returns belongs to the caller, who ends it with the
 * function named beside it. Every other pointer that is returned, also inside a struct, belongs to
 * the library: it lives as long as the diagnosis it was asked of, and for ever where none is asked.
 * What is passed in is borrowed for the call, unless it says more. Memory that runs out is a status
 * of the call (LOOPKNOT_NO_MEMORY, or what stands there): all that the call allocated is freed
 * again, and the examined process runs on.
 *
 * Text is valid UTF-8 without control characters, whatever the examined process holds. Times are in
 * milliseconds. Indexes begin with 0.
 *
 * Growth. Structs of options and findings begin with their size; members are only ever added at the
 * end. Enums may get more values: a program handles those that it does not know.
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

/** Of this header; loopknot_version() is the library's. */
#define LOOPKNOT_VERSION "0.1.0"

/** Verdicts in rising order; the verdict of a set is the worst of its members. */
enum loopknot_verdict {
    LOOPKNOT_HEALTHY = 0, /* looked at, and nothing was found */
    LOOPKNOT_HAZARD,      /* nothing is stuck; something may get stuck, or slows others down */
    LOOPKNOT_UNKNOWN,     /* too little could be read to say healthy */
    LOOPKNOT_STALLED,     /* no progress, and somebody waits for it; not proven endless */
    LOOPKNOT_DEADLOCK     /* nobody is left who could end the wait */
};

/** Which threads are stopped while they are read. */
enum loopknot_stop {
    LOOPKNOT_STOP_AUTO = 0, /* those that compute */
    LOOPKNOT_STOP_ALL,      /* all threads, also those that sleep */
    LOOPKNOT_STOP_NONE      /* nobody; what is said of running threads is then not proven */
};

/** Who reads native stacks. */
enum loopknot_unwinder {
    LOOPKNOT_UNWINDER_AUTO = 0, /* our own, and libunwind where that ends early */
    LOOPKNOT_UNWINDER_OWN,
    LOOPKNOT_UNWINDER_LIBUNWIND /* alone, where it is installed */
};

/** What the functions that can fail return. */
enum loopknot_status {
    LOOPKNOT_WRITE_ERROR = -1, /* errno says why */
    LOOPKNOT_OK = 0,
    LOOPKNOT_USAGE = 2,     /* an argument that this library cannot make sense of */
    LOOPKNOT_NO_REPORT = 3, /* no such process, not permitted, not readable at all */
    LOOPKNOT_NO_MEMORY = 4  /* memory ran out: all that the call had allocated is freed again */
};

/* ---- patterns ---------------------------------------------------------------------------- */

/** What a user's file adds to what the rules know code by: blocking calls, framework packages and
 * other names. */
struct loopknot_patterns;

/**
 * Reads a file of patterns (its format stands in loopknot-rules(5)), which must be a regular one.
 * @param message NULL, or size bytes that get one line with file and line number where it fails.
 * @return to be ended by loopknot_patterns_free(); NULL where the file cannot be used, with errno
 * ENOMEM where memory ran out, else EINVAL.
 */
struct loopknot_patterns *loopknot_patterns_load(const char *file, char *message, size_t size);

/** p may be NULL. To be called after every diagnosis that was made with p is destroyed. */
void loopknot_patterns_free(struct loopknot_patterns *p);

/* ---- captures ----------------------------------------------------------------------------- */

/** What was read of processes while they were examined, so that it can be examined again elsewhere:
 * loopknot_analyze(). */
struct loopknot_capture;

/** An empty one, for loopknot_options.capture; to be ended by loopknot_capture_destroy(). @return
 * NULL where memory runs out. */
struct loopknot_capture *loopknot_capture_create(void);
/** c may be NULL. */
void loopknot_capture_destroy(struct loopknot_capture *c);
/**
 * Writes it to a new file of mode 0600, which takes the place of an old one when it is whole; to a
 * device or FIFO as it is.
 * @param message NULL, or size bytes that get one line which says what went wrong.
 * @return LOOPKNOT_OK, LOOPKNOT_WRITE_ERROR, or LOOPKNOT_NO_MEMORY.
 */
int loopknot_capture_write(struct loopknot_capture *c, const char *file, char *message,
                           size_t size);

/* ---- options of an examination ------------------------------------------------------------- */

/**
 * Fill it with loopknot_options_default(), whose values stand in parentheses, then change what
 * shall differ.
 *
 * size says how much of it the program knows, as in perf_event_open(2). A library that knows more
 * takes its defaults for the rest. One that knows less (the program was built with a newer header)
 * takes the struct when what it does not know is zero, and refuses it (LOOPKNOT_USAGE) otherwise:
 * zero always stands for what was before there was such a member.
 */
struct loopknot_options {
    size_t size;               /* set by loopknot_options_default() */
    unsigned samples;          /* how many samples; 0 counts as 1 (3) */
    unsigned interval_ms;      /* from sample to sample (100) */
    unsigned stalled_after_ms; /* no progress for so long is "stalled"; a suspicion is watched for
                                  so long (2000) */
    unsigned max_pause_ms;     /* no thread is held stopped for longer in one sample; at most 60000
                                  (250) */
    enum loopknot_stop stop;   /* (LOOPKNOT_STOP_AUTO) */
    bool native;               /* native stacks too (true) */
    /* together are whole trees, listed just now: a child that was started since then is not missed
     * (false) */
    bool tree;
    /* only code below these absolute paths, separated by ':', counts as the user's; or NULL: told
     * by where a file lies (NULL) */
    const char *project;
    /* all processes that will be examined into the same diagnosis, or NULL: a supervisor among
     * them is judged with its children, not called unknown for their sake (NULL, 0) */
    const pid_t *together;
    size_t n_together;
    /* becomes nonzero (in another thread, or a signal handler) when the examination shall end with
     * what it has; or NULL (NULL) */
    const volatile int *interrupted;
    /* the user's, beside the built-in ones; or NULL. Borrowed for the diagnosis' life (NULL) */
    const struct loopknot_patterns *patterns;
    enum loopknot_unwinder unwinder; /* (LOOPKNOT_UNWINDER_AUTO) */
    /* 1: values of variables too, secrets hidden, in frames of what the findings name; 2: in those
     * of main threads as well, of which loopknot_stood_still() may tell (0) */
    unsigned locals;
    /* what is read of the processes is recorded there too; or NULL. Of one call of
     * loopknot_examine_all() only: anything else is LOOPKNOT_USAGE (NULL) */
    struct loopknot_capture *capture;
};

/**
 * Fills the first size bytes of *o with defaults and sets o->size. Called through
 * loopknot_options_default(), which knows the size of the program's header. Does nothing when size
 * is too small for the member size. Never fails.
 */
void loopknot_options_init(struct loopknot_options *o, size_t size);

static inline struct loopknot_options loopknot_options_default(void)
{
    struct loopknot_options o;
    loopknot_options_init(&o, sizeof o);
    return o;
}

/* ---- examining --------------------------------------------------------------------------- */

/** One or more examined processes: a report each. */
struct loopknot_diagnosis;

/** An empty one, to be ended by loopknot_destroy(). @return NULL where memory runs out. */
struct loopknot_diagnosis *loopknot_create(void);

/** Also ends what was asked of it: findings and their strings. d may be NULL. */
void loopknot_destroy(struct loopknot_diagnosis *d);

/**
 * Examines a live process and adds its report to d. Takes about samples * interval_ms, and up to
 * stalled_after_ms where something looks stuck; no longer only where the kernel answers, see
 * deadline_ms of loopknot_examine_all().
 * @param o NULL stands for the defaults.
 * @param message NULL, or size bytes that get one line which says why there is no report, and how
 * to mend it.
 * @return LOOPKNOT_OK; or LOOPKNOT_NO_REPORT, LOOPKNOT_USAGE or LOOPKNOT_NO_MEMORY, and d is as it
 * was.
 */
int loopknot_examine(struct loopknot_diagnosis *d, pid_t pid, const struct loopknot_options *o,
                     char *message, size_t size);

/**
 * Lists the process and all its descendants, parents before children; a subreaper's adopted
 * children count as its own.
 * @param pids gets at most max of them.
 * @return how many; 0 with errno ESRCH when there is no such process, ENOMEM where memory runs out.
 * errno is 0 unless processes may be missing: descriptors ran out (EMFILE), say.
 */
size_t loopknot_tree(pid_t root, pid_t *pids, size_t max);

/**
 * What a process is that only starts others and waits for them: "gunicorn master", "sudo", ...
 * (an interactive shell is none). Its own report says little; loopknot_tree() lists what hangs.
 * @return a static string; NULL when it is none that is known, or has no children at the moment;
 * then errno is ENOMEM where memory runs out, else 0.
 */
const char *loopknot_supervisor(pid_t pid);

/**
 * Examines n processes at the same time, each in a thread of the library, and adds their reports to
 * d in the order of pids; waits that cross from one of them to another are followed. o->together is
 * taken to be pids.
 *
 * A process that cannot be examined does not keep the others. It is told of by complain (may be
 * NULL), which is called from the calling thread, after all examinations; message is one line,
 * borrowed for that call. One that is gone meanwhile is no error: it is told with gone set. What
 * concerns none of them in particular is told with pid 0.
 * @param deadline_ms for each examination: then it ends with what it has. One that does not answer
 * even then (a process stuck in the kernel) is given up: its thread is left to itself, and ends and
 * frees what it has when it can, so the library must stay loaded. 0: none.
 * @param o NULL stands for the defaults. What it points to need not outlive the call, but patterns.
 * @return LOOPKNOT_OK when at least one was examined (loopknot_count() says how many); and d is as
 * it was with LOOPKNOT_NO_REPORT when none was, LOOPKNOT_NO_MEMORY when none was for want of
 * memory, or LOOPKNOT_USAGE.
 */
int loopknot_examine_all(struct loopknot_diagnosis *d, const pid_t *pids, size_t n,
                         const struct loopknot_options *o, unsigned deadline_ms,
                         void (*complain)(pid_t pid, bool gone, const char *message, void *arg),
                         void *arg);

/**
 * Reads what loopknot_write() wrote as "json", of one report or a set, and adds the reports to d:
 * they can be asked and written as if the process had just been examined, on any machine. What a
 * report has folded away stays folded.
 * @param file "-" is standard input. At most 64 MiB.
 * @param message NULL, or size bytes that get one line which says why it cannot be used.
 * @return LOOPKNOT_OK; or LOOPKNOT_NO_REPORT or LOOPKNOT_NO_MEMORY, and d is as it was.
 */
int loopknot_load(struct loopknot_diagnosis *d, const char *file, char *message, size_t size);

/**
 * Examines what was captured, and nothing else: neither processes nor files of this machine. The
 * reports are those that the examination gave, or what this library makes of it.
 * @param file of loopknot_capture_write(); what does not begin like one is loopknot_load()'s.
 * @param o patterns, project (where it is not NULL) and interrupted are taken of it, all else of
 * the capture; NULL stands for the defaults.
 * @param complain as of loopknot_examine_all(); what is wrong with the file is told with pid 0.
 * @return as loopknot_examine_all().
 */
int loopknot_analyze(struct loopknot_diagnosis *d, const char *file,
                     const struct loopknot_options *o,
                     void (*complain)(pid_t pid, bool gone, const char *message, void *arg),
                     void *arg);

/**
 * Hides, besides what always is (docs/privacy.md), whatever matches in names, arguments, paths,
 * addresses, source lines, values of variables and sentences: of the reports that are in d, of
 * those that come into it, and of the command and test in struct loopknot_render. At most 32
 * expressions.
 * @param regex extended, as of regex(7), of at most 1000 bytes.
 * @param message NULL, or size bytes that get one line which says what is wrong with it.
 * @return LOOPKNOT_OK, LOOPKNOT_USAGE, or LOOPKNOT_NO_MEMORY, and nothing was hidden.
 */
int loopknot_redact(struct loopknot_diagnosis *d, const char *regex, char *message, size_t size);

/** A core dump, and where the files are that it leaves out. Fill it with loopknot_core_default();
 * size is what it is in struct loopknot_options. */
struct loopknot_core {
    size_t size;
    const char *file; /* may be compressed by zstd, lz4, gzip or xz */
    const char *exe;  /* the program's file; NULL: it is looked for as the libraries are */
    /* folder that has the files of the machine where it was written; NULL: they are looked for at
     * their own paths alone. Whatever is found counts only if its build id is that of the core. */
    const char *sysroot;
    int debuginfod; /* nonzero: debuginfod-find is run for files that are found nowhere else */
    int unused;     /* zero */
};

/** As loopknot_options_init(). Never fails. */
void loopknot_core_init(struct loopknot_core *core, size_t size);

static inline struct loopknot_core loopknot_core_default(void)
{
    struct loopknot_core core;
    loopknot_core_init(&core, sizeof core);
    return core;
}

/**
 * Examines a process by its core dump, and adds the report to d. A core is one moment: what needs
 * time to be known, such as that nothing moves, is not said of it.
 * @param o patterns, project, native and unwinder are taken of it; NULL stands for the defaults.
 * @param message NULL, or size bytes that get one line on failure.
 * @return as loopknot_examine().
 */
int loopknot_examine_core(struct loopknot_diagnosis *d, const struct loopknot_core *core,
                          const struct loopknot_options *o, char *message, size_t size);

/* ---- what was found. None of these allocates or fails. --------------------------------------- */

/** How many reports there are. */
size_t loopknot_count(const struct loopknot_diagnosis *d);

/** The worst of all reports; LOOPKNOT_UNKNOWN when there is none. */
enum loopknot_verdict loopknot_verdict(const struct loopknot_diagnosis *d);

/** Of one report; LOOPKNOT_UNKNOWN for an index past the end. */
enum loopknot_verdict loopknot_verdict_of(const struct loopknot_diagnosis *d, size_t index);

/** The process that a report is of; -1 for an index past the end. */
pid_t loopknot_pid_of(const struct loopknot_diagnosis *d, size_t index);

/** What holds up the end of a command whose whole tree was examined. */
struct loopknot_command_end {
    size_t size; /* sizeof(struct loopknot_command_end), set before the call */
    /* its main thread never goes on: a proven deadlock, and no finite timer, on the way to it
     * through joins, children and pipes */
    bool held;
    /* a timer that will pass and may change that; not held: on the way, held: of code that may end
     * a process; -1 not known, or none */
    long long left_ms;
    /* the main threads where it stands have not moved for so long; 0 they move, or it is not known
     */
    long long still_ms;
    /* a thread of some process runs, or wants to: what writes nothing and uses little may want
     * nothing but a processor */
    bool runs;
    /* held: of what holds it up, else of the worst of all findings; "" none */
    char fingerprint[17];
};

/** @param root the command, or the process that started it. False when it was not examined. */
bool loopknot_command_end(const struct loopknot_diagnosis *d, pid_t root,
                          struct loopknot_command_end *ret);

/**
 * The command is ended for standing still for ms milliseconds, or, too_long, for having run so
 * long: where it stood becomes a finding (LK409), unless one as bad explains it.
 * @return LOOPKNOT_OK, or LOOPKNOT_NO_MEMORY, and d is as it was.
 */
int loopknot_stood_still(struct loopknot_diagnosis *d, pid_t root, bool too_long, long long ms);

/** "healthy", "hazard", "unknown", "stalled", "deadlock"; never NULL. */
const char *loopknot_verdict_name(enum loopknot_verdict v);

/**
 * One finding. Set size to sizeof(struct loopknot_finding) before the call: a program built with an
 * older header gets the members that it knows, one built with a newer header gets zero for those
 * that the library does not know.
 */
struct loopknot_finding {
    size_t size;
    const char *rule, *name;        /* "LK101", "loop-waits-on-itself" */
    enum loopknot_verdict severity; /* LOOPKNOT_HAZARD, _STALLED or _DEADLOCK */
    const char *confidence;         /* "possible", "probable", "proven" */
    const char *summary;            /* one sentence; NULL when there is none */
    const char *fingerprint;     /* 16 hexadecimal digits, the same for the same hang elsewhere */
    const char *function, *file; /* of the first culprit; NULL when not known */
    int line;                    /* from 1; 0 when not known */
    /* for how long, and how many wait for its end; -1 when not known */
    long long stuck_ms, held_requests, held_tasks;
};

/** How many findings a report has; 0 for an index past the end. */
size_t loopknot_finding_count(const struct loopknot_diagnosis *d, size_t index);

/**
 * Fills *ret with a finding of the index-th report; the worst is number 0.
 * @return false, and *ret untouched, when there is no such finding or ret->size is not set.
 */
bool loopknot_finding(const struct loopknot_diagnosis *d, size_t index, size_t finding,
                      struct loopknot_finding *ret);

/* ---- writing ------------------------------------------------------------------------------- */

/** How to render. Fill it with loopknot_render_default(), which sets all but size to zero; size is
 * what it is in struct loopknot_options. */
struct loopknot_render {
    size_t size; /* set by loopknot_render_default() */
    int width;   /* terminal columns; 0: never wrap */
    int verbose; /* nonzero: say more (text, markdown) */
    bool color;  /* by escape sequences (text) */
    bool all;    /* no folding of what is alike */
    bool native; /* native frames too */
    bool set;    /* write a report set even when there is one report */
    /* it is ended for having hung or run too long: CI formats show it as failed, whatever the
     * verdict */
    bool ended;
    /* what was run, as a user would name it; or NULL. It names the test case of junit */
    const char *command;
    /* the test that ran in it, if the caller knows; or NULL: told from the Python frames and
     * environment */
    const char *test;
    long long elapsed_ms; /* how long it had run; 0 not known */
    /* absolute path of the checkout, for paths relative to it (sarif, gitlab); or NULL: the working
     * directory of the first process */
    const char *checkout;
};

/** As loopknot_options_init(). Never fails. */
void loopknot_render_init(struct loopknot_render *how, size_t size);

static inline struct loopknot_render loopknot_render_default(void)
{
    struct loopknot_render how;
    loopknot_render_init(&how, sizeof how);
    return how;
}

/**
 * Writes all reports and flushes out, which stays open.
 * @param format a name of loopknot_format().
 * @param how NULL stands for loopknot_render_default().
 * @return LOOPKNOT_OK; LOOPKNOT_USAGE for an unknown format or a refused how, and nothing was
 * written; LOOPKNOT_WRITE_ERROR with errno, or LOOPKNOT_NO_MEMORY (errno ENOMEM), and a part may
 * have been written.
 */
int loopknot_write(const struct loopknot_diagnosis *d, const char *format,
                   const struct loopknot_render *how, FILE *out);

/**
 * Writes the worst verdict and its place as one line of text, and flushes out. color and width of
 * how are used.
 * @return as loopknot_write().
 */
int loopknot_write_verdict(const struct loopknot_diagnosis *d, const struct loopknot_render *how,
                           FILE *out);

/**
 * Compares two diagnoses, the earlier one first, and writes which findings are new, gone or still
 * there, and what threads of processes that are in both did meanwhile.
 * @param format "text" or "json" (loopknot.comparison/1).
 * @param same becomes true when verdict and findings are the same. NULL: not wanted.
 * @return as loopknot_write().
 */
int loopknot_compare(const struct loopknot_diagnosis *before,
                     const struct loopknot_diagnosis *after, const char *format,
                     const struct loopknot_render *how, FILE *out, bool *same);

/** The index-th format: its name, and in *help (NULL: not wanted) what it is for. NULL past the
 * end. Never fails. */
const char *loopknot_format(size_t index, const char **help);

/* ---- the rules ------------------------------------------------------------------------------- */

/**
 * The index-th rule: its id, and by pointer (each may be NULL) its name, the worst verdict it can
 * bring about, meaning, remedy, and a NULL-terminated list of documents. NULL past the end. Never
 * fails.
 */
const char *loopknot_rule(size_t index, const char **name, const char **ceiling, const char **means,
                          const char **remedy, const char *const **docs);

/**
 * The id of the rule that word names: an id ("LK101", "lk101", "101") or a name, in any case. NULL
 * when it names none; *nearest and *nearest_name (each pointer may be NULL) are then those of the
 * rule that is spelt most like it. Never fails otherwise.
 */
const char *loopknot_rule_find(const char *word, const char **nearest, const char **nearest_name);

/** Writes a table of all rules, as "text" or "json". @return as loopknot_write(). */
int loopknot_write_rules(const char *format, const struct loopknot_render *how, FILE *out);

/**
 * Explains n rules, each named as for loopknot_rule_find(), as "text", "json" or "markdown": how it
 * comes about, how it is known, what would refute it, remedy, code before and after, documentation.
 * @return as loopknot_write(); LOOPKNOT_USAGE also for an unknown rule.
 */
int loopknot_write_explanations(const char *const *words, size_t n, const char *format,
                                const struct loopknot_render *how, FILE *out);

/** Of the library, "1.2.3"; LOOPKNOT_VERSION is the header's. Never fails. */
const char *loopknot_version(void);

#ifdef __cplusplus
}
#endif
#endif
