/*
 * A live process: what its files keep of it. live.c opens it and lets go of it; how it is read
 * stands in maps.c, files.c, threads.c and pid_namespace.c, whether it may be in permission.c.
 */
#ifndef LK_PROCESS_LIVE_LIVE_H
#define LK_PROCESS_LIVE_LIVE_H

#include "process/process.h"

struct lk_live_threads; /* threads.c */
struct lk_live_pid_ns;  /* pid_namespace.c */

/** A live process: impl of the ops of live.c. */
struct lk_live {
    pid_t pid;
    struct lk_process *process; /* it, as readers have it */
    /* /proc/PID: stays bound to this process even when the number is used again */
    int proc_fd;
    const struct lk_arch *arch; /* CPU of its program */
    int mem_fd;                 /* /proc/PID/mem when process_vm_readv is not to be had, else -1 */
    /* id that process_vm_readv is asked with: another thread's when the leader is gone */
    pid_t mem_tid;
    char maps_name[40];       /* "maps", or "task/TID/maps" when the leader is gone */
    uint64_t start_ticks;     /* when the process started, clock ticks after boot */
    struct lk_error withheld; /* files of it that may not be read, though its memory may */
    bool gone;       /* it ended, or another one has its number: nothing is read any more */
    char *maps_text; /* read and not parsed yet */
    size_t maps_len;
    uint64_t maps_hash;              /* of the text parsed last; 0 none */
    struct lk_kernel_reader *kernel; /* answers.c; NULL until somebody asks in this sample */
    struct lk_live_threads *threads;
    struct lk_live_pid_ns *tids; /* pid_namespace.c; NULL until a sample begins */
};

#endif
