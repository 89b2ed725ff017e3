/*
 * What common.py is for programs in C: how they tell the driver what they are about to do. One line of JSON per
 * message, written with a single write(2). GUILTY(call) makes the truth where the call stands: this thread, this
 * function, this line.
 */
#ifndef SCENARIO_COMMON_H
#define SCENARIO_COMMON_H

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static inline void say(const char *event, const char *function, const char *file, int line)
{
    char text[1024];
    int n = snprintf(text, sizeof text, "{\"event\": \"%s\", \"pid\": %d, \"tid\": %d, \"function\": \"%s\", \"file\": \"%s\", \"line\": %d}\n",
                     event, (int)getpid(), (int)gettid(), function, file, line);
    if (write(1, text, (size_t)n) != n)
        _exit(1);
}

/* A program without a server says that it has begun. */
static inline void begin(void)
{
    char text[128];
    int n = snprintf(text, sizeof text, "{\"event\": \"listening\", \"pid\": %d, \"port\": null}\n", (int)getpid());
    if (write(1, text, (size_t)n) != n)
        _exit(1);
}

#define GUILTY(call) (say("stuck", __func__, __FILE__, __LINE__), (call))
#define WAITING(call) (say("waiting", __func__, __FILE__, __LINE__), (call))

/* Threads that must all have their first lock before any takes its second. */
static pthread_barrier_t everybody_has_one __attribute__((unused));

static inline pthread_t start_thread(void *(*run)(void *), void *arg)
{
    pthread_t t;
    if (pthread_create(&t, NULL, run, arg) != 0)
        abort();
    return t;
}

static inline void init_mutex(pthread_mutex_t *m, int type, int robust, int protocol)
{
    pthread_mutexattr_t a;
    pthread_mutexattr_init(&a);
    pthread_mutexattr_settype(&a, type);
    pthread_mutexattr_setrobust(&a, robust);
    pthread_mutexattr_setprotocol(&a, protocol);
    if (pthread_mutex_init(m, &a) != 0)
        abort();
}

#endif
