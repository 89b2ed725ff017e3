/*
 * Heartbeats inside a target, and native frames between Python frames.
 *
 * A heartbeat is a native thread (SCHED_FIFO where permitted) that wakes every period and keeps the
 * longest gap between two beats in a file mapped by the measuring script as well. A stopped thread
 * cannot beat: the gap is the pause as the target lived it, whatever a tool says of itself. Each
 * thread's slot is one struct of 8 64-bit words.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

enum { SLOTS = 4, DEFAULT_PERIOD_US = 100 };

struct slot {
    uint64_t want;   /* written from outside: number of the measurement */
    uint64_t have;   /* the measurement the fields below belong to */
    uint64_t max_ns; /* longest gap */
    uint64_t beats;
    uint64_t unused[4];
};

static struct slot *slots;
static int used;

static uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void *beat(void *arg)
{
    struct slot *s = arg;
    struct sched_param p = { .sched_priority = 50 };
    const char *period = getenv("HEART_US");
    struct timespec nap = { 0, (period ? atoi(period) : DEFAULT_PERIOD_US) * 1000L };
    uint64_t last = now_ns();
    pthread_setname_np(pthread_self(), "heartbeat");
    pthread_setschedparam(pthread_self(), SCHED_FIFO, &p);
    prctl(PR_SET_TIMERSLACK, 1000);
    for (;;) {
        uint64_t want = __atomic_load_n(&s->want, __ATOMIC_ACQUIRE);
        if (want != s->have) {
            s->max_ns = s->beats = 0;
            last = now_ns();
            __atomic_store_n(&s->have, want, __ATOMIC_RELEASE);
        }
        clock_nanosleep(CLOCK_MONOTONIC, 0, &nap, NULL);
        uint64_t t = now_ns();
        if (t - last > s->max_ns)
            s->max_ns = t - last;
        s->beats++;
        last = t;
    }
    return NULL;
}

/* Starts one more heartbeat in the next slot of the file; 0 or an errno. */
int heart_start(const char *path)
{
    pthread_t id;
    if (!slots) {
        int fd = open(path, O_RDWR);
        if (fd < 0)
            return errno;
        slots = mmap(NULL, SLOTS * sizeof *slots, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        close(fd);
        if (slots == MAP_FAILED)
            return errno;
    }
    return used == SLOTS ? ENOSPC : pthread_create(&id, NULL, beat, &slots[used++]);
}

int __attribute__((noinline)) heart_inner(int (*cb)(int), int n)
{
    volatile int local = n;
    return cb(local) + local;
}

int __attribute__((noinline)) heart_call_back(int (*cb)(int), int n)
{
    volatile char pad[256];
    memset((void *)pad, n, sizeof pad);
    return heart_inner(cb, n) + pad[7];
}
