/* The main thread joins a thread that wants the mutex which the main thread holds. */
#include "common.h"

static pthread_mutex_t state = PTHREAD_MUTEX_INITIALIZER;

static void *finish(void *arg)
{
    (void)arg;
    GUILTY(pthread_mutex_lock(&state));
    pthread_mutex_unlock(&state);
    return NULL;
}

static void stop_worker(void)
{
    pthread_mutex_lock(&state);
    pthread_t worker = start_thread(finish, NULL);
    GUILTY(pthread_join(worker, NULL));
    pthread_mutex_unlock(&state);
}

int main(void)
{
    begin();
    stop_worker();
    return 0;
}
