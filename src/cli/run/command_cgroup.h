/*
 * A control group for the command, where one can be made (cgroup v2, writable): killing a control
 * group spares nobody and cannot be outrun by forking (cgroups(7), cgroup.kill since Linux 5.14).
 * Everything works without one too.
 */
#ifndef LK_CLI_RUN_COMMAND_CGROUP_H
#define LK_CLI_RUN_COMMAND_CGROUP_H

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

struct lk_command_cgroup {
    char dir[PATH_MAX];    /* "" when there is none */
    char parent[PATH_MAX]; /* where its members came from */
};

/** Makes one below our own control group; without permission or without cgroup v2 ret is empty. */
void lk_command_cgroup_create(struct lk_command_cgroup *ret);
/** The one that another process has made and can no longer remove; empty when there is none. */
void lk_command_cgroup_inherit(struct lk_command_cgroup *ret, pid_t maker);
/**
 * fork(2) with the child in the cage from its first instruction. Moving a process later would cost
 * it an RCU grace period, tens of milliseconds (cgroup_attach_lock in kernel/cgroup/cgroup.c);
 * being born there costs nothing. Where that cannot be, the cage goes.
 */
pid_t lk_command_cgroup_fork(struct lk_command_cgroup *c);
/** SIGKILL to every member. */
void lk_command_cgroup_kill(const struct lk_command_cgroup *c);
/** Gives its members back to the parent and removes it. */
void lk_command_cgroup_destroy(struct lk_command_cgroup *c);

#endif
