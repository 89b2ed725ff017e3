/*
 * What looks like a deadlock of mutexes and is none. "sleeper": the mutex's holder sleeps. "timed": two mutexes in opposite
 * order, one of the threads takes its second one with a timeout. "condition": the waiter of a condition has given its mutex
 * back. "contended": two threads take two mutexes in the same order, without end.
 */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "common.h"

static pthread_mutex_t first = PTHREAD_MUTEX_INITIALIZER, second = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;

static void *want_first(void *arg)
{
    (void)arg;
    WAITING(pthread_mutex_lock(&first));
    return NULL;
}

static void hold_and_sleep(void)
{
    pthread_mutex_lock(&first);
    start_thread(want_first, NULL);
    for (;;)
        WAITING(sleep(1000));
}

static void *second_then_first(void *arg)
{
    (void)arg;
    pthread_mutex_lock(&second);
    pthread_barrier_wait(&everybody_has_one);
    GUILTY(pthread_mutex_lock(&first));
    return NULL;
}

static void first_then_second_timed(void)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 600;
    pthread_mutex_lock(&first);
    pthread_barrier_wait(&everybody_has_one);
    GUILTY(pthread_mutex_timedlock(&second, &until));
}

static void *consume(void *arg)
{
    (void)arg;
    pthread_mutex_lock(&first);
    WAITING(pthread_cond_wait(&changed, &first));
    return NULL;
}

static void wait_for_consumer(void)
{
    pthread_t t = start_thread(consume, NULL);
    WAITING(pthread_join(t, NULL));
}

static void *in_order(void *arg)
{
    (void)arg;
    for (;;) {
        pthread_mutex_lock(&first);
        pthread_mutex_lock(&second);
        usleep(2000);
        pthread_mutex_unlock(&second);
        pthread_mutex_unlock(&first);
    }
    return NULL;
}

int main(int argc, char **argv)
{
    const char *kind = argc > 1 ? argv[1] : "sleeper";
    begin();
    pthread_barrier_init(&everybody_has_one, NULL, 2);
    if (strcmp(kind, "sleeper") == 0)
        hold_and_sleep();
    if (strcmp(kind, "timed") == 0) {
        start_thread(second_then_first, NULL);
        first_then_second_timed();
    }
    if (strcmp(kind, "condition") == 0)
        wait_for_consumer();
    if (strcmp(kind, "contended") == 0) {
        start_thread(in_order, NULL);
        in_order(NULL);
    }
    return 0;
}
