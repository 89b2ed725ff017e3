/*
 * `loopknot diff A B`: what changed from one report to another. Each side is a JSON report or a
 * live process, which is then examined as `loopknot PID` would.
 */
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/options.h"
#include "loopknot.h"

static const char usage[] = "loopknot diff [--format text|json] [--all] A B";

struct request {
    const char *format, *sides[2];
    size_t n;
    bool all, help;
};

static int parse(int argc, char **argv, struct request *r)
{
    bool options = true;
    *r = (struct request){ .format = "text", .sides = { "", "" } };
    for (int i = 1; i < argc; i++) {
        const char *a = argv[i];
        if (options && strcmp(a, "--") == 0)
            options = false;
        else if (options && (strcmp(a, "--help") == 0 || strcmp(a, "-h") == 0))
            r->help = true;
        else if (options && strcmp(a, "--all") == 0)
            r->all = true;
        else if (options && strncmp(a, "--format=", 9) == 0)
            r->format = a + 9;
        else if (options && strcmp(a, "--format") == 0 && i + 1 < argc)
            r->format = argv[++i];
        else if (options && a[0] == '-' && a[1])
            return complain(EXIT_USAGE, "'diff' has no option '%s' (%s)", a, usage);
        else if (r->n == 2)
            return complain(EXIT_USAGE, "two reports or processes: %s", usage);
        else
            r->sides[r->n++] = a;
    }
    if (!r->help && r->n != 2)
        return complain(EXIT_USAGE, "two reports or processes: %s", usage);
    if (!r->help && r->sides[0][0] == '-' && r->sides[1][0] == '-')
        return complain(EXIT_USAGE, "one of the two may be standard input, not both");
    return 0;
}

/* A file of that name comes before a process of that number. */
static bool is_pid(const char *text, pid_t *pid)
{
    double v;
    if (text[strspn(text, "0123456789")] || access(text, F_OK) == 0 ||
        !parse_number(text, 1, INT_MAX, &v))
        return false;
    *pid = (pid_t)v;
    return true;
}

/* 0, or the exit status after a complaint. */
static int take(struct loopknot_diagnosis *d, const char *side)
{
    char why[700];
    pid_t pid;
    const int status = is_pid(side, &pid) ? loopknot_examine(d, pid, NULL, why, sizeof why)
                                          : loopknot_load(d, side, why, sizeof why);
    if (status == LOOPKNOT_NO_MEMORY)
        end_without_memory();
    return status ? complain(EXIT_NO_REPORT, "%s", why) : 0;
}

static int compare(const struct request *r)
{
    struct loopknot_diagnosis *d[] = { loopknot_create(), loopknot_create() };
    struct loopknot_render how = loopknot_render_default();
    bool same = false;
    if (!d[0] || !d[1])
        end_without_memory();
    how.color = isatty(STDOUT_FILENO) && !getenv("NO_COLOR");
    how.width = terminal_width(STDOUT_FILENO);
    how.all = r->all;
    int status = take(d[0], r->sides[0]);
    status = status ? status : take(d[1], r->sides[1]);
    if (!status) {
        const int written = loopknot_compare(d[0], d[1], r->format, &how, stdout, &same);
        if (written == LOOPKNOT_NO_MEMORY)
            end_without_memory();
        status = written == LOOPKNOT_USAGE
                     ? complain(EXIT_USAGE, "'diff' has no format '%s' (%s)", r->format, usage)
                 : written
                     ? complain(EXIT_NO_REPORT, "could not write to stdout: %s", strerror(errno))
                     : !same;
    }
    loopknot_destroy(d[0]);
    loopknot_destroy(d[1]);
    return status;
}

int command_diff(int argc, char **argv)
{
    struct request r;
    const int status = parse(argc, argv, &r);
    if (status)
        return status;
    if (!r.help) {
        signal(SIGPIPE, SIG_IGN);
        return compare(&r);
    }
    printf("usage: %s\n"
           "A and B are reports that loopknot wrote with --format json (- is standard input), or "
           "process ids: those are\nexamined now. Tells which findings are new, gone or still "
           "there, and of a process that both show which threads\nmoved and which stand where they "
           "stood.\n"
           "Exit status: 0 the same verdict and findings; 1 they differ; 2 usage; 3 no report "
           "(stderr says why).\n",
           usage);
    return flushed(0);
}
