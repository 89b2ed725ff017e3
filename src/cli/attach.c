#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/tree.h"
#include "loopknot.h"

enum { MAX_OUTPUTS = 16, MAX_PIDS = 4096 };

static volatile int caught_signal; /* SIGINT or SIGTERM, once one came */

struct output {
    const char *format, *file; /* file NULL: stdout */
};

struct arguments {
    struct loopknot_options options;
    struct loopknot_render render;
    enum loopknot_verdict fail_on;
    bool fail_never, tree;
    int color; /* 1 always, 0 never, -1 when stdout is a terminal */
    struct output outputs[MAX_OUTPUTS];
    size_t n_outputs;
    pid_t pids[MAX_PIDS];
    size_t n_pids;
    char project[PATH_MAX];
};

enum option_id { OPT_FORMAT = 256, OPT_OUTPUT, OPT_SAMPLES, OPT_INTERVAL, OPT_STALLED, OPT_PAUSE, OPT_STOP, OPT_FAIL_ON, OPT_TREE,
                 OPT_NATIVE, OPT_NO_NATIVE, OPT_ALL, OPT_PROJECT, OPT_COLOR, OPT_HELP };

static const struct {
    const char *name, *argument, *help;
    int id;
} option_table[] = {
    { "format", "NAME", "text (default), json or markdown, to stdout", OPT_FORMAT },
    { "output", "FORMAT:FILE", "the same into a file; may be given again", OPT_OUTPUT },
    { "samples", "N", "how many samples (3)", OPT_SAMPLES },
    { "interval", "MS", "milliseconds between them (100)", OPT_INTERVAL },
    { "stalled-after", "S", "no progress for S seconds is 'stalled' (2)", OPT_STALLED },
    { "max-pause", "MS", "no thread is held stopped longer in one sample (250)", OPT_PAUSE },
    { "stop", "auto|all|none", "which threads may be stopped: running ones (auto), all, none", OPT_STOP },
    { "fail-on", "VERDICT", "exit with 1 from deadlock|stalled|unknown|hazard on, or never (stalled)", OPT_FAIL_ON },
    { "tree", NULL, "the children too", OPT_TREE },
    { "native", NULL, "show native stacks too", OPT_NATIVE },
    { "no-native", NULL, "neither read nor show native stacks", OPT_NO_NATIVE },
    { "all", NULL, "fold nothing", OPT_ALL },
    { "project", "DIR", "only code below DIR counts as yours", OPT_PROJECT },
    { "color", "always|never|auto", "colour (auto)", OPT_COLOR },
    { "verbose", NULL, "say more (-v)", 'v' },
    { "help", NULL, "this text (-h)", OPT_HELP },
};
enum { N_OPTIONS = sizeof option_table / sizeof option_table[0] };

void print_attach_help(void)
{
    puts("Options of attach:");
    for (size_t i = 0; i < N_OPTIONS; i++) {
        char left[64];
        snprintf(left, sizeof left, "--%s%s%s", option_table[i].name, option_table[i].argument ? " " : "",
                 option_table[i].argument ? option_table[i].argument : "");
        printf("  %-28s %s\n", left, option_table[i].help);
    }
    puts("\nExit status: 0 nothing at or above --fail-on; 1 found; 2 usage; 3 no report (stderr says why); 4 unknown;\n"
         "130, 143 interrupted (what there is was printed).");
}

/* Decimal only: strtod alone would take "0x10", "1e3", "inf" and "nan" too. */
static bool parse_number(const char *text, double least, double most, double *ret)
{
    char *end;
    errno = 0;
    *ret = strtod(text, &end);
    return !errno && end != text && !*end && !text[strspn(text, "0123456789.")] && *ret >= least && *ret <= most;
}

static bool known_format(const char *name)
{
    const char *f;
    for (size_t i = 0; (f = loopknot_format(i, NULL)); i++)
        if (strcmp(f, name) == 0)
            return true;
    return false;
}

static int add_output(struct arguments *a, const char *format, const char *file)
{
    if (!known_format(format))
        return complain(EXIT_USAGE, "this build has no format '%s'", format);
    if (a->n_outputs == MAX_OUTPUTS)
        return complain(EXIT_USAGE, "more than %d outputs", MAX_OUTPUTS);
    a->outputs[a->n_outputs++] = (struct output){ format, file };
    return 0;
}

static int parse_output(struct arguments *a, char *text)
{
    char *colon = strchr(text, ':');
    if (!colon || !colon[1])
        return complain(EXIT_USAGE, "--output wants FORMAT:FILE, not '%s'", text);
    *colon = '\0';
    /* "-" is stdout, as with most tools. */
    return add_output(a, text, strcmp(colon + 1, "-") == 0 ? NULL : colon + 1);
}

static int parse_count(const char *name, const char *text, double least, double most, double scale, unsigned *ret)
{
    double v;
    if (!parse_number(text, least, most, &v))
        return complain(EXIT_USAGE, "--%s wants a number from %g to %g, not '%s'", name, least, most, text);
    *ret = (unsigned)(v * scale + 0.5);
    return 0;
}

/* Counts whole: "--samples 2.5" is no number of samples. */
static int parse_whole(const char *name, const char *text, double least, double most, unsigned *ret)
{
    if (strchr(text, '.'))
        return complain(EXIT_USAGE, "--%s wants a whole number, not '%s'", name, text);
    return parse_count(name, text, least, most, 1, ret);
}

/* A folder is named from where the user stands; the target may see another tree, so that it need not exist here. */
static int parse_project(struct arguments *a, const char *text)
{
    if (!*text)
        return complain(EXIT_USAGE, "--project wants a folder");
    if (*text != '/' && !realpath(text, a->project))
        return complain(EXIT_USAGE, "--project %s: %s", text, strerror(errno));
    a->options.project = *text == '/' ? text : a->project;
    return 0;
}

/* Index of text among words, or -1 after a complaint. */
static int parse_word(const char *name, const char *text, const char *const *words, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(words[i], text) == 0)
            return (int)i;
    char all[128];
    size_t at = 0;
    for (size_t i = 0; i < n && at < sizeof all; i++)
        at += (size_t)snprintf(all + at, sizeof all - at, "%s%s", i ? ", " : "", words[i]);
    complain(EXIT_USAGE, "--%s wants one of %s, not '%s'", name, all, text);
    return -1;
}

static int parse_fail_on(struct arguments *a, const char *text)
{
    static const char *const words[] = { "hazard", "unknown", "stalled", "deadlock", "never" };
    int i = parse_word("fail-on", text, words, 5);
    if (i < 0)
        return EXIT_USAGE;
    a->fail_never = i == 4;
    a->fail_on = a->fail_never ? LOOPKNOT_DEADLOCK : (enum loopknot_verdict)(i + 1);
    return 0;
}

static int parse_option(struct arguments *a, int id, char *value)
{
    static const char *const stops[] = { "auto", "all", "none" };
    static const char *const colors[] = { "never", "always", "auto" };
    struct loopknot_options *o = &a->options;
    int i;
    switch (id) {
    case OPT_FORMAT: return add_output(a, value, NULL);
    case OPT_OUTPUT: return parse_output(a, value);
    case OPT_SAMPLES: return parse_whole("samples", value, 1, 1000, &o->samples);
    case OPT_INTERVAL: return parse_count("interval", value, 0, 60000, 1, &o->interval_ms);
    case OPT_STALLED: return parse_count("stalled-after", value, 0.01, 86400, 1000, &o->stalled_after_ms);
    case OPT_PAUSE: return parse_count("max-pause", value, 1, 10000, 1, &o->max_pause_ms);
    case OPT_FAIL_ON: return parse_fail_on(a, value);
    case OPT_TREE: a->tree = true; return 0;
    case OPT_NATIVE: a->render.native = o->native = true; return 0;
    case OPT_NO_NATIVE: a->render.native = o->native = false; return 0;
    case OPT_ALL: a->render.all = true; return 0;
    case OPT_PROJECT: return parse_project(a, value);
    case OPT_STOP:
        i = parse_word("stop", value, stops, 3);
        o->stop = i < 0 ? o->stop : (enum loopknot_stop)i;
        return i < 0 ? EXIT_USAGE : 0;
    case OPT_COLOR:
        i = parse_word("color", value, colors, 3);
        a->color = i == 2 ? -1 : i;
        return i < 0 ? EXIT_USAGE : 0;
    case 'v': a->render.verbose++; o->verbose++; return 0;
    default: return EXIT_USAGE;
    }
}

static int parse_pid(struct arguments *a, const char *text)
{
    double v;
    if (!parse_number(text, 1, INT_MAX, &v) || strchr(text, '.'))
        return complain(EXIT_USAGE, "'%s' is no process id", text);
    /* A process named twice is examined once: a report has each id once. */
    for (size_t i = 0; i < a->n_pids; i++)
        if (a->pids[i] == (pid_t)v)
            return 0;
    if (a->n_pids == MAX_PIDS)
        return complain(EXIT_USAGE, "more than %d process ids", MAX_PIDS);
    a->pids[a->n_pids++] = (pid_t)v;
    return 0;
}

/* How many long options begin so. */
static size_t count_options(const char *text)
{
    size_t n = 0;
    for (size_t i = 0; i < N_OPTIONS; i++)
        n += strncmp(option_table[i].name, text + 2, strcspn(text + 2, "=")) == 0;
    return n;
}

/* getopt's own words would say "invalid option -- '1'" of a mistyped process id "-1". */
static int complain_of_option(char **argv, int id)
{
    const char letter[] = { '-', (char)optopt, '\0' };
    const bool is_long = optopt == 0 || optopt > UCHAR_MAX;
    const char *given = is_long ? argv[optind - 1] : letter;
    if (id == ':')
        return complain(EXIT_USAGE, "option '%s' wants an argument (loopknot --help lists them)", given);
    if (optopt >= '0' && optopt <= '9')
        return complain(EXIT_USAGE, "a process id has no sign, as in '%s...'", given);
    if (optopt > UCHAR_MAX)
        return complain(EXIT_USAGE, "option '%s' takes no argument", given);
    if (is_long && count_options(given) > 1)
        return complain(EXIT_USAGE, "option '%s' may be one of several (loopknot --help lists them)", given);
    return complain(EXIT_USAGE, "this build has no option '%s' (loopknot --help lists them)", given);
}

/* 0: go on; else the exit status; -1: help was printed. */
static int parse(struct arguments *a, int argc, char **argv)
{
    struct option longs[N_OPTIONS + 1];
    memset(longs, 0, sizeof longs);
    for (size_t i = 0; i < N_OPTIONS; i++) {
        longs[i].name = option_table[i].name;
        longs[i].has_arg = option_table[i].argument ? required_argument : no_argument;
        longs[i].val = option_table[i].id;
    }
    int id, status = 0;
    argv[0] = (char *)"loopknot";
    optind = 1;
    opterr = 0;
    while (!status && (id = getopt_long(argc, argv, ":hv", longs, NULL)) != -1) {
        if (id == OPT_HELP || id == 'h')
            return -1;
        status = id == '?' || id == ':' ? complain_of_option(argv, id) : parse_option(a, id, optarg);
    }
    for (; !status && optind < argc; optind++)
        status = parse_pid(a, argv[optind]);
    if (!status && !a->n_pids)
        status = complain(EXIT_USAGE, "which process? usage: loopknot PID...");
    return status;
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
    signal(SIGPIPE, SIG_IGN); /* a closed pipe is a write error with a status, not a sudden death */
}

static int terminal_width(void)
{
    struct winsize w;
    if (isatty(STDOUT_FILENO) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_col >= 20)
        return w.ws_col;
    return 100; /* a pipe or a file: wide enough for paths, narrow enough to be quoted */
}

static bool write_failed(const char *file, int why)
{
    complain(0, "could not write %s: %s", file, strerror(why));
    return false;
}

/* Also when the report was cut short the stream is closed; the first error counts. */
static bool write_and_close(const struct loopknot_diagnosis *d, const struct output *out, const struct loopknot_render *how,
                            FILE *f, int *why)
{
    bool ok = loopknot_write(d, out->format, how, f) == 0;
    *why = errno;
    if (fclose(f) != 0 && ok) {
        *why = errno;
        return false;
    }
    return ok;
}

/* A device, a FIFO or /dev/stdout is written to; renaming a file over it would take it away from everybody. */
static bool write_special(const struct loopknot_diagnosis *d, const struct output *out, const struct loopknot_render *how)
{
    int why;
    FILE *f = fopen(out->file, "we");
    if (!f)
        return write_failed(out->file, errno);
    return write_and_close(d, out, how, f, &why) || write_failed(out->file, why);
}

/* Complete or not at all: under a temporary name first. Reports hold command lines and code: for the owner. */
static bool write_file(const struct loopknot_diagnosis *d, const struct output *out, const struct loopknot_render *how)
{
    char real[PATH_MAX], temp[PATH_MAX + 32];
    struct stat st;
    if (stat(out->file, &st) == 0 && !S_ISREG(st.st_mode))
        return write_special(d, out, how);
    /* A link stays one: what it points to is replaced. */
    const char *file = realpath(out->file, real) ? real : out->file;
    if (snprintf(temp, sizeof temp, "%s.%d.tmp", file, (int)getpid()) >= (int)sizeof temp)
        return write_failed(out->file, ENAMETOOLONG);
    mode_t old = umask(077);
    FILE *f = fopen(temp, "wxe");
    int why = errno;
    umask(old);
    if (!f)
        return write_failed(out->file, why);
    bool ok = write_and_close(d, out, how, f, &why);
    if (ok && rename(temp, file) == 0)
        return true;
    if (ok)
        why = errno;
    unlink(temp);
    return write_failed(out->file, why);
}

static bool write_outputs(const struct arguments *a, const struct loopknot_diagnosis *d)
{
    bool ok = true;
    for (size_t i = 0; i < a->n_outputs; i++) {
        struct loopknot_render how = a->render;
        if (a->outputs[i].file) {
            how.color = false;
            how.width = 100;
            ok &= write_file(d, &a->outputs[i], &how);
        } else if (loopknot_write(d, a->outputs[i].format, &how, stdout) != 0) {
            ok = false;
            complain(0, "could not write the report to stdout: %s", strerror(errno));
        }
    }
    return ok;
}

static int status_of(const struct arguments *a, const struct loopknot_diagnosis *d, bool some_failed)
{
    enum loopknot_verdict v = loopknot_verdict(d);
    if (!a->fail_never && v != LOOPKNOT_UNKNOWN && v >= a->fail_on)
        return EXIT_FOUND;
    return v == LOOPKNOT_UNKNOWN || some_failed ? EXIT_UNKNOWN : 0;
}

static int examine_all(struct arguments *a)
{
    struct loopknot_diagnosis *d = loopknot_create();
    size_t failed = 0;
    a->options.together = a->pids;
    a->options.n_together = a->n_pids;
    for (size_t i = 0; i < a->n_pids && !caught_signal; i++) {
        char message[512];
        if (loopknot_examine(d, a->pids[i], &a->options, message, sizeof message) == 0)
            continue;
        failed++;
        complain(0, "%s", message);
    }
    int status = EXIT_NO_REPORT;
    if (loopknot_count(d)) {
        a->render.set |= a->n_pids > 1;
        status = write_outputs(a, d) ? status_of(a, d, failed > 0) : EXIT_NO_REPORT;
    }
    loopknot_destroy(d);
    return caught_signal ? 128 + caught_signal : status;
}

static int add_tree(struct arguments *a)
{
    size_t roots = a->n_pids;
    for (size_t i = 0; i < roots; i++)
        a->n_pids = tree_descendants(a->pids[i], a->pids, a->n_pids, MAX_PIDS);
    a->render.set = true;
    return 0;
}

int command_attach(int argc, char **argv)
{
    struct arguments *a = calloc(1, sizeof *a);
    if (!a)
        return complain(EXIT_NO_REPORT, "out of memory");
    a->options = loopknot_options_default();
    a->options.interrupted = &caught_signal;
    a->fail_on = LOOPKNOT_STALLED;
    a->color = -1;
    int status = parse(a, argc, argv);
    if (status == -1) {
        puts("usage: loopknot [attach] [options] PID...\n");
        print_attach_help();
        status = flushed(0);
    } else if (!status) {
        bool has_stdout = false;
        for (size_t i = 0; i < a->n_outputs; i++)
            has_stdout |= !a->outputs[i].file;
        if (!has_stdout)
            add_output(a, "text", NULL);
        a->render.width = terminal_width();
        a->render.color = a->color < 0 ? isatty(STDOUT_FILENO) && !getenv("NO_COLOR") : a->color;
        catch_signals();
        if (a->tree)
            add_tree(a);
        status = examine_all(a);
    }
    free(a);
    return status;
}
