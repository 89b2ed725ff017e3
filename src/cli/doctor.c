/*
 * `loopknot doctor [PID|NAME]`: which gates stand between us and a process, or others' processes in
 * general, which of them are shut, and what opens them.
 */
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/find_process.h"
#include "cli/options.h"
#include "process/live/gates.h"

static int help(void)
{
    puts(
        "usage: loopknot doctor [PID|NAME]\n"
        "Lists what the kernel asks before a process may be examined: is it open or SHUT, why, and "
        "the smallest\n"
        "way to open it. Without a process: what stands before the processes of others. Nothing is "
        "changed.\n"
        "Exit status: 0 all is open; 1 a gate is shut; 2 usage; 3 no such process (stderr says "
        "so).");
    return flushed(0);
}

/* 0, or the exit status after a complaint. */
static int parse(int argc, char **argv, pid_t *pid)
{
    bool several;
    double v;
    const char *word = argc > 1 ? argv[1] : NULL;
    if (argc > 2)
        return complain(EXIT_USAGE, "one process: loopknot doctor [PID|NAME]");
    if (word && *word == '-')
        return complain(EXIT_USAGE, "'doctor' has no option '%s'; it has --help", word);
    if (!word || word[strspn(word, "0123456789")])
        return word ? find_process(word, pid, &several) : 0;
    if (!parse_number(word, 1, INT_MAX, &v))
        return complain(EXIT_USAGE, "'%s' is no process id", word);
    *pid = (pid_t)v;
    return 0;
}

static void print(const struct lk_gates *g, const char *shut_ink, const char *plain)
{
    const char *told = "";
    for (size_t i = 0; i < g->n; i++) {
        const struct lk_gate *gate = &g->v[i];
        printf("  %-20s %s%s%s  %s\n", gate->name, gate->shut ? shut_ink : "",
               gate->shut ? "SHUT" : "open", gate->shut ? plain : "", gate->fact);
        if (*gate->mend && strcmp(gate->mend, told) != 0)
            printf("      %s\n", gate->mend);
        told = gate->mend;
    }
}

/* The last line is the one that is looked for. */
static int conclude(pid_t pid, const struct lk_gates *g)
{
    size_t shut = 0;
    for (size_t i = 0; i < g->n; i++)
        shut += g->v[i].shut;
    const char *what = pid && !g->readable      ? "It cannot be examined"
                       : pid && g->refusal.code ? "It can be examined, but not all of it is seen"
                       : pid                    ? "It can be examined"
                       : shut ? "Processes of others cannot be examined, or not all of them is seen"
                              : "All processes that are seen from here can be examined";
    if (pid && g->refusal.code && !shut)
        printf("\n%s: %s\n", what, g->refusal.text);
    else if (shut)
        printf("\n%s: %zu of %zu gates %s shut.\n", what, shut, g->n, shut == 1 ? "is" : "are");
    else
        printf("\n%s.\n", what);
    return flushed(shut || (pid && (!g->readable || g->refusal.code)));
}

int command_doctor(int argc, char **argv)
{
    struct lk_gates g;
    pid_t pid = 0;
    if (argc == 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0))
        return help();
    const int status = parse(argc, argv, &pid);
    if (status)
        return status;
    if (!lk_gates_look(pid, &g))
        return complain(EXIT_NO_REPORT, "%s", g.refusal.text);
    const bool color = terminal_color(STDOUT_FILENO);
    if (pid)
        printf("Gates before process %d:\n", (int)pid);
    else
        puts("Gates before others' processes:");
    print(&g, color ? "\033[1;31m" : "", color ? "\033[0m" : "");
    return conclude(pid, &g);
}
