/* By what it is judged who may read a process. */
#ifndef LK_PROCESS_LIVE_CREDENTIALS_H
#define LK_PROCESS_LIVE_CREDENTIALS_H

#include "util/base.h"

/** Capabilities, as linux/capability.h numbers them. */
enum lk_cap { LK_CAP_DAC_OVERRIDE = 1, LK_CAP_DAC_READ_SEARCH = 2, LK_CAP_SYS_PTRACE = 19 };

/** The lines of /proc/PID/status that the gates ask for. */
struct lk_credentials {
    char comm[64];
    char state;
    int64_t tgid, threads, seccomp;
    int64_t uid[4], gid[4]; /* real, effective, saved, file system */
    uint64_t cap_permitted, cap_effective;
};

/** dir: the folder of a process in /proc. */
bool lk_credentials_read(int dir, struct lk_credentials *ret);
bool lk_holds(const struct lk_credentials *c, enum lk_cap cap);
/** Real, effective and saved are all mine. */
bool lk_credentials_same(const int64_t theirs[4], int64_t mine);

/** kernel.yama.ptrace_scope; 0 also where there is no Yama. */
int lk_yama_scope(void);
/** The process lives in another user namespace than we. */
bool lk_other_user_namespace(int dir);
/** It made itself unreadable, or its program is. */
bool lk_not_dumpable(int dir, const struct lk_credentials *s);

#endif
