/*
 * Native synchronisation seen from outside: what the word a thread sleeps on says.
 */
#ifndef LK_NATIVE_NATIVE_H
#define LK_NATIVE_NATIVE_H

#include "target/target.h"

/**
 * For threads that sleep in a futex and whose wait no other reader explained (LK_WAIT_UNKNOWN or NONE): when the word
 * is a glibc pthread_mutex_t whose recorded owner is a thread of this process, the wait becomes LK_WAIT_LOCK on a
 * "pthread_mutex" with that owner (LK_OWNER_FIELD). Otherwise nothing changes.
 */
void lk_native_read(struct lk_target *t, struct lk_snapshot *s);

#endif
