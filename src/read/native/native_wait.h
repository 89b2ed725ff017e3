/*
 * Native synchronisation seen from outside: what the word a thread sleeps on says.
 */
#ifndef LK_READ_NATIVE_NATIVE_WAIT_H
#define LK_READ_NATIVE_NATIVE_WAIT_H

#include "process/process.h"

/**
 * For threads whose wait no other reader explained (LK_WAIT_UNKNOWN or NONE). Those that sleep in a
 * futex that belongs to a glibc pthread_mutex_t or pthread_rwlock_t get LK_WAIT_LOCK on it, with
 * the holder that it records (LK_OWNER_FIELD); where it records none (a lock held for reading), or
 * one that is no thread of this process, a limit says so. pthread_join becomes LK_WAIT_JOIN. For
 * the others the system call says what kind of wait it is.
 */
void lk_native_read(struct lk_process *t, struct lk_snapshot *s);

#endif
