/*
 * What stands in a core file itself: threads with their registers, segments of memory, the list of
 * mapped files, and what the notes tell of the process. A core is hostile, and may have been cut
 * off: whatever of it is there and makes sense is taken.
 */
#ifndef LK_PROCESS_CORE_IMAGE_H
#define LK_PROCESS_CORE_IMAGE_H

#include "process/process.h"
#include "util/vec.h"

/** A piece of memory: the first filesz bytes stand in the core, at offset; `told` is how many its
 * header tells of, more where the core was cut off. */
struct lk_core_segment {
    lk_addr start, end;
    uint64_t offset, filesz, told;
    uint32_t flags; /* PF_R, PF_W, PF_X; 0: what may be done there is not known */
};

struct lk_core_thread {
    int64_t tid;
    int signal; /* that ended it, or that it was stopped by; 0 none */
    uint64_t regset[LK_REGSET_WORDS];
};

/** A piece of a file that is mapped. */
struct lk_core_mapped {
    lk_addr start, end;
    uint64_t offset;
    const char *path; /* raw */
};

struct lk_core_image {
    struct lk_arena *arena;
    int fd; /* held */
    const struct lk_arch *arch;
    int64_t pid, ppid, uid;                  /* LK_UNKNOWN */
    bool forked;                             /* a copy of its parent: forked, and no exec since */
    const char *comm, *args;                 /* raw; NULL not known */
    int signal;                              /* that the process died of; 0 none */
    LK_VEC(struct lk_core_segment) segments; /* by address, none over another */
    LK_VEC(struct lk_core_thread) threads;
    LK_VEC(struct lk_core_mapped) mapped; /* by address, none over another */
    LK_VEC(uint64_t) auxv;                /* type, value, type, value ... */
    uint64_t size;                        /* of the file */
    uint64_t missing; /* bytes that its headers tell of and that are behind its end */
    const char *lost; /* what of its notes could not be read, in words; NULL nothing */
};

/** Takes fd, which is held, also where it fails: NULL with err, one line that names the file by
 * name. */
struct lk_core_image *lk_core_image_open(int fd, const char *name, struct lk_error *err);
void lk_core_image_close(struct lk_core_image *c);

/** The segment that has this address; NULL none. */
const struct lk_core_segment *lk_core_segment_at(const struct lk_core_image *c, lk_addr addr);
const struct lk_core_mapped *lk_core_mapped_at(const struct lk_core_image *c, lk_addr addr);
/** 0 when there is none such. */
uint64_t lk_core_auxv(const struct lk_core_image *c, uint64_t type);
/** Bytes that stand in the core itself from addr on, at most n of them; how many. */
size_t lk_core_bytes(const struct lk_core_image *c, lk_addr addr, void *buf, size_t n);

#endif
