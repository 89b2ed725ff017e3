#include "cli/cli.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "loopknot.h"

const struct command commands[] = {
    { "attach", command_attach, "loopknot [attach] [options] PID...",
      "sample live processes, diagnose them, print a report, detach" },
    { "run", command_run, "loopknot run [options] -- CMD...",
      "run CMD; diagnose its process tree when it hangs, and end it" },
    { "rules", command_rules, "loopknot rules", "list the rules" },
    { "explain", command_explain, "loopknot explain RULE...",
      "explain rules: cause, evidence, remedy, sources" },
};
const size_t n_commands = sizeof commands / sizeof commands[0];

/* One line, whatever an argument or a name in it holds: control characters become '?'. */
int complain(int status, const char *fmt, ...)
{
    char line[4096];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(line, sizeof line, fmt, ap);
    va_end(ap);
    for (char *c = line; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            *c = '?';
    fprintf(stderr, "loopknot: %s\n", line);
    return status;
}

/* What was printed must have arrived: a full disk or a closed pipe shows only when the stream is
 * flushed. */
int flushed(int status)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return status;
    return complain(EXIT_NO_REPORT, "could not write to stdout: %s", strerror(errno));
}

static void print_help(void)
{
    puts("loopknot: says what is wrong with a hung, threaded Python server, from "
         "outside.\n\nCommands:");
    for (size_t i = 0; i < n_commands; i++)
        printf("  %-36s %s\n", commands[i].usage, commands[i].help);
    puts("  loopknot --version | --help | COMMAND --help\n");
    print_attach_help();
}

static const struct command *find_command(const char *name)
{
    for (size_t i = 0; i < n_commands; i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        fputs("usage: loopknot PID...   (loopknot --help lists commands and options)\n", stderr);
        return EXIT_USAGE;
    }
    if (strcmp(argv[1], "--version") == 0) {
        printf("loopknot %s\n", loopknot_version());
        return flushed(0);
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        print_help();
        return flushed(0);
    }
    const struct command *c = find_command(argv[1]);
    if (c)
        return c->run(argc - 1, argv + 1);
    /* `loopknot PID` and `loopknot --option PID` are attach. */
    if (argv[1][0] == '-' || isdigit((unsigned char)argv[1][0]))
        return command_attach(argc, argv);
    return complain(EXIT_USAGE, "this build has no command '%s' (loopknot --help lists them)",
                    argv[1]);
}
