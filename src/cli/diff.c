/*
 * `loopknot diff A B`: what changed from one report to another. Each side is a JSON report, a
 * capture or a live process, which are then examined as `loopknot PID` would.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/options.h"
#include "cli/words.h"
#include "loopknot.h"

static const char usage[] = "loopknot diff [--format text|json] [--all] [--redact REGEX] A B";

static int parse(int argc, char **argv, struct words *w)
{
    const int status = words_parse(w, argc, argv, true);
    if (status || w->help)
        return status;
    if (w->n != 2)
        return complain(EXIT_USAGE, "two reports, captures or processes: %s", usage);
    if (strcmp(w->v[0], "-") == 0 && strcmp(w->v[1], "-") == 0)
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

static void tell(pid_t pid, bool gone, const char *message, void *arg)
{
    (void)pid, (void)gone, (void)arg;
    complain(0, "%s", message);
}

/* 0, or the exit status after a complaint. */
static int take(struct loopknot_diagnosis *d, const char *side)
{
    char why[700];
    pid_t pid;
    const bool live = is_pid(side, &pid);
    const int status = live ? loopknot_examine(d, pid, NULL, why, sizeof why)
                            : loopknot_analyze(d, side, NULL, tell, NULL);
    if (status == LOOPKNOT_NO_MEMORY)
        end_without_memory();
    if (status && live)
        complain(0, "%s", why);
    return status ? EXIT_NO_REPORT : 0;
}

static int compare(const struct words *w)
{
    struct loopknot_diagnosis *d[] = { redactions_diagnosis(&w->redact),
                                       redactions_diagnosis(&w->redact) };
    const struct loopknot_render how = words_render(w);
    bool same = false;
    int status = take(d[0], w->v[0]);
    status = status ? status : take(d[1], w->v[1]);
    if (!status) {
        const int written = loopknot_compare(d[0], d[1], w->format, &how, stdout, &same);
        if (written == LOOPKNOT_NO_MEMORY)
            end_without_memory();
        status = written == LOOPKNOT_USAGE
                     ? complain(EXIT_USAGE, "'diff' has no format '%s' (%s)", w->format, usage)
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
    struct words w;
    const int status = parse(argc, argv, &w);
    if (status)
        return status;
    if (!w.help)
        return compare(&w);
    printf("usage: %s\n"
           "A and B are reports that loopknot wrote with --format json (- is standard input), "
           "captures, or process ids, whose\nprocesses are examined now. Tells which findings are "
           "new, gone or still "
           "there, and of a process that both show which threads\nmoved and which stand where they "
           "stood.\n"
           "Exit status: 0 the same verdict and findings; 1 they differ; 2 usage; 3 no report "
           "(stderr says why).\n",
           usage);
    return flushed(0);
}
