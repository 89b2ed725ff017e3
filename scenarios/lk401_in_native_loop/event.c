/*
 * Loops of libevent, in a program without Python. An argument says what a callback does: "waits"
 * for a condition that only another callback of the same loop would signal; "joins" a thread that
 * takes long; "nests" another loop, which idles; "returns" at once, so that the loop idles while a
 * thread beside it waits for work.
 */
#include "common.h"

#include <event2/event.h>
#include <string.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int answered;

static void *convert(void *arg)
{
    (void)arg;
    sleep(600);
    return NULL;
}

static void *work_off(void *arg)
{
    (void)arg;
    pthread_mutex_lock(&lock);
    while (!answered)
        pthread_cond_wait(&changed, &lock);
    pthread_mutex_unlock(&lock);
    return NULL;
}

static void on_answer(evutil_socket_t fd, short what, void *arg)
{
    (void)fd, (void)what, (void)arg;
    pthread_mutex_lock(&lock);
    answered = 1;
    pthread_cond_signal(&changed);
    pthread_mutex_unlock(&lock);
}

static void on_waits(evutil_socket_t fd, short what, void *arg)
{
    const struct timeval soon = { .tv_usec = 1000 };
    (void)fd, (void)what;
    event_base_once(arg, -1, EV_TIMEOUT, on_answer, arg, &soon);
    pthread_mutex_lock(&lock);
    while (!answered)
        GUILTY(pthread_cond_wait(&changed, &lock));
    pthread_mutex_unlock(&lock);
}

static void on_joins(evutil_socket_t fd, short what, void *arg)
{
    pthread_t worker = start_thread(convert, NULL);
    (void)fd, (void)what, (void)arg;
    GUILTY(pthread_join(worker, NULL));
}

static void on_nests(evutil_socket_t fd, short what, void *arg)
{
    struct event_base *inner = event_base_new();
    (void)fd, (void)what, (void)arg;
    WAITING(event_base_loop(inner, EVLOOP_NO_EXIT_ON_EMPTY));
}

static void on_returns(evutil_socket_t fd, short what, void *arg)
{
    (void)fd, (void)what, (void)arg;
    start_thread(work_off, NULL);
    say("waiting", __func__, __FILE__, __LINE__);
}

static const struct {
    const char *name;
    event_callback_fn callback;
} modes[] = {
    { "waits", on_waits }, { "joins", on_joins }, { "nests", on_nests }, { "returns", on_returns }
};

int main(int argc, char **argv)
{
    const struct timeval soon = { .tv_usec = 1000 };
    struct event_base *base = event_base_new();
    begin();
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++)
        if (argc > 1 && strcmp(argv[1], modes[i].name) == 0)
            event_base_once(base, -1, EV_TIMEOUT, modes[i].callback, base, &soon);
    return event_base_loop(base, EVLOOP_NO_EXIT_ON_EMPTY);
}
