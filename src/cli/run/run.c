/*
 * The command line of `loopknot run`: its own options beside the shared ones, durations with a unit
 * as timeout(1) has them, and the command, which begins at the first operand.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/run/supervisor.h"
#include "cli/run/write_core.h"
#include "util/compat.h"

enum { STALL_MS = 60000, FAIL_FAST_MS = 5000, GRACE_MS = 10000 };

enum option_id {
    OPT_TIMEOUT = OPT_OWN,
    OPT_STALL,
    OPT_STALL_KILL,
    OPT_SIGNAL,
    OPT_GRACE,
    OPT_FAIL_FAST,
    OPT_CORE,
    OPT_CAPTURE
};

static const struct option_row rows[] = {
    { "timeout", "T", "the command has hung when it runs longer: 90, 10m, 1.5h (never)",
      OPT_TIMEOUT },
    { "stall", "T", "look at it when nothing has moved for T; 0: never (60s)", OPT_STALL },
    { "stall-kill", NULL, "end whatever stands still for --stall, whatever the verdict",
      OPT_STALL_KILL },
    { "signal", "SIG", "INT, QUIT...: sent first, to all of it, before SIGTERM", OPT_SIGNAL },
    { "grace", "T", "between SIGTERM and SIGKILL, and after --signal (10s)", OPT_GRACE },
    { "fail-fast", NULL, "the same as --stall 5s", OPT_FAIL_FAST },
    { "core", "DIR", "core files of a hung tree into DIR (needs gdb's gcore)", OPT_CORE },
    { "capture", "FILE", "what was read of a hung tree into FILE: loopknot analyze FILE",
      OPT_CAPTURE },
};

/* A number and a unit, as timeout(1) and sleep(1) have them, and ms. */
static int parse_duration(const char *name, const char *text, unsigned *ret)
{
    static const struct {
        const char *unit;
        double ms;
    } units[] = { { "ms", 1 },     { "s", 1000 },    { "m", 60e3 },
                  { "h", 3600e3 }, { "d", 86400e3 }, { "", 1000 } };
    const double most = 40 * 86400e3;
    char number[32];
    const size_t digits = strspn(text, "0123456789.");
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        double v;
        if (strcmp(text + digits, units[i].unit) != 0 || digits >= sizeof number)
            continue;
        memcpy(number, text, digits);
        number[digits] = '\0';
        if (!parse_number(number, 0, most / units[i].ms, &v))
            break;
        const double ms = v * units[i].ms;
        *ret = (unsigned)ms + (ms > (unsigned)ms); /* little is not nothing: 0 means never */
        return 0;
    }
    return complain(
        EXIT_USAGE,
        "--%s wants a duration such as 90, 5s, 10m, 1.5h or 500ms (at most 40d), not '%s'", name,
        text);
}

/* "INT", "SIGINT" or "2", as kill(1) takes them. */
static int parse_signal(const char *text, int *ret)
{
    const char *name = strncasecmp(text, "SIG", 3) == 0 ? text + 3 : text;
    double v;
    if (parse_number(text, 1, SIGRTMIN - 1, &v) && !strchr(text, '.')) {
        *ret = (int)v;
        return 0;
    }
    for (int i = 1; i < SIGRTMIN; i++)
        if (sigabbrev_np(i) && strcasecmp(sigabbrev_np(i), name) == 0) {
            *ret = i;
            return 0;
        }
    return complain(EXIT_USAGE, "--signal wants a signal such as INT or QUIT, not '%s'", text);
}

static int parse_option(void *arg, int id, char *value)
{
    struct run *r = arg;
    switch (id) {
    case OPT_TIMEOUT: return parse_duration("timeout", value, &r->timeout_ms);
    case OPT_STALL: return parse_duration("stall", value, &r->stall_ms);
    case OPT_GRACE: return parse_duration("grace", value, &r->grace_ms);
    case OPT_SIGNAL: return parse_signal(value, &r->signal);
    case OPT_STALL_KILL: r->stall_kill = true; return 0;
    case OPT_FAIL_FAST: r->stall_ms = FAIL_FAST_MS; return 0;
    case OPT_CORE:
        r->core = value;
        return *value ? 0 : complain(EXIT_USAGE, "--core wants a folder");
    case OPT_CAPTURE:
        r->capture = value;
        return *value ? 0 : complain(EXIT_USAGE, "a capture wants a file");
    default: return EXIT_USAGE;
    }
}

static const struct option_set set = {
    .usage = "loopknot run [options] -- COMMAND [ARGUMENT...]",
    .epilog = "Reports are written, and printed to stderr, only when the command hangs; its own "
              "input, output and signals are\n"
              "untouched.\n\n"
              "Exit status: that of the command, 128+N when signal N ended it; 124 it hung "
              "(reports are written, its tree is\n"
              "ended); 125 loopknot failed or was used wrongly; 126 the command cannot be "
              "executed; 127 it was not found.",
    .rows = rows,
    .n = sizeof rows / sizeof rows[0],
    .operands_last = true,
    .parse = parse_option,
};

int command_run(int argc, char **argv)
{
    struct run r = { .stall_ms = STALL_MS, .grace_ms = GRACE_MS };
    common_init(&r.common);
    int status = options_parse(&set, &r.common, &r, argc, argv);
    if (status == -1) {
        status = options_help(&set);
    } else if (status) {
        status = EXIT_FAILED;
    } else if (optind >= argc) {
        status = complain(EXIT_FAILED, "which command? usage: %s", set.usage);
    } else {
        r.command = argv + optind;
        if (!outputs_to_stream(&r.common.outputs))
            outputs_add(&r.common.outputs, "text", NULL);
        common_settle(&r.common, STDERR_FILENO);
        status = common_refuse_capture(&r.common, r.capture) || outputs_try(&r.common.outputs) ||
                         (r.capture && outputs_try_file(r.capture)) || (r.core && !core_try(r.core))
                     ? EXIT_FAILED
                     : supervise(&r);
    }
    common_deinit(&r.common);
    return status;
}
