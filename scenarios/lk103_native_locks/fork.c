/*
 * A thread holds a mutex while another one forks: in the child nobody is left who could give it back. "near": the forking
 * thread itself holds it, and gives it back in the child.
 */
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/prctl.h>

#include "common.h"

static pthread_mutex_t arena = PTHREAD_MUTEX_INITIALIZER;

static void *hold(void *arg)
{
    (void)arg;
    pthread_mutex_lock(&arena);
    pthread_barrier_wait(&everybody_has_one);
    for (;;)
        pause();
    return NULL;
}

static void in_child(void)
{
    GUILTY(pthread_mutex_lock(&arena));
}

static void *want(void *arg)
{
    (void)arg;
    WAITING(pthread_mutex_lock(&arena));
    return NULL;
}

static void worker(void)
{
    char text[64];
    int n = snprintf(text, sizeof text, "{\"event\": \"worker\", \"pid\": %d}\n", (int)getpid());
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (write(1, text, (size_t)n) != n)
        _exit(1);
}

int main(int argc, char **argv)
{
    bool near = argc > 1 && strcmp(argv[1], "near") == 0;
    begin();
    pthread_barrier_init(&everybody_has_one, NULL, 2);
    if (near) {
        pthread_mutex_lock(&arena);
    } else {
        start_thread(hold, NULL);
        pthread_barrier_wait(&everybody_has_one);
    }
    usleep(20000); /* the parent's threads are older than the child by the kernel's clock ticks */
    if (fork() == 0) {
        worker();
        if (near) {
            start_thread(want, NULL);
            for (;;)
                WAITING(pause());
        }
        in_child();
    }
    for (;;)
        pause();
}
