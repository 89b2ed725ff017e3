/*
 * The guardian: a small process between loopknot and the command. It is the command's parent and
 * the subreaper of all that the command starts, daemons included, and tied to loopknot by a socket:
 * when loopknot is gone, however it went, the guardian ends the whole tree. It has a session of its
 * own, so that neither ^C, a closed terminal nor a signal to loopknot's process group reaches it;
 * the command stays in loopknot's session and process group, as if it had been started without us.
 */
#ifndef LK_CLI_RUN_GUARDIAN_H
#define LK_CLI_RUN_GUARDIAN_H

#include <stdbool.h>
#include <stdint.h>

#include "cli/run/signals.h"

enum lk_guard_word {
    /* From the guardian. */
    LK_GUARD_STARTED = 1, /* a: its own pid, b: the command's */
    LK_GUARD_NOT_RUN,     /* a: errno of execve; the guardian is leaving */
    LK_GUARD_STOPPED,     /* the command was stopped by signal a */
    LK_GUARD_ENDED,       /* the command's wait status is a */
    /* after LK_GUARD_END: a processes are left that could not be ended, b is one of them */
    LK_GUARD_CLEAR,
    /* To the guardian. */
    LK_GUARD_SIGNAL, /* send signal a to the command */
    LK_GUARD_RESUME, /* SIGCONT to the command if it is still stopped */
    /* signal b to the tree (0: none), after a milliseconds SIGTERM, after as many SIGKILL; said
     * again: SIGTERM, and the new grace counts from now */
    LK_GUARD_END,
    LK_GUARD_LEAVE, /* the command has ended: leave what it left behind alone, and go */
};

struct lk_guard_message {
    int32_t word, a, b;
};

/** A socket pair for the messages, both ends close-on-exec and above the standard streams. False
 * with errno. */
bool lk_guard_pair(int fds[2]);
bool lk_guard_send(int fd, enum lk_guard_word word, int32_t a, int32_t b);
/** 1 a message, 0 the other end is gone, -1 nothing there (never blocks). */
int lk_guard_receive(int fd, struct lk_guard_message *ret);

/** Makes the calling process the guardian and starts the command; fd is its end of the pair. */
_Noreturn void lk_guardian(int fd, char **command, const struct lk_inherited *inherited);

/** Closes every descriptor but keep[n]; standard streams that are closed then are /dev/null. */
void lk_guard_close_all_but(const int *keep, unsigned n);

#endif
