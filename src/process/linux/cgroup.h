/*
 * What the control groups of a process tell: frozen, throttled, in which container. Version 1 and
 * 2, and machines that mount both. The groups' files are found through our own mounts, so they must
 * be mounted where we run.
 */
#ifndef LK_PROCESS_LINUX_CGROUP_H
#define LK_PROCESS_LINUX_CGROUP_H

#include "snapshot/ref.h"
#include "util/base.h"

/** proc: the folder that answers for a process (lk_procfs_folder). False also when it could not be
 * read. */
bool lk_cgroup_frozen(int proc);
/**
 * Counters of the innermost group that has a processor quota: periods so far, those in which it was
 * throttled, and for how long. False: no quota, or not readable.
 */
bool lk_cgroup_throttle(int proc, uint64_t *periods, uint64_t *throttled, uint64_t *throttled_us);
/** The least that its group and those above it allow: bytes, and thousandths of a processor;
 * LK_FOREVER: no limit. Bytes used in the group whose limit it is. LK_UNKNOWN: not readable. */
struct lk_cgroup_limits {
    int64_t memory_max, memory_used, cpu_thousandths;
};
void lk_cgroup_limits(int proc, struct lk_cgroup_limits *ret);
/** "docker 0123456789ab" from the text of /proc/PID/cgroup; false when it names no container. */
bool lk_cgroup_container(const char *text, char *ret, size_t size);

#endif
