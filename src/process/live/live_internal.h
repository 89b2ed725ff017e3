/*
 * What the files of this station share: the target behind the interface, and a live process.
 */
#ifndef LK_PROCESS_LIVE_LIVE_INTERNAL_H
#define LK_PROCESS_LIVE_LIVE_INTERNAL_H

#include "process/pages.h"
#include "process/process.h"
#include "util/arena.h"

struct lk_process {
    const struct lk_process_ops *ops;
    void *impl;
    pid_t pid; /* 0: not live */
    struct lk_pages *pages;
    struct lk_arena *maps_arena; /* NULL: maps were never read */
    struct lk_mapping *maps;
    size_t n_maps;
    bool maps_fresh; /* read in this sample */
};

struct lk_live_threads; /* threads.c */
struct lk_live_pid_ns;  /* tids.c */

/** A live process: impl of the ops of live.c. */
struct lk_live {
    pid_t pid;
    /* /proc/PID: stays bound to this process even when the number is used again */
    int proc_fd;
    int mem_fd; /* /proc/PID/mem when process_vm_readv is not to be had, else -1 */
    /* id that process_vm_readv is asked with: another thread's when the leader is gone */
    pid_t mem_tid;
    char maps_name[40];   /* "maps", or "task/TID/maps" when the leader is gone */
    uint64_t start_ticks; /* when the process started, clock ticks after boot */
    bool gone;            /* it ended, or another one has its number: nothing is read any more */
    char *maps_text;      /* read and not parsed yet */
    size_t maps_len;
    uint64_t maps_hash; /* of the text parsed last; 0 none */
    struct lk_live_threads *threads;
    struct lk_live_pid_ns *tids; /* tids.c; NULL until a sample begins */
};

/** What a line of /proc/PID/stat or /proc/PID/task/TID/stat says. */
struct lk_stat_line {
    char comm[64];
    char state;
    int64_t ppid;
    uint64_t flags, cpu_ticks, start_ticks;
    int processor; /* that it ran on last; -1 unknown */
};

/** Parses text (NUL-terminated). False when it is no such line. */
bool lk_stat_parse(const char *text, struct lk_stat_line *ret);
/** Reads a file of /proc below dir into buf with one read (such files come whole), NUL-terminated.
 * Bytes read, -1 with errno. */
ssize_t lk_proc_read(int dir, const char *name, char *buf, size_t size);
/** comm as a user may see it: anything but printable ASCII is replaced by '?'. */
void lk_comm_clean(char *comm);

/* maps.c */
bool lk_live_maps(void *impl, struct lk_arena *a, struct lk_mapping **ret, size_t *n,
                  struct lk_error *err);
bool lk_live_maps_unchanged(void *impl);

/* files.c */
int lk_live_open_mapping(void *impl, const struct lk_mapping *m, struct lk_error *err);
int lk_live_open_path(void *impl, const char *path, struct lk_error *err);

/* threads.c */
bool lk_live_list_threads(void *impl, struct lk_thread_list *list, bool full, struct lk_error *err);
void lk_live_threads_destroy(struct lk_live_threads *t);

/* tids.c */
/** The last id, and how many there are, of the line NSpid of a status file. False when it has none.
 */
bool lk_pid_ns_parse(const char *status, int64_t *inner, int *levels);
void lk_live_pid_ns_begin_sample(struct lk_live *l);
int64_t lk_live_tid_outside(void *impl, int64_t inner);
void lk_live_pid_ns_destroy(struct lk_live_pid_ns *t);

/* gates.c: the checks before a process is opened; l->proc_fd is open. False with err when it is
 * refused. */
bool lk_live_check(struct lk_live *l, struct lk_error *err);

#endif
