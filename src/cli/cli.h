/* What the commands of the program share. The program uses the library through loopknot.h alone. */
#ifndef LK_CLI_CLI_H
#define LK_CLI_CLI_H

/** Exit statuses scripts depend on. */
enum {
    EXIT_FOUND = 1, /* something at or above --fail-on */
    EXIT_USAGE = 2,
    EXIT_NO_REPORT = 3,
    EXIT_UNKNOWN = 4, /* the verdict is unknown */
    EXIT_NO_MEMORY = 125,
};

int command_attach(int argc, char **argv);
int command_run(int argc, char **argv);
int command_capture(int argc, char **argv);
int command_core(int argc, char **argv);
int command_analyze(int argc, char **argv);
int command_diff(int argc, char **argv);
int command_doctor(int argc, char **argv);
int command_rules(int argc, char **argv);
int command_explain(int argc, char **argv);

/** One line on stderr, "loopknot: ..."; returns status so that failing is one line. */
int complain(int status, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/** status, or EXIT_NO_REPORT after a complaint when stdout could not take what was printed. */
int flushed(int status);
/** A closed pipe is a write error from here on, no sudden death: when all else is done,
 * stdout_lost() ends the program by SIGPIPE. */
void wait_for_closed_pipes(void);
/** What was to be written to stdout is lost, for a reason of errno(3): EXIT_NO_REPORT after a
 * complaint. Who closes a pipe has read enough, as head(1): that is the end without a word. */
int stdout_lost(int why);
/** Says that memory ran out and ends the program with EXIT_NO_MEMORY; needs no memory. */
__attribute__((noreturn)) void end_without_memory(void);
void print_attach_help(void);
/** The version, and of which commit and with which parts it was built: one line on stdout. */
void print_version(void);

#endif
