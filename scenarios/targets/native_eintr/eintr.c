/*
 * A program that does not expect to be interrupted: it aborts when epoll_wait, semop, sigtimedwait or a recv with
 * SO_RCVTIMEO returns EINTR, which is what a careless ptrace stop makes them do (signal(7), "Interruption of system
 * calls and library functions by stop signals"). One more thread spins, so that something has to be stopped, and counts the
 * real-time signals that it is sent: none may be lost.
 *
 * usage: eintr COUNTERS-FILE        counters: 0 epoll_wait, 1 semop, 2 sigtimedwait, 3 recv, 4 spin, 5 signals
 * Ends (and removes its semaphore) on SIGTERM.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ipc.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>

#include "counters.h"

enum { EPOLL, SEMOP, SIGWAIT, RECV, SPIN, SIGNALS };

static int wake_fd, semaphore, sockets[2];
static pthread_t sigwaiter;

static void check(const char *call, long result)
{
    if (result >= 0)
        return;
    int error = errno;
    if (error == EIDRM) /* another thread is about to abort */
        pause();
    fprintf(stderr, "%s: %s\n", call, strerror(error));
    semctl(semaphore, 0, IPC_RMID);
    if (error == EINTR)
        abort();
    exit(3);
}

static void *epoll_thread(void *unused)
{
    int set = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = { .events = EPOLLIN };
    check("epoll_ctl", epoll_ctl(set, EPOLL_CTL_ADD, wake_fd, &event));
    for (;;) {
        check("epoll_wait", epoll_wait(set, &event, 1, -1));
        eventfd_t value;
        check("eventfd_read", eventfd_read(wake_fd, &value));
        beat(EPOLL);
    }
    return unused;
}

static void *semop_thread(void *unused)
{
    struct sembuf down = { .sem_num = 0, .sem_op = -1 };
    for (;;) {
        check("semop", semop(semaphore, &down, 1));
        beat(SEMOP);
    }
    return unused;
}

static void *sigwait_thread(void *unused)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGRTMIN);
    struct timespec hour = { .tv_sec = 3600 };
    for (;;) {
        check("sigtimedwait", sigtimedwait(&set, NULL, &hour));
        beat(SIGWAIT);
    }
    return unused;
}

static void *recv_thread(void *unused)
{
    struct timeval hour = { .tv_sec = 3600 };
    check("SO_RCVTIMEO", setsockopt(sockets[0], SOL_SOCKET, SO_RCVTIMEO, &hour, sizeof hour));
    char byte;
    for (;;) {
        check("recv", recv(sockets[0], &byte, 1, 0));
        beat(RECV);
    }
    return unused;
}

static void on_signal(int number)
{
    (void)number;
    beat(SIGNALS);
}

static void *spin_thread(void *unused)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGRTMIN + 1);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
    for (;;)
        beat(SPIN);
    return unused;
}

/* Wakes each of the waiting threads now and then, so that its counter shows whether it still can be woken. */
static void *waker_thread(void *unused)
{
    struct sembuf up = { .sem_num = 0, .sem_op = 1 };
    struct timespec pause = { .tv_nsec = 50000000 };
    for (;;) {
        check("eventfd_write", eventfd_write(wake_fd, 1));
        check("semop up", semop(semaphore, &up, 1));
        pthread_kill(sigwaiter, SIGRTMIN);
        check("send", send(sockets[1], "x", 1, 0));
        nanosleep(&pause, NULL);
    }
    return unused;
}

static pthread_t start(void *(*function)(void *), const char *name)
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, function, NULL) != 0)
        exit(2);
    pthread_setname_np(thread, name);
    return thread;
}

int main(int argc, char **argv)
{
    if (argc != 2)
        return 2;
    counters_open(argv[1]);
    sigset_t all, end;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, NULL);
    struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };
    sigaction(SIGRTMIN + 1, &action, NULL);
    wake_fd = eventfd(0, EFD_CLOEXEC);
    semaphore = semget(IPC_PRIVATE, 1, 0600);
    check("semget", semaphore);
    check("socketpair", socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets));
    start(epoll_thread, "epoll");
    start(semop_thread, "semop");
    sigwaiter = start(sigwait_thread, "sigwait");
    start(recv_thread, "recv");
    start(spin_thread, "spin");
    start(waker_thread, "waker");
    puts("ready");
    fflush(stdout);
    sigemptyset(&end);
    sigaddset(&end, SIGTERM);
    int number;
    sigwait(&end, &number);
    semctl(semaphore, 0, IPC_RMID);
    _exit(0);
}
