/*
 * The pager: $LOOPKNOT_PAGER, else $PAGER, else less; "" or "cat" is none. It gets LESS=FRX unless
 * LESS is set (quit on one screen, colours, no clearing of the screen), as git's pager.c does. A
 * command of one word is run by itself, any other by a shell, whose statuses 126 and 127 say that
 * there is no such command (sh(1)).
 */
#include "cli/pager.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { USUAL_ROWS = 24, USUAL_COLUMNS = 80, CANNOT_EXECUTE = 126, NOT_FOUND = 127 };

/* Set, and not to one of the words for no. */
static bool is_set(const char *variable)
{
    const char *v = getenv(variable);
    return v && *v && strcmp(v, "0") != 0 && strcmp(v, "false") != 0;
}

static bool on_ci_server(void)
{
    static const char *const variables[] = { "CI",       "GITHUB_ACTIONS", "GITLAB_CI",
                                             "TF_BUILD", "JENKINS_URL",    "TEAMCITY_VERSION" };
    for (size_t i = 0; i < sizeof variables / sizeof variables[0]; i++)
        if (is_set(variables[i]))
            return true;
    return false;
}

bool pager_wanted(void)
{
    const char *term = getenv("TERM");
    return isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) && isatty(STDERR_FILENO) && term &&
           *term && strcmp(term, "dumb") != 0 && tcgetpgrp(STDOUT_FILENO) == getpgrp() &&
           !on_ci_server();
}

/* Lines that a terminal makes of it: a line may be wider than the screen, an ink has no width. */
static size_t rows_of(const char *text, size_t n, size_t columns)
{
    size_t rows = 0, column = 0;
    for (size_t i = 0; i < n; i++) {
        if (text[i] == '\033') {
            while (i < n && text[i] != 'm')
                i++;
        } else if (text[i] == '\n') {
            rows++;
            column = 0;
        } else if (((unsigned char)text[i] & 0xc0) != 0x80 && column++ == columns) {
            rows++;
            column = 1;
        }
    }
    return rows + (column > 0);
}

/* The verdict and the shell's prompt come below it. */
static bool fits(const char *text, size_t n)
{
    struct winsize w = { 0 };
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) != 0 || !w.ws_row || !w.ws_col)
        w = (struct winsize){ .ws_row = USUAL_ROWS, .ws_col = USUAL_COLUMNS };
    return rows_of(text, n, w.ws_col) + 2 <= w.ws_row;
}

static const char *command(void)
{
    static const char *const variables[] = { "LOOPKNOT_PAGER", "PAGER" };
    for (size_t i = 0; i < sizeof variables / sizeof variables[0]; i++) {
        const char *v = getenv(variables[i]);
        if (v)
            return *v && strcmp(v, "cat") != 0 ? v : NULL;
    }
    return "less";
}

/* Starts it with fd as its standard input, and signals as a shell would give them. */
static bool start(const char *what, int fd, pid_t *pid)
{
    extern char **environ;
    const bool word = !what[strcspn(what, " \t\n|&;<>()$`\\\"'*?[#~=%")];
    char *text = strdup(what), sh[] = "sh", c[] = "-c";
    char *argv[] = { word ? text : sh, word ? NULL : c, text, NULL };
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t all, none;
    sigfillset(&all);
    sigemptyset(&none);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, fd, STDIN_FILENO);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
    setenv("LESS", "FRX", 0);
    setenv("LV", "-c", 0);
    const bool ok = text && posix_spawnp(pid, argv[0], &actions, &attributes, argv, environ) == 0;
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    free(text);
    return ok;
}

/* Who has read enough closes the pipe; SIGPIPE is ignored. */
static void feed(int fd, const char *text, size_t n)
{
    while (n) {
        const ssize_t done = write(fd, text, n);
        if (done < 0 && errno != EINTR)
            return;
        text += done > 0 ? done : 0;
        n -= done > 0 ? (size_t)done : 0;
    }
}

/* False when it never was. */
static bool wait_for(pid_t pid)
{
    int status = 0;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return !WIFEXITED(status) ||
           (WEXITSTATUS(status) != CANNOT_EXECUTE && WEXITSTATUS(status) != NOT_FOUND);
}

bool pager_show(const char *text, size_t n)
{
    /* The keys that send them are the pager's. */
    static const int numbers[] = { SIGINT, SIGQUIT, SIGPIPE };
    enum { N_NUMBERS = sizeof numbers / sizeof numbers[0] };
    struct sigaction old[N_NUMBERS], ignore = { .sa_handler = SIG_IGN };
    const char *what = command();
    int pipe_ends[2];
    pid_t pid;
    if (!what || fits(text, n) || pipe2(pipe_ends, O_CLOEXEC) != 0)
        return false;
    for (size_t i = 0; i < N_NUMBERS; i++)
        sigaction(numbers[i], &ignore, &old[i]);
    bool shown = start(what, pipe_ends[0], &pid);
    close(pipe_ends[0]);
    if (shown)
        feed(pipe_ends[1], text, n);
    close(pipe_ends[1]);
    shown = shown && wait_for(pid);
    for (size_t i = 0; i < N_NUMBERS; i++)
        sigaction(numbers[i], &old[i], NULL);
    return shown;
}
