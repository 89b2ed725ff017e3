/*
 * Work for a process of its own: large, old parsers, given what a target chose. Whatever they do
 * there - crash, endless loop, gigabytes - costs the answer and nothing else.
 */
#ifndef LK_READ_NATIVE_UNWIND_CONFINED_H
#define LK_READ_NATIVE_UNWIND_CONFINED_H

#include <stddef.h>

/**
 * Runs work in a forked process that can open no file and has limits on time and memory; what it
 * writes to out goes to buf, up to size bytes. keep: a descriptor that work reads from; -1 none.
 * @return how many bytes came before its end, or before its time was over.
 */
size_t lk_confined(void (*work)(int out, void *arg), void *arg, int keep, void *buf, size_t size);

#endif
