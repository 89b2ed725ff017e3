/*
 * Work for a process of its own: large, old parsers, given what a target chose. Whatever they do
 * there - crash, endless loop, gigabytes - costs the answer and nothing else.
 */
#ifndef LK_READ_NATIVE_UNWIND_CONFINED_H
#define LK_READ_NATIVE_UNWIND_CONFINED_H

#include <stddef.h>

/**
 * Runs work in a forked process that can open no file and has limits on time and memory; what it
 * writes to out goes to buf, up to size bytes. keep: the one descriptor that work reads from: it
 * then has no other, no capabilities, nobody's ids where it would be root, and few system calls
 * (confined.c). -1: none, and it keeps its rights.
 * @return how many bytes came before its end, or before its time was over.
 */
size_t lk_confined(void (*work)(int out, void *arg), void *arg, int keep, void *buf, size_t size);

#endif
