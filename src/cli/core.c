/*
 * `loopknot core CORE [EXE]`: the same diagnosis of a process that is no more, by its core dump;
 * --last takes the newest one that systemd-coredump has kept.
 */
#include <getopt.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/core_storage.h"
#include "cli/fail_on.h"
#include "cli/options.h"
#include "loopknot.h"

struct arguments {
    struct common common;
    struct fail_on fail_on;
    struct loopknot_core core;
    bool last;
    char path[PATH_MAX]; /* of the last one */
};

enum option_id { OPT_FAIL_ON = OPT_OWN, OPT_LAST, OPT_SYSROOT, OPT_DEBUGINFOD };

static const struct option_row rows[] = {
    FAIL_ON_ROW,
    { "last", NULL, "the newest core of coredumpctl's, of a NAME or PID if one is given",
      OPT_LAST },
    { "sysroot", "DIR", "the files of the machine that it is of stand below DIR", OPT_SYSROOT },
    { "debuginfod", NULL, "ask debuginfod-find for files that are found nowhere else",
      OPT_DEBUGINFOD },
};

static int parse_option(void *arg, int id, char *value)
{
    struct arguments *a = arg;
    switch (id) {
    case OPT_FAIL_ON: return fail_on_parse(&a->fail_on, value);
    case OPT_LAST: a->last = true; return 0;
    case OPT_DEBUGINFOD: a->core.debuginfod = 1; return 0;
    default: break;
    }
    a->core.sysroot = value;
    return *value ? 0 : complain(EXIT_USAGE, "--sysroot wants a folder");
}

static const struct option_set set = {
    .usage = "loopknot core [options] CORE [EXE]\n       loopknot core [options] --last [NAME|PID]",
    .epilog = "CORE is of the kernel, of gcore or of systemd-coredump, also compressed (zstd, lz4, "
              "gzip, xz). EXE is its\n"
              "program; where it is not given that is looked for, as the libraries are, at its own "
              "path. A file whose\n"
              "build id is another one is refused.\n"
              "Exit status: 0 nothing at or above --fail-on; 1 found; 2 usage; 3 no report (stderr "
              "says why); 4 unknown;\n"
              "125 out of memory.",
    .rows = rows,
    .n = sizeof rows / sizeof rows[0],
    .one_moment = true,
    .parse = parse_option,
};

static int take_operands(struct arguments *a, int n, char **operand)
{
    if (a->last && n > 1)
        return complain(EXIT_USAGE, "--last wants one name or process id");
    if (a->last)
        return core_storage_last(n ? operand[0] : NULL, a->path, sizeof a->path);
    if (!n)
        return complain(EXIT_USAGE, "which core? usage: loopknot core CORE [EXE]");
    if (n > 2)
        return complain(EXIT_USAGE, "one core, and its program: loopknot core CORE [EXE]");
    a->core.exe = operand[1]; /* NULL ends argv */
    return 0;
}

/* 0: go on; else the exit status; -1: help is wanted. */
static int parse(struct arguments *a, int argc, char **argv)
{
    int status = options_parse(&set, &a->common, a, argc, argv);
    if (!status)
        status = take_operands(a, argc - optind, argv + optind);
    if (status)
        return status;
    a->core.file = a->last ? a->path : argv[optind];
    return outputs_settle(&a->common.outputs, a->common.render.verbose);
}

static int examine(const struct arguments *a)
{
    char why[1024];
    struct loopknot_diagnosis *d = redactions_diagnosis(&a->common.redact);
    const int status = loopknot_examine_core(d, &a->core, &a->common.options, why, sizeof why);
    if (status && status != LOOPKNOT_NO_MEMORY)
        complain(0, "%s", why);
    return fail_on_end(&a->fail_on, &a->common, d, status, false);
}

int command_core(int argc, char **argv)
{
    struct arguments *a = calloc(1, sizeof *a);
    if (!a)
        end_without_memory();
    common_init(&a->common);
    a->fail_on = fail_on_default;
    a->core = loopknot_core_default();
    int status = parse(a, argc, argv);
    if (common_begin(&a->common, &set, &status))
        status = examine(a);
    common_deinit(&a->common);
    free(a);
    return status;
}
