/*
 * Facts about a live process that /proc tells without any ptrace: identity, children, supervisor,
 * runtime, stopped / frozen / throttled / traced (LK501), and what each blocking system call waits
 * on.
 */
#ifndef LK_PROCESS_LINUX_PROCESS_FACTS_H
#define LK_PROCESS_LINUX_PROCESS_FACTS_H

#include "process/linux/procfs.h"
#include "process/process.h"

/** Fills the target part of a snapshot (pid ... epoll_fds, children, supervisor, runtime, stop).
 * Command line redacted. 0, or an errno. */
int lk_process_facts_read(const struct lk_procfs_folder *f, struct lk_snapshot *s);
/**
 * Sets what thread states alone tell (job_stopped, zombie, main_gone, d_state) from one
 * look at all threads. lk_process_facts_read does this with a look of its own; a caller that
 * samples calls it again for each sample and keeps the smallest d_state, since a thread may be in D
 * for a moment whenever it reads a disk.
 */
void lk_process_halt_states(pid_t pid, int whole, const struct lk_thread_list *threads,
                            struct lk_arena *a, struct lk_process_halt *ret);
/**
 * False when all threads of the process whose folder it is end within a moment (50 ms). The leader
 * of a process that ends is often the first to be a zombie; only one whose other threads stay has
 * lost its main thread.
 */
bool lk_process_is_living(int whole);
/** Start time in clock ticks after boot (/proc/PID/stat field 22): tells a reused pid. 0 on
 * failure. */
uint64_t lk_process_start_ticks(pid_t pid);

/** Now, on the clock of lk_process_start_ticks. */
uint64_t lk_process_ticks_now(void);

/** Caches /proc/PID/net tables and fd links during one sample. */
struct lk_kernel_reader;
/** whole: its folder in /proc, borrowed; -1: there is no live process. */
struct lk_kernel_reader *lk_kernel_reader_create(struct lk_process *t, int whole,
                                                 struct lk_arena *a);
void lk_kernel_reader_destroy(struct lk_kernel_reader *r);
/** Decodes the system call a thread sleeps in (facts) into ret; strings belong to the arena.
 * Timeouts are read from the target's memory. */
void lk_kernel_read_wait(struct lk_kernel_reader *r, const struct lk_thread_facts *f,
                         struct lk_syscall_wait *ret);
/** What a thread would wait on that slept in read(fd). */
void lk_kernel_read_fd(struct lk_kernel_reader *r, int64_t fd, struct lk_syscall_wait *ret);
/** Unread bytes in a pipe, socket or eventfd of the target (by pidfd_getfd + FIONREAD without side
 * effect, or /proc/PID/net); LK_UNKNOWN. */
int64_t lk_kernel_unread(struct lk_kernel_reader *r, int64_t fd);
/** Milliseconds since data came or went on the target's TCP connection (by pidfd_getfd);
 * LK_UNKNOWN. */
int64_t lk_kernel_quiet_ms(struct lk_kernel_reader *r, int64_t fd);
/** The first `max` of them, by descriptor. Strings belong to the arena. False: not known. */
bool lk_kernel_connections(struct lk_kernel_reader *r, struct lk_connection *ret, size_t max,
                           size_t *n);
/** "pipe:[123]", raw; NULL. */
const char *lk_kernel_fd_name(struct lk_kernel_reader *r, int64_t fd);
/** Number of fds registered in an epoll instance of the target, and the first `max` of them in fds
 * (/proc/PID/fdinfo); LK_UNKNOWN. */
int64_t lk_kernel_epoll_fds(struct lk_kernel_reader *r, int64_t epfd, int64_t *fds, size_t max);

#endif
