/*
 * Reader-writer locks. "writers": two of them, each thread writes one and wants to write the other. "mixed": one thread
 * writes and wants a mutex, the mutex's holder wants to read.  "readers": the same, but the lock is held for reading: glibc
 * keeps no list of readers, so the cycle is there and cannot be proven.
 */
#include <string.h>

#include "common.h"

static pthread_rwlock_t config = PTHREAD_RWLOCK_INITIALIZER, routes = PTHREAD_RWLOCK_INITIALIZER;
static pthread_mutex_t cache = PTHREAD_MUTEX_INITIALIZER;

static void *write_routes_then_config(void *arg)
{
    (void)arg;
    pthread_rwlock_wrlock(&routes);
    pthread_barrier_wait(&everybody_has_one);
    GUILTY(pthread_rwlock_wrlock(&config));
    return NULL;
}

static void write_config_then_routes(void)
{
    pthread_rwlock_wrlock(&config);
    pthread_barrier_wait(&everybody_has_one);
    GUILTY(pthread_rwlock_wrlock(&routes));
}

static void *cache_then_read(void *arg)
{
    (void)arg;
    pthread_mutex_lock(&cache);
    pthread_barrier_wait(&everybody_has_one);
    GUILTY(pthread_rwlock_rdlock(&config));
    return NULL;
}

static void write_then_cache(void)
{
    pthread_rwlock_wrlock(&config);
    pthread_barrier_wait(&everybody_has_one);
    GUILTY(pthread_mutex_lock(&cache));
}

static void *cache_then_write(void *arg)
{
    (void)arg;
    pthread_mutex_lock(&cache);
    pthread_barrier_wait(&everybody_has_one);
    GUILTY(pthread_rwlock_wrlock(&config));
    return NULL;
}

static void read_then_cache(void)
{
    pthread_rwlock_rdlock(&config);
    pthread_barrier_wait(&everybody_has_one);
    GUILTY(pthread_mutex_lock(&cache));
}

int main(int argc, char **argv)
{
    const char *kind = argc > 1 ? argv[1] : "writers";
    begin();
    pthread_barrier_init(&everybody_has_one, NULL, 2);
    if (strcmp(kind, "writers") == 0) {
        start_thread(write_routes_then_config, NULL);
        write_config_then_routes();
    } else if (strcmp(kind, "mixed") == 0) {
        start_thread(cache_then_read, NULL);
        write_then_cache();
    } else {
        start_thread(cache_then_write, NULL);
        read_then_cache();
    }
    return 0;
}
