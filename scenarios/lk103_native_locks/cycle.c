/*
 * Two threads of a C program take two mutexes in opposite order. The argument says which kind of mutex. A cycle of
 * priority-inheriting ones is found by the kernel itself: the second thread is then put to sleep for ever by the C library
 * (EDEADLK in nptl/pthread_mutex_lock.c); "half_inherit" makes only one of the two such a mutex, which the kernel cannot see.
 */
#include <string.h>

#include "common.h"

static pthread_mutex_t accounts, journal;

static void *book(void *arg)
{
    (void)arg;
    pthread_mutex_lock(&journal);
    pthread_barrier_wait(&everybody_has_one);
    GUILTY(pthread_mutex_lock(&accounts));
    return NULL;
}

static void transfer(void)
{
    pthread_mutex_lock(&accounts);
    pthread_barrier_wait(&everybody_has_one);
    GUILTY(pthread_mutex_lock(&journal));
}

static void init(const char *kind)
{
    int type = PTHREAD_MUTEX_NORMAL, robust = PTHREAD_MUTEX_STALLED, protocol = PTHREAD_PRIO_NONE;
    if (strstr(kind, "errorcheck"))
        type = PTHREAD_MUTEX_ERRORCHECK;
    if (strstr(kind, "recursive"))
        type = PTHREAD_MUTEX_RECURSIVE;
    if (strstr(kind, "adaptive"))
        type = PTHREAD_MUTEX_ADAPTIVE_NP;
    if (strstr(kind, "robust"))
        robust = PTHREAD_MUTEX_ROBUST;
    if (strstr(kind, "inherit"))
        protocol = PTHREAD_PRIO_INHERIT;
    init_mutex(&accounts, type, robust, protocol);
    init_mutex(&journal, type, robust, strstr(kind, "half") ? PTHREAD_PRIO_NONE : protocol);
}

int main(int argc, char **argv)
{
    begin();
    init(argc > 1 ? argv[1] : "normal");
    pthread_barrier_init(&everybody_has_one, NULL, 2);
    start_thread(book, NULL);
    transfer();
    return 0;
}
