/* The table of commands and the choice among them; without a command it is attach. */
#include "cli/cli.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "cli/run/descriptor_limit.h"
#include "loopknot.h"
#include "util/memory.h"

static const struct command {
    const char *name;
    int (*run)(int argc, char **argv); /* argv[0] is the command's name */
    const char *usage, *help;
} commands[] = {
    { "attach", command_attach, "loopknot [attach] [options] PID...",
      "sample live processes, diagnose them, print a report, detach" },
    { "run", command_run, "loopknot run [options] -- CMD...",
      "run CMD; diagnose its process tree when it hangs, and end it" },
    { "capture", command_capture, "loopknot capture PID... -o FILE",
      "write what is read of processes into FILE" },
    { "core", command_core, "loopknot core CORE [EXE]", "diagnose a process by its core dump" },
    { "analyze", command_analyze, "loopknot analyze [options] FILE",
      "report on a capture, or write a JSON report again, on any machine" },
    { "diff", command_diff, "loopknot diff [options] A B",
      "what changed from one JSON report, or process, to another" },
    { "rules", command_rules, "loopknot rules", "list the rules" },
    { "explain", command_explain, "loopknot explain RULE...",
      "explain rules: cause, evidence, remedy, sources" },
};
static const size_t n_commands = sizeof commands / sizeof commands[0];

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
    lk_memory_set_last_resort(end_without_memory);
    descriptor_limit_raise();
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
