/* The table of commands and the choice among them; without a command it is attach, of processes by
 * number or name. */
#include "cli/cli.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "cli/find_process.h"
#include "cli/run/descriptor_limit.h"
#include "loopknot.h"
#include "util/memory.h"
#include "util/spelling.h"

static int command_help(int argc, char **argv);

static const struct command {
    const char *name;
    int (*run)(int argc, char **argv); /* argv[0] is the command's name */
    const char *usage, *help;
} commands[] = {
    { "attach", command_attach, "loopknot [attach] [options] PID|NAME...",
      "sample live processes, diagnose them, print a report, detach" },
    { "run", command_run, "loopknot run [options] -- CMD...",
      "run CMD; diagnose its process tree when it hangs, and end it" },
    { "capture", command_capture, "loopknot capture PID|NAME... -o FILE",
      "write what is read of processes into FILE" },
    { "core", command_core, "loopknot core CORE [EXE]", "diagnose a process by its core dump" },
    { "analyze", command_analyze, "loopknot analyze [options] FILE",
      "report on a capture, or write a JSON report again, on any machine" },
    { "diff", command_diff, "loopknot diff [options] A B",
      "what changed from one JSON report, or process, to another" },
    { "doctor", command_doctor, "loopknot doctor [PID|NAME]",
      "which permission is missing, and the smallest way to give it" },
    { "rules", command_rules, "loopknot rules", "list the rules" },
    { "explain", command_explain, "loopknot explain RULE...",
      "explain rules: cause, evidence, remedy, sources" },
    { "help", command_help, "loopknot help [COMMAND]", "this text, or that of a command" },
};
static const size_t n_commands = sizeof commands / sizeof commands[0];

static void print_help(void)
{
    puts("loopknot: says what is wrong with a hung, threaded Python server, from "
         "outside.\n\nCommands:");
    for (size_t i = 0; i < n_commands; i++)
        printf("  %-40s %s\n", commands[i].usage, commands[i].help);
    puts("  loopknot --version (-V) | --help (-h) | COMMAND --help\n");
    print_attach_help();
}

static const struct command *find_command(const char *name)
{
    for (size_t i = 0; i < n_commands; i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}

static int complain_of_command(const char *word)
{
    const struct command *best = &commands[0];
    for (size_t i = 1; i < n_commands; i++)
        if (lk_spelling_distance(word, commands[i].name) < lk_spelling_distance(word, best->name))
            best = &commands[i];
    return complain(EXIT_USAGE,
                    "there is no command, no process and no systemd unit '%s'; the nearest command "
                    "is %s (loopknot --help lists them)",
                    word, best->name);
}

static int command_help(int argc, char **argv)
{
    static char help[] = "--help";
    const struct command *c = argc > 1 ? find_command(argv[1]) : NULL;
    if (c && c->run != command_help)
        return c->run(2, (char *[]){ argv[1], help, NULL });
    if (argc > 1 && !c)
        return complain_of_command(argv[1]);
    print_help();
    return flushed(0);
}

static bool is(const char *word, const char *name, const char *letter)
{
    return strcmp(word, name) == 0 || strcmp(word, letter) == 0;
}

int main(int argc, char **argv)
{
    lk_memory_set_last_resort(end_without_memory);
    descriptor_limit_raise();
    if (argc < 2) {
        fputs("usage: loopknot PID...   (loopknot --help lists commands and options)\n", stderr);
        return EXIT_USAGE;
    }
    if (is(argv[1], "--version", "-V")) {
        print_version();
        return flushed(0);
    }
    if (is(argv[1], "--help", "-h"))
        return command_help(1, argv);
    const struct command *c = find_command(argv[1]);
    if (c)
        return c->run(argc - 1, argv + 1);
    /* `loopknot PID`, `loopknot NAME` and `loopknot --option PID` are attach. */
    if (argv[1][0] == '-' || isdigit((unsigned char)argv[1][0]) || find_process_any(argv[1]))
        return command_attach(argc, argv);
    return complain_of_command(argv[1]);
}
