/*
 * What the program says of itself on stderr: one line a message, and whether what it printed to
 * stdout has arrived.
 */
#include "cli/cli.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

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

void end_without_memory(void)
{
    static const char text[] = "loopknot: out of memory\n";
    ssize_t ignored = write(STDERR_FILENO, text, sizeof text - 1);
    (void)ignored;
    _exit(EXIT_NO_MEMORY);
}

static bool pipes_may_end_us; /* what began us has not asked for anything else */

void wait_for_closed_pipes(void)
{
    pipes_may_end_us = signal(SIGPIPE, SIG_IGN) == SIG_DFL;
}

int stdout_lost(int why)
{
    if (why == EPIPE && pipes_may_end_us) {
        signal(SIGPIPE, SIG_DFL);
        raise(SIGPIPE);
    }
    return complain(EXIT_NO_REPORT, "could not write to stdout: %s", strerror(why));
}

/* What was printed must have arrived: a full disk or a closed pipe shows only when the stream is
 * flushed. */
int flushed(int status)
{
    return fflush(stdout) == 0 && !ferror(stdout) ? status : stdout_lost(errno);
}
