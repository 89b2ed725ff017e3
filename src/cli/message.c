/*
 * What the program says of itself on stderr: one line a message, and whether what it printed to
 * stdout has arrived.
 */
#include "cli/cli.h"

#include <errno.h>
#include <stdarg.h>
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

/* What was printed must have arrived: a full disk or a closed pipe shows only when the stream is
 * flushed. */
int flushed(int status)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return status;
    return complain(EXIT_NO_REPORT, "could not write to stdout: %s", strerror(errno));
}
