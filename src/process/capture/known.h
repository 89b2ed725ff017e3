/*
 * Memory of a process as far as somebody asked for it: the bytes that were read, those that could
 * not be, and nothing of what stands between them. Of one sample, and of its last moment where more
 * than one was read.
 */
#ifndef LK_PROCESS_CAPTURE_KNOWN_H
#define LK_PROCESS_CAPTURE_KNOWN_H

#include "process/capture/bytes.h"

/** Most pages of a sample: 100,000 tasks stand on a fifth of that. */
enum { LK_KNOWN_PAGES = 1 << 17 };

struct lk_known;
/** most: pages that are kept. */
struct lk_known *lk_known_create(size_t most);
void lk_known_destroy(struct lk_known *w);
/** The next sample begins, of which nothing is known. */
void lk_known_next(struct lk_known *w);
/** Within the sample, what is read from here on counts; what is not read again stays known. */
void lk_known_next_moment(struct lk_known *w);
/** Those bytes of a page were read that have their bit in asked (LK_PAGE_WORDS); what was read of
 * them before is past. */
void lk_known_put(struct lk_known *w, lk_addr page, const uint8_t *bytes, const uint64_t *asked);
/** A page could not be read, of which nothing was read in this sample. */
void lk_known_lack(struct lk_known *w, lk_addr page, int why);
/** There were more pages than are kept: the later ones are not in it. */
bool lk_known_is_cut(const struct lk_known *w);
/** All n bytes, or an errno: ENODATA where nobody asked for one of them, EFBIG where that may be
 * since it was cut. */
int lk_known_get(const struct lk_known *w, lk_addr addr, void *ret, size_t n);
/** What was read in the moment. */
void lk_known_write(const struct lk_known *w, struct lk_bytes *to);
/** What was written, moment by moment in that order, the same of the two above between them. False
 * when these are no such bytes. w may be NULL: they are passed over. */
bool lk_known_read(struct lk_known *w, struct lk_cursor_of_bytes *from);

#endif
