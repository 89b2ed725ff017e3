/* Three threads, each with one mutex in its hands, each waiting for the next one's. */
#include "common.h"

static pthread_mutex_t forks[3] = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER };

static void *dine(void *arg)
{
    size_t seat = (size_t)arg;
    pthread_mutex_lock(&forks[seat]);
    pthread_barrier_wait(&everybody_has_one);
    GUILTY(pthread_mutex_lock(&forks[(seat + 1) % 3]));
    return NULL;
}

int main(void)
{
    begin();
    pthread_barrier_init(&everybody_has_one, NULL, 3);
    for (size_t i = 1; i < 3; i++)
        start_thread(dine, (void *)i);
    dine(NULL);
    return 0;
}
