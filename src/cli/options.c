/*
 * The options that commands share, as tables from which getopt_long(3)
 * parses and --help prints. Numbers are decimal and have bounds; whatever is refused is named in
 * one line on stderr.
 */
#include "cli/options.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"
#include "util/spelling.h"

enum option_id {
    OPT_FORMAT = 256,
    OPT_OUTPUT,
    OPT_SAMPLES,
    OPT_INTERVAL,
    OPT_STALLED,
    OPT_PAUSE,
    OPT_STOP,
    OPT_NATIVE,
    OPT_NO_NATIVE,
    OPT_UNWINDER,
    OPT_ALL,
    OPT_PROJECT,
    OPT_RULES,
    OPT_LOCALS,
    OPT_REDACT,
    OPT_COLOR,
    OPT_NO_PAGER,
    OPT_HELP
};

/* How reports are written. */
static const struct option_row writing_rows[] = {
    { "format", "NAME",
      "how the report is printed: text, json (-j) or another of the formats below", OPT_FORMAT },
    { "output", "FORMAT:FILE", "the same into a file; may be given again", OPT_OUTPUT },
    { "native", NULL, "show native stacks too", OPT_NATIVE },
    { "all", NULL, "fold nothing", OPT_ALL },
    { "color", "always|never|auto", "colour (auto)", OPT_COLOR },
    { "no-pager", NULL, "a report that is higher than the terminal scrolls by", OPT_NO_PAGER },
    { "locals", NULL, "values of variables in frames of findings too, secrets hidden", OPT_LOCALS },
    { "redact", "REGEX", "hide what matches, in every text of every format (repeatable)",
      OPT_REDACT },
    { "verbose", NULL, "idle stacks too, and where and why a read failed (-v)", 'v' },
    { "help", NULL, "this text (-h)", OPT_HELP },
};
/* How processes that live are looked at. */
static const struct option_row watching_rows[] = {
    { "samples", "N", "how many samples (3)", OPT_SAMPLES },
    { "interval", "MS", "milliseconds between them (100)", OPT_INTERVAL },
    { "stalled-after", "S", "no progress for S seconds is 'stalled' (2)", OPT_STALLED },
    { "max-pause", "MS", "no thread is held stopped longer in one sample (250)", OPT_PAUSE },
    { "stop", "auto|all|none", "which threads may be stopped: running ones (auto), all, none",
      OPT_STOP },
};
/* What is read of a process. */
static const struct option_row reading_rows[] = {
    { "no-native", NULL, "neither read nor show native stacks", OPT_NO_NATIVE },
    { "unwinder", "auto|own|libunwind", "who reads native stacks: our own, libunwind, or both",
      OPT_UNWINDER },
};
/* What of it counts as what. */
static const struct option_row judging_rows[] = {
    { "project", "DIR", "only code below DIR counts as yours (repeatable)", OPT_PROJECT },
    { "rules", "FILE", "patterns beside the built-in ones: loopknot-rules(5)", OPT_RULES },
};
enum {
    N_WRITING = sizeof writing_rows / sizeof writing_rows[0],
    N_WATCHING = sizeof watching_rows / sizeof watching_rows[0],
    N_READING = sizeof reading_rows / sizeof reading_rows[0],
    N_JUDGING = sizeof judging_rows / sizeof judging_rows[0],
    MAX_ROWS = 64
};

void common_init(struct common *c)
{
    memset(c, 0, sizeof *c);
    c->options = loopknot_options_default();
    c->render = loopknot_render_default();
    c->color = -1;
}

void common_deinit(struct common *c)
{
    loopknot_patterns_free(c->patterns);
    c->patterns = NULL;
    lk_strbuf_deinit(&c->project);
}

/* The folder that holds .git, from here upwards. */
static bool find_git(char path[PATH_MAX])
{
    struct stat st;
    if (!getcwd(path, PATH_MAX))
        return false;
    for (char *end; (end = strrchr(path, '/')) && *path; *end = '\0') {
        char git[PATH_MAX + 8];
        snprintf(git, sizeof git, "%s/.git", path);
        if (stat(git, &st) == 0)
            return true;
    }
    return false;
}

/* What paths are relative to on the pages of a CI server: the checkout, by the server's own
 * variable (GitHub Actions' and GitLab CI's documents of predefined variables), else by git. */
static void find_checkout(struct common *c)
{
    static const char *const variables[] = { "GITHUB_WORKSPACE", "CI_PROJECT_DIR" };
    for (size_t i = 0; i < sizeof variables / sizeof variables[0]; i++) {
        const char *v = getenv(variables[i]);
        if (v && *v == '/') {
            c->render.checkout = v;
            return;
        }
    }
    c->render.checkout = find_git(c->checkout) ? c->checkout : NULL;
}

void common_settle(struct common *c, int fd)
{
    find_checkout(c);
    c->render.width = terminal_width(fd);
    c->render.color = c->color < 0 ? terminal_color(fd) : c->color;
}

bool common_begin(struct common *c, const struct option_set *set, int *status)
{
    if (*status == -1)
        *status = options_help(set);
    else if (!*status) {
        common_settle(c, STDOUT_FILENO);
        wait_for_closed_pipes();
        *status = outputs_try(&c->outputs);
        return !*status;
    }
    return false;
}

/* The rows of a command, then the shared ones; the index-th, or NULL past the end. */
static const struct option_row *row(const struct option_set *set, size_t index)
{
    const struct {
        const struct option_row *rows;
        size_t n;
    } tables[] = {
        { set->rows, set->n },
        { watching_rows, set->recorded || set->one_moment ? 0 : N_WATCHING },
        { reading_rows, set->recorded ? 0 : N_READING },
        { judging_rows, N_JUDGING },
        { writing_rows, N_WRITING },
    };
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; index -= tables[i++].n)
        if (index < tables[i].n)
            return &tables[i].rows[index];
    return NULL;
}

void options_print(const struct option_set *set)
{
    const struct option_row *r;
    for (size_t i = 0; (r = row(set, i)); i++) {
        char left[64];
        snprintf(left, sizeof left, "--%s%s%s", r->name, r->argument ? " " : "",
                 r->argument ? r->argument : "");
        printf("  %-28s %s\n", left, r->help);
    }
    const char *format, *help;
    printf("\nFormats:\n");
    for (size_t i = 0; (format = loopknot_format(i, &help)); i++)
        printf("  %-28s %s\n", format, help);
}

int options_help(const struct option_set *set)
{
    printf("usage: %s\n\nOptions:\n", set->usage);
    options_print(set);
    printf("\n%s\n", set->epilog);
    return flushed(0);
}

/* Decimal only: strtod alone would take "0x10", "1e3", "inf" and "nan" too. */
bool parse_number(const char *text, double least, double most, double *ret)
{
    char *end;
    errno = 0;
    *ret = strtod(text, &end);
    return !errno && end != text && !*end && !text[strspn(text, "0123456789.")] && *ret >= least &&
           *ret <= most;
}

/* A number times scale, rounded; 0 or EXIT_USAGE after a complaint that names the option. */
static int parse_count(const char *name, const char *text, double least, double most, double scale,
                       unsigned *ret)
{
    double v;
    if (!parse_number(text, least, most, &v))
        return complain(EXIT_USAGE, "--%s wants a number from %g to %g, not '%s'", name, least,
                        most, text);
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

int parse_word(const char *name, const char *text, const char *const *words, size_t n)
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

/* A folder is named from where the user stands; the target may see another tree, so that it need
 * not exist here. */
static int parse_project(struct common *c, const char *text)
{
    if (!*text)
        return complain(EXIT_USAGE, "--project wants a folder");
    char path[PATH_MAX];
    if (*text != '/' && !realpath(text, path))
        return complain(EXIT_USAGE, "--project %s: %s", text, strerror(errno));
    lk_strbuf_printf(&c->project, "%s%s", c->project.n ? ":" : "", *text == '/' ? text : path);
    c->options.project = c->project.s;
    return 0;
}

static int parse_rules(struct common *c, const char *file)
{
    char why[512];
    if (c->patterns)
        return complain(EXIT_USAGE, "--rules may be given once; put all patterns into one file");
    c->patterns = loopknot_patterns_load(file, why, sizeof why);
    c->options.patterns = c->patterns;
    if (!c->patterns && errno == ENOMEM)
        end_without_memory();
    return c->patterns ? 0 : complain(EXIT_USAGE, "--rules %s", why);
}

int common_refuse_capture(const struct common *c, const char *file)
{
    return file && c->redact.n
               ? complain(EXIT_USAGE, "a capture keeps the names that its diagnosis needs: give "
                                      "--redact to loopknot analyze")
               : 0;
}

static int parse_common(struct common *c, int id, char *value)
{
    static const char *const stops[] = { "auto", "all", "none" };
    static const char *const unwinders[] = { "auto", "own", "libunwind" };
    static const char *const colors[] = { "never", "always", "auto" };
    struct loopknot_options *o = &c->options;
    int i;
    switch (id) {
    case OPT_FORMAT: return outputs_add(&c->outputs, value, NULL);
    case 'j': return outputs_add(&c->outputs, "json", NULL);
    case OPT_OUTPUT: return outputs_parse(&c->outputs, value);
    case OPT_SAMPLES: return parse_whole("samples", value, 1, 1000, &o->samples);
    case OPT_INTERVAL: return parse_count("interval", value, 0, 60000, 1, &o->interval_ms);
    case OPT_STALLED:
        return parse_count("stalled-after", value, 0.01, 86400, 1000, &o->stalled_after_ms);
    case OPT_PAUSE: return parse_count("max-pause", value, 1, 10000, 1, &o->max_pause_ms);
    case OPT_NATIVE: c->render.native = o->native = true; return 0;
    case OPT_NO_NATIVE: c->render.native = o->native = false; return 0;
    case OPT_ALL: c->render.all = true; return 0;
    case OPT_LOCALS: o->locals = 1; return 0;
    case OPT_REDACT: return redactions_add(&c->redact, value);
    case OPT_PROJECT: return parse_project(c, value);
    case OPT_RULES: return parse_rules(c, value);
    case OPT_STOP:
        i = parse_word("stop", value, stops, 3);
        o->stop = i < 0 ? o->stop : (enum loopknot_stop)i;
        return i < 0 ? EXIT_USAGE : 0;
    case OPT_UNWINDER:
        i = parse_word("unwinder", value, unwinders, 3);
        o->unwinder = i < 0 ? o->unwinder : (enum loopknot_unwinder)i;
        return i < 0 ? EXIT_USAGE : 0;
    case OPT_COLOR:
        i = parse_word("color", value, colors, 3);
        c->color = i == 2 ? -1 : i;
        return i < 0 ? EXIT_USAGE : 0;
    case OPT_NO_PAGER: c->outputs.no_pager = true; return 0;
    case 'v': c->render.verbose++; return 0;
    default: return EXIT_USAGE;
    }
}

/* How many long options begin so. */
static size_t count_options(const struct option_set *set, const char *text)
{
    size_t n = 0;
    const struct option_row *r;
    for (size_t i = 0; (r = row(set, i)); i++)
        n += strncmp(r->name, text + 2, strcspn(text + 2, "=")) == 0;
    return n;
}

/* Of what begins like none of them: the one that is spelt most like it. */
static const char *nearest_option(const struct option_set *set, const char *text)
{
    char name[64];
    snprintf(name, sizeof name, "%.*s", (int)strcspn(text + 2, "="), text + 2);
    const struct option_row *r, *best = row(set, 0);
    for (size_t i = 1; (r = row(set, i)); i++)
        if (lk_spelling_distance(name, r->name) < lk_spelling_distance(name, best->name))
            best = r;
    return best->name;
}

/* getopt's own words would say "invalid option -- '1'" of a mistyped process id "-1". */
static int complain_of_option(const struct option_set *set, char **argv, int id)
{
    const char letter[] = { '-', (char)optopt, '\0' };
    const bool is_long = optopt == 0 || optopt > UCHAR_MAX;
    const char *given = is_long ? argv[optind - 1] : letter;
    if (id == ':')
        return complain(EXIT_USAGE, "option '%s' wants an argument (loopknot --help lists them)",
                        given);
    if (optopt >= '0' && optopt <= '9')
        return complain(EXIT_USAGE, "a process id has no sign, as in '%s...'", given);
    if (optopt > UCHAR_MAX)
        return complain(EXIT_USAGE, "option '%s' takes no argument", given);
    if (is_long && count_options(set, given) > 1)
        return complain(EXIT_USAGE,
                        "option '%s' may be one of several (loopknot --help lists them)", given);
    if (is_long)
        return complain(EXIT_USAGE,
                        "there is no option '%s'; the nearest is --%s (loopknot --help "
                        "lists them)",
                        given, nearest_option(set, given));
    return complain(EXIT_USAGE, "there is no option '%s' (loopknot --help lists them)", given);
}

int options_parse(const struct option_set *set, struct common *c, void *arg, int argc, char **argv)
{
    struct option longs[MAX_ROWS + 1];
    const struct option_row *r;
    memset(longs, 0, sizeof longs);
    for (size_t i = 0; i < MAX_ROWS && (r = row(set, i)); i++) {
        longs[i].name = r->name;
        longs[i].has_arg = r->argument ? required_argument : no_argument;
        longs[i].val = r->id;
    }
    char letters[16];
    snprintf(letters, sizeof letters, "%s:hjv%s", set->operands_last ? "+" : "",
             set->letters ? set->letters : "");
    int id, status = 0;
    optind = 1;
    opterr = 0;
    while (!status && (id = getopt_long(argc, argv, letters, longs, NULL)) != -1) {
        if (id == OPT_HELP || id == 'h')
            return -1;
        if (id == '?' || id == ':')
            status = complain_of_option(set, argv, id);
        else
            status = id >= OPT_OWN || (id <= UCHAR_MAX && set->letters && strchr(set->letters, id))
                         ? set->parse(arg, id, optarg)
                         : parse_common(c, id, optarg);
    }
    return status;
}
