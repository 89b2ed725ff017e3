/*
 * A target made of byte segments, for the inside of readers: what a real process cannot be made to
 * hold (torn lists, cycles, huge lengths) stands here as plain arrays.
 *
 * As in a real process whole pages are readable: those that a segment touches, with zeros around
 * it. Pages touched by none are not.
 */
#ifndef LK_TESTS_FAKE_TARGET_H
#define LK_TESTS_FAKE_TARGET_H

#include "process/process.h"

struct fake_segment {
    lk_addr addr;
    const void *ptr; /* borrowed: what it points to may be changed between samples */
    size_t len;
};

/** How often the target was asked, for tests of caching. */
struct fake_counts {
    size_t calls; /* read and read_pages calls */
    size_t pages; /* pages asked for */
    size_t maps;  /* maps calls */
};

/** Segments are copied. Mappings: the touched pages, joined, "rw-p", no file. Destroy with
 * lk_process_destroy. */
struct lk_process *fake_target(const struct fake_segment *segments, size_t n);
/** The same and counts calls; counts must outlive the target. */
struct lk_process *fake_target_counted(const struct fake_segment *segments, size_t n,
                                       struct fake_counts *counts);

#endif
