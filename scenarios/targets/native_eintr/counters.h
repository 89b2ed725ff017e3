/*
 * Heartbeat counters in a shared file, so that a test sees from outside that every thread goes on,
 * without asking the process anything.
 */
#ifndef SCENARIO_COUNTERS_H
#define SCENARIO_COUNTERS_H

#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum { COUNTERS = 16 };

static _Atomic uint64_t *counters;

/* Maps the file, which is made COUNTERS * 8 bytes long. */
static inline void counters_open(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT, 0600);
    if (fd < 0 || ftruncate(fd, COUNTERS * sizeof(uint64_t)) < 0) {
        perror(path);
        exit(2);
    }
    void *map = mmap(NULL, COUNTERS * sizeof(uint64_t), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (map == MAP_FAILED) {
        perror("mmap");
        exit(2);
    }
    close(fd);
    counters = map;
}

static inline void beat(int which)
{
    atomic_fetch_add(&counters[which], 1);
}

#endif
