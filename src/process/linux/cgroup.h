/*
 * What the control groups of a process tell: frozen, throttled, in which container. Version 1 and
 * 2, and machines that mount both. The groups' files are found through our own mounts, so they must
 * be mounted where we run.
 */
#ifndef LK_PROCESS_LINUX_CGROUP_H
#define LK_PROCESS_LINUX_CGROUP_H

#include "util/base.h"

/** base as by lk_procfs_base. False also when it could not be read. */
bool lk_cgroup_frozen(const char *base);
/** See lk_process_throttle_read. */
bool lk_cgroup_throttle(const char *base, uint64_t *periods, uint64_t *throttled,
                        uint64_t *throttled_us);
/** "docker 0123456789ab" from the text of /proc/PID/cgroup; false when it names no container. */
bool lk_cgroup_container(const char *text, char *ret, size_t size);

#endif
