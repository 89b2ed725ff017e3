/*
 * What the control groups of a process tell: frozen, throttled, in which container. Version 1 and
 * 2, and machines that mount both. The groups' files are found through our own mounts, so they must
 * be mounted where we run.
 */
#ifndef LK_PROCESS_LINUX_CGROUP_H
#define LK_PROCESS_LINUX_CGROUP_H

#include "process/facts.h"
#include "snapshot/process.h"
#include "util/base.h"

/** proc: the folder that answers for a process (lk_procfs_folder). False also when it could not be
 * read. */
bool lk_cgroup_frozen(int proc);
/** Counters of the innermost group that has a processor quota. False: no quota, or not readable. */
bool lk_cgroup_throttle(int proc, struct lk_throttle *ret);
/** The least that its group and those above it allow, of memory and processors, and how much the
 * group uses whose limit of memory it is. */
void lk_cgroup_limits(int proc, struct lk_surroundings *ret);
/** The same by texts of proc_pid_cgroup(5) and proc_pid_mountinfo(5). */
void lk_cgroup_limits_told(const char *groups, const char *mounts, struct lk_surroundings *ret);
/** "docker 0123456789ab" from the text of /proc/PID/cgroup; false when it names no container. */
bool lk_cgroup_container(const char *text, char *ret, size_t size);
/** "shop.service", the innermost systemd service of the same text that is no user's session
 * manager; false when there is none. */
bool lk_cgroup_unit(const char *text, char *ret, size_t size);

#endif
