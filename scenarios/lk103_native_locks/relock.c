/* A thread takes a normal mutex again that it holds, two calls further in. */
#include "common.h"

static pthread_mutex_t table = PTHREAD_MUTEX_INITIALIZER;

static void look_up(void)
{
    GUILTY(pthread_mutex_lock(&table));
    pthread_mutex_unlock(&table);
}

static void *update(void *arg)
{
    (void)arg;
    pthread_mutex_lock(&table);
    look_up();
    pthread_mutex_unlock(&table);
    return NULL;
}

int main(void)
{
    begin();
    pthread_t t = start_thread(update, NULL);
    WAITING(pthread_join(t, NULL));
    return 0;
}
