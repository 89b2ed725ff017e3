/*
 * `loopknot PID|NAME...` and `loopknot capture`: the processes that are named and, with --tree or
 * where one of them is a supervisor, what descends from them; one report on all of them; the exit
 * status that --fail-on asks for. SIGINT and SIGTERM ask for an end with a report on what was read
 * so far, a second one ends at once.
 */
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/fail_on.h"
#include "cli/find_process.h"
#include "cli/options.h"
#include "loopknot.h"

enum {
    MAX_PIDS = 4096,
    MAX_FOLLOWED = 64, /* processes of a tree that is examined without being asked for */
};

static volatile int caught_signal; /* SIGINT or SIGTERM, once one came */

struct arguments {
    struct common common;
    struct fail_on fail_on;
    bool tree, no_tree, tree_cut; /* the last: not all of it is known */
    bool named_tree;              /* a name meant several, all of one tree */
    pid_t pids[MAX_PIDS];
    size_t n_pids, n_named; /* the first n_named are the user's, the others their descendants */
    const char *capture;    /* file to be written; NULL none */
};

enum option_id { OPT_FAIL_ON = OPT_OWN, OPT_TREE, OPT_NO_TREE, OPT_CAPTURE };

#define PID_ROW                                                                                    \
    {                                                                                              \
        "pid", "PID", "the same as PID without the option (-p); may be given again", 'p'           \
    }
#define TREE_ROWS                                                                                  \
    { "tree", NULL, "the children too (as of a server's master and other supervisors)",            \
      OPT_TREE },                                                                                  \
    {                                                                                              \
        "no-tree", NULL, "no process but those named", OPT_NO_TREE                                 \
    }

static const struct option_row rows[] = {
    PID_ROW,
    FAIL_ON_ROW,
    TREE_ROWS,
    { "capture", "FILE", "write what is read into FILE too: loopknot analyze FILE", OPT_CAPTURE },
};
static const struct option_row capture_rows[] = {
    PID_ROW,
    { "file", "FILE", "the file to be written (-o)", 'o' },
    TREE_ROWS,
};

/* A process named twice is examined once: a report has each id once. */
static bool add_pid(struct arguments *a, pid_t pid)
{
    for (size_t i = 0; i < a->n_pids; i++)
        if (a->pids[i] == pid)
            return true;
    if (a->n_pids == MAX_PIDS)
        return false;
    a->pids[a->n_pids++] = pid;
    return true;
}

static int parse_pid(struct arguments *a, const char *text)
{
    double v;
    if (!parse_number(text, 1, INT_MAX, &v) || strchr(text, '.'))
        return complain(EXIT_USAGE, "'%s' is no process id", text);
    return add_pid(a, (pid_t)v) ? 0 : complain(EXIT_USAGE, "more than %d process ids", MAX_PIDS);
}

/* A number, or a name; what else begins with a digit or a sign and is no name is a mistyped number.
 */
static int parse_operand(struct arguments *a, const char *text)
{
    pid_t pid;
    bool several;
    const bool number = !text[strspn(text, "0123456789")];
    if (number || ((isdigit((unsigned char)*text) || *text == '-') && !find_process_any(text)))
        return parse_pid(a, text);
    const int status = find_process(text, &pid, &several);
    if (status)
        return status;
    a->named_tree |= several;
    return add_pid(a, pid) ? 0 : complain(EXIT_USAGE, "more than %d process ids", MAX_PIDS);
}

static int parse_option(void *arg, int id, char *value)
{
    struct arguments *a = arg;
    if (id == OPT_FAIL_ON)
        return fail_on_parse(&a->fail_on, value);
    if (id == 'p')
        return parse_pid(a, value);
    if (id == OPT_CAPTURE || id == 'o') {
        a->capture = value;
        return *value ? 0 : complain(EXIT_USAGE, "a capture wants a file");
    }
    a->tree = id == OPT_TREE;
    a->no_tree = id == OPT_NO_TREE;
    return 0;
}

static const struct option_set set = {
    .usage = "loopknot [attach] [options] PID|NAME...",
    .epilog = "Exit status: 0 nothing at or above --fail-on; 1 found; 2 usage; 3 no report (stderr "
              "says why); 4 unknown;\n"
              "125 out of memory; 130, 143 interrupted (what there is was printed).",
    .rows = rows,
    .n = sizeof rows / sizeof rows[0],
    .letters = "p:",
    .parse = parse_option,
};

static const struct option_set capture_set = {
    .usage = "loopknot capture [options] PID|NAME... -o FILE",
    .epilog =
        "No report is printed unless --format or --output asks for one.\n"
        "Exit status: 0 FILE was written; 2 usage; 3 it was not (stderr says why); 125 out of "
        "memory.",
    .rows = capture_rows,
    .n = sizeof capture_rows / sizeof capture_rows[0],
    .letters = "o:p:",
    .parse = parse_option,
};

void print_attach_help(void)
{
    puts("Options of attach:");
    options_print(&set);
    printf("\n%s\n", set.epilog);
}

/* 0: go on; else the exit status; -1: help is wanted. */
static int parse(const struct option_set *of, struct arguments *a, int argc, char **argv)
{
    int status = options_parse(of, &a->common, a, argc, argv);
    for (; !status && optind < argc; optind++)
        status = parse_operand(a, argv[optind]);
    a->tree |= a->named_tree && !a->no_tree;
    if (!status && !a->n_pids)
        status = complain(EXIT_USAGE, "which process? usage: %s",
                          of == &set ? "loopknot PID..." : of->usage);
    if (!status && of == &capture_set && !a->capture)
        status = complain(EXIT_USAGE, "into which file? usage: %s", of->usage);
    if (!status)
        status = common_refuse_capture(&a->common, a->capture);
    if (!status && of == &capture_set && !a->common.outputs.n)
        return 0;
    return status ? status : outputs_settle(&a->common.outputs, a->common.render.verbose);
}

/* The first signal asks for an orderly end with a report; whoever insists gets out at once. */
static void on_signal(int number)
{
    static volatile sig_atomic_t times;
    caught_signal = number;
    times = times + 1;
    if (times > 2)
        _exit(128 + number);
}

static void catch_signals(void)
{
    static const int numbers[] = { SIGINT, SIGTERM, SIGHUP };
    /* Restarted calls: a signal while the report is written must not cut it off. */
    struct sigaction sa = { .sa_handler = on_signal, .sa_flags = SA_RESTART };
    sigemptyset(&sa.sa_mask);
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        sigaction(numbers[i], &sa, NULL);
}

/* One process of many that does not answer must not keep the report of all others. */
static unsigned deadline_of(const struct arguments *a)
{
    const struct loopknot_options *o = &a->common.options;
    return 30000 + 2 * (o->samples * o->interval_ms + o->stalled_after_ms);
}

struct refused {
    const struct arguments *a;
    size_t failed;
};

/* A member of a tree that ends while it is looked at is what processes do; one that the user named
 * is an error. */
static void refused(pid_t pid, bool gone, const char *message, void *arg)
{
    struct refused *r = arg;
    for (size_t i = 0; gone && i < r->a->n_named; i++)
        gone = r->a->pids[i] != pid;
    if (gone)
        return;
    r->failed++;
    complain(0, "%s", message);
}

static int write_capture(const struct arguments *a)
{
    char why[512];
    if (!a->capture)
        return 0;
    const int status =
        loopknot_capture_write(a->common.options.capture, a->capture, why, sizeof why);
    if (status == LOOPKNOT_OK)
        return 0;
    return complain(status == LOOPKNOT_NO_MEMORY ? EXIT_NO_MEMORY : EXIT_NO_REPORT, "%s", why);
}

static int report(struct arguments *a, const struct loopknot_diagnosis *d, bool some_failed)
{
    const int kept = write_capture(a);
    if (!a->common.outputs.n)
        return kept;
    a->common.render.set |= a->n_pids > 1;
    a->common.outputs.no_pager |= caught_signal != 0;
    const int status = fail_on_report(&a->fail_on, &a->common, d, some_failed);
    return kept ? kept : status;
}

static int examine_all(struct arguments *a)
{
    struct loopknot_diagnosis *d = redactions_diagnosis(&a->common.redact);
    struct loopknot_options *o = &a->common.options;
    o->capture = a->capture ? loopknot_capture_create() : NULL;
    if (a->capture && !o->capture)
        end_without_memory();
    struct refused r = { .a = a };
    const unsigned deadline = a->n_pids > 1 ? deadline_of(a) : 0;
    int status = loopknot_examine_all(d, a->pids, a->n_pids, o, deadline, refused, &r);
    if (status == LOOPKNOT_OK)
        status = report(a, d, a->tree_cut || r.failed > 0);
    else
        status = status == LOOPKNOT_NO_MEMORY ? EXIT_NO_MEMORY : EXIT_NO_REPORT;
    loopknot_destroy(d);
    loopknot_capture_destroy(o->capture);
    return caught_signal ? 128 + caught_signal : status;
}

/* NULL when it is none. */
static const char *supervisor_name(pid_t pid)
{
    const char *name = loopknot_supervisor(pid);
    if (!name && errno == ENOMEM)
        end_without_memory();
    return name;
}

/* A supervisor by itself is idle whatever hangs below it. n: processes of its tree. */
static bool is_followed(pid_t pid, const char *name, size_t n)
{
    if (n > MAX_FOLLOWED)
        complain(0, "%d (%s) has %zu descendants: loopknot --tree %d examines them too", (int)pid,
                 name, n - 1, (int)pid);
    else if (n > 1)
        complain(0, "%d (%s): what descends from it is examined too; --no-tree keeps to it alone",
                 (int)pid, name);
    return n > 1 && n <= MAX_FOLLOWED;
}

/* What descends from a process comes after all that were named. */
static void add_tree(struct arguments *a, pid_t root, pid_t tree[MAX_PIDS])
{
    const char *supervisor = a->tree ? NULL : supervisor_name(root);
    if (!a->tree && !supervisor) /* most processes: the machine's list need not be read */
        return;
    const size_t n = loopknot_tree(root, tree, MAX_PIDS);
    const int error = errno;
    if (!n && error == ENOMEM)
        end_without_memory();
    if (supervisor && !is_followed(root, supervisor, n))
        return;
    if (error && error != ESRCH) {
        complain(0, "not all that descends from %d is known: %s", (int)root, strerror(error));
        a->tree_cut = true;
    }
    for (size_t k = 1; k < n; k++)
        add_pid(a, tree[k]);
}

static void add_trees(struct arguments *a)
{
    pid_t *tree = calloc(MAX_PIDS, sizeof *tree);
    if (!tree)
        end_without_memory();
    for (size_t i = 0; i < a->n_named; i++)
        add_tree(a, a->pids[i], tree);
    free(tree);
    a->common.render.set = a->common.options.tree = a->tree;
}

static int run(const struct option_set *of, int argc, char **argv)
{
    struct arguments *a = calloc(1, sizeof *a);
    if (!a)
        end_without_memory();
    common_init(&a->common);
    a->common.options.interrupted = &caught_signal;
    a->fail_on = fail_on_default;
    int status = parse(of, a, argc, argv);
    if (common_begin(&a->common, of, &status)) {
        catch_signals();
        a->n_named = a->n_pids;
        if (a->capture)
            status = outputs_try_file(a->capture);
        if (!status && !a->no_tree)
            add_trees(a);
        status = status ? status : examine_all(a);
    }
    common_deinit(&a->common);
    free(a);
    return status;
}

int command_attach(int argc, char **argv)
{
    return run(&set, argc, argv);
}

int command_capture(int argc, char **argv)
{
    return run(&capture_set, argc, argv);
}
