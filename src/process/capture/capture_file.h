/*
 * The file of a capture (.lkc): the magic, the version of the format, then sections, each with its
 * kind, its length as stored and as it was, a checksum of what is stored, and its bytes, compressed
 * by zstd (RFC 8878). The last section says that there is no more. All numbers of a header are
 * little-endian.
 */
#ifndef LK_PROCESS_CAPTURE_CAPTURE_FILE_H
#define LK_PROCESS_CAPTURE_CAPTURE_FILE_H

#include <sys/types.h>

#include "process/capture/bytes.h"
#include "process/process.h"

#define LK_CAPTURE_MAX_BYTES (UINT64_C(1) << 30) /* of a file */
enum {
    LK_CAPTURE_MAGIC = 8, /* bytes by which a capture is known */
    LK_CAPTURE_MAX_PIDS = 65536,
};

/** How it was examined. */
struct lk_capture_head {
    uint32_t samples, interval_ms, stalled_after_ms, max_pause_ms;
    uint32_t stop, unwinder;
    bool native, tree;
    uint64_t listed_ticks;
    const char *project; /* NULL none */
    int64_t *pids;       /* that were to be examined */
    size_t n_pids;
    const char *tool, *cpu; /* "0.1.0", struct lk_arch.name */
};

/* ---- writing ----------------------------------------------------------------------------- */

/** What is gathered while processes are examined, in any thread. NULL without memory. */
struct lk_capture *lk_capture_create(void);
/** One more who has it: a thread that may be given up. c may be NULL, here and below. */
void lk_capture_hold(struct lk_capture *c);
/** Who made it, and who holds it: the last one frees it. */
void lk_capture_destroy(struct lk_capture *c);
/** What was recorded of a process, compressed here and now. */
void lk_capture_add(struct lk_capture *c, pid_t pid, const struct lk_bytes *tape);
/** A process that could not be opened, and why. */
void lk_capture_add_missed(struct lk_capture *c, pid_t pid, const struct lk_error *why);
void lk_capture_add_machine(struct lk_capture *c, const struct lk_bytes *tape);
void lk_capture_set_head(struct lk_capture *c, const struct lk_capture_head *head);
/** Writes a new file (mode 0600), as util/replace_file.h does. False with err. */
bool lk_capture_write(struct lk_capture *c, const char *path, struct lk_error *err);
/** Something is in it already: it is of one set of processes only. */
bool lk_capture_is_used(struct lk_capture *c);

/* ---- reading ----------------------------------------------------------------------------- */

struct lk_capture_file;
struct lk_replayed_machine; /* replay.h */
/** By how it begins: LK_CAPTURE_MAGIC bytes are enough. */
bool lk_capture_is_one(const uint8_t *bytes, size_t n);
/** bytes of a file are borrowed. NULL with err, one line: what is wrong with it. */
struct lk_capture_file *lk_capture_load(const uint8_t *bytes, size_t n, struct lk_error *err);
void lk_capture_unload(struct lk_capture_file *f);
const struct lk_capture_head *lk_capture_head(const struct lk_capture_file *f);
/** A process of it; NULL with err: why it was not examined then, or that it is not in it. */
struct lk_process *lk_capture_open(const struct lk_capture_file *f, pid_t pid,
                                   struct lk_error *err);
/** What was asked of the machine once all were examined; NULL with err. */
struct lk_replayed_machine *lk_capture_machine(const struct lk_capture_file *f,
                                               struct lk_error *err);

#endif
