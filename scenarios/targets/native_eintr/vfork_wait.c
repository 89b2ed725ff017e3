/*
 * A thread that waits in vfork() for its child (kernel/fork.c, wait_for_vfork_done: it cannot be stopped there), again and
 * again: the child reads one byte from standard input and ends.
 *
 * usage: vfork_wait COUNTERS-FILE      counters: 0 children that ended, 1 another thread spins
 */
#include <pthread.h>
#include <sys/wait.h>

#include "counters.h"

static void *spin_thread(void *unused)
{
    for (;;)
        beat(1);
    return unused;
}

int main(int argc, char **argv)
{
    if (argc != 2)
        return 2;
    counters_open(argv[1]);
    pthread_t thread;
    if (pthread_create(&thread, NULL, spin_thread, NULL) != 0)
        return 2;
    puts("ready");
    fflush(stdout);
    for (;;) {
        pid_t child = vfork();
        if (child == 0) {
            char byte;
            _exit(read(0, &byte, 1) == 1 ? 0 : 1);
        }
        int status;
        if (child < 0 || waitpid(child, &status, 0) != child || status != 0)
            return 0; /* end of input */
        beat(0);
    }
}
