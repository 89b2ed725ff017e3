/*
 * `loopknot analyze FILE`: what was seen elsewhere or before, examined or told again in any format.
 * What kind of file it is the library tells; nothing of this machine is looked at.
 */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/fail_on.h"
#include "cli/options.h"
#include "loopknot.h"

struct arguments {
    struct common common;
    struct fail_on fail_on;
    const char *file;
};

enum option_id { OPT_FAIL_ON = OPT_OWN };

static const struct option_row rows[] = { FAIL_ON_ROW };

static int parse_option(void *arg, int id, char *value)
{
    struct arguments *a = arg;
    (void)id;
    return fail_on_parse(&a->fail_on, value);
}

static const struct option_set set = {
    .usage = "loopknot analyze [options] FILE",
    .epilog = "FILE is a capture, or a report that loopknot wrote with --format json; - is "
              "standard input. The\n"
              "findings of a report are as they were: --project and --rules count for captures.\n"
              "Exit status: 0 nothing at or above --fail-on; 1 found; 2 usage; 3 no such report "
              "(stderr says why); 4 unknown;\n"
              "125 out of memory.",
    .rows = rows,
    .n = sizeof rows / sizeof rows[0],
    .recorded = true,
    .parse = parse_option,
};

/* 0: go on; else the exit status; -1: help is wanted. */
static int parse(struct arguments *a, int argc, char **argv)
{
    const int status = options_parse(&set, &a->common, a, argc, argv);
    if (status)
        return status;
    if (optind + 1 != argc)
        return complain(EXIT_USAGE, optind == argc ? "which file? usage: %s" : "one file: %s",
                        set.usage);
    a->file = argv[optind];
    return outputs_settle(&a->common.outputs, a->common.render.verbose);
}

/* A member that is missed is said; a file that is not to be used is the end. */
static void tell(pid_t pid, bool gone, const char *message, void *arg)
{
    bool *missed = arg;
    *missed |= pid > 0 && !gone;
    complain(0, "%s", message);
}

static int analyze(const struct arguments *a)
{
    bool missed = false;
    struct loopknot_diagnosis *d = redactions_diagnosis(&a->common.redact);
    const int status = loopknot_analyze(d, a->file, &a->common.options, tell, &missed);
    return fail_on_end(&a->fail_on, &a->common, d, status, missed);
}

int command_analyze(int argc, char **argv)
{
    struct arguments *a = calloc(1, sizeof *a);
    if (!a)
        end_without_memory();
    common_init(&a->common);
    a->fail_on = fail_on_default;
    int status = parse(a, argc, argv);
    if (common_begin(&a->common, &set, &status))
        status = analyze(a);
    common_deinit(&a->common);
    free(a);
    return status;
}
