/* A C library that knows nothing of Python: a table with a mutex, which calls back while it holds it. */
#include <pthread.h>
#include <unistd.h>

static pthread_mutex_t table = PTHREAD_MUTEX_INITIALIZER;
static volatile int walking, looking_up;

int table_lookup(void)
{
    looking_up = 1;
    pthread_mutex_lock(&table);
    pthread_mutex_unlock(&table);
    return 0;
}

int table_walking(void)
{
    return walking;
}

/* Calls back with the mutex in its hands; with wait only once a lookup has begun. */
void table_walk(void (*visit)(void), int wait)
{
    pthread_mutex_lock(&table);
    walking = 1;
    while (wait && !looking_up)
        usleep(1000);
    usleep(1000);
    visit();
    pthread_mutex_unlock(&table);
}

/* Blocking calls, for who does not give the GIL up. */
int table_sleep(int seconds)
{
    return (int)sleep((unsigned)seconds);
}

long table_receive(int fd)
{
    char byte;
    return read(fd, &byte, 1);
}
