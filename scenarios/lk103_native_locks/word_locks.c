/*
 * Two threads take two locks of the program's own, made of futex(2) as other C libraries' and
 * languages' are, in opposite order. What such a word is, nobody can know from outside.
 */
#include <linux/futex.h>
#include <sys/syscall.h>

#include "common.h"

static int words[2];

static int take(int *word)
{
    while (__atomic_exchange_n(word, 1, __ATOMIC_ACQUIRE))
        syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, 1, NULL, NULL, 0);
    return 0;
}

static void *run(void *arg)
{
    size_t first = (size_t)arg;
    take(&words[first]);
    pthread_barrier_wait(&everybody_has_one);
    GUILTY(take(&words[!first]));
    return NULL;
}

int main(void)
{
    begin();
    pthread_barrier_init(&everybody_has_one, NULL, 2);
    start_thread(run, (void *)1);
    run(NULL);
    return 0;
}
