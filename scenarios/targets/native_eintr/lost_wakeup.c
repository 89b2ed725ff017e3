/*
 * A wakeup that is lost in libevent: the base was made without evthread_use_pthreads(), so event_active() from
 * another thread queues the event and wakes nobody; the loop sleeps in epoll_wait for ever. An interruption of that
 * epoll_wait would run the event, that is: destroy the evidence.
 *
 * usage: lost_wakeup COUNTERS-FILE     counters: 0 the event's callback has run, 1 the other thread goes on
 */
#include <event2/event.h>
#include <pthread.h>
#include <time.h>

#include "counters.h"

static struct event *lost;

static void on_event(evutil_socket_t fd, short what, void *argument)
{
    (void)fd, (void)what, (void)argument;
    beat(0);
}

static void *other_thread(void *unused)
{
    struct timespec pause = { .tv_nsec = 200000000 };
    nanosleep(&pause, NULL); /* until the loop sleeps: the earlier it is queued, the more surely it would be seen */
    event_active(lost, EV_READ, 1);
    puts("ready");
    fflush(stdout);
    for (;;) {
        beat(1);
        pause.tv_nsec = 5000000;
        nanosleep(&pause, NULL);
    }
    return unused;
}

int main(int argc, char **argv)
{
    if (argc != 2)
        return 2;
    counters_open(argv[1]);
    int never[2];
    struct event_base *base = event_base_new();
    if (!base || pipe(never) < 0)
        return 2;
    struct event *keeps_it_running = event_new(base, never[0], EV_READ | EV_PERSIST, on_event, NULL);
    event_add(keeps_it_running, NULL);
    lost = event_new(base, -1, EV_READ, on_event, NULL);
    pthread_t thread;
    if (pthread_create(&thread, NULL, other_thread, NULL) != 0)
        return 2;
    return event_base_dispatch(base);
}
