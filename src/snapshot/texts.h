/* Every text of a snapshot that the examined process, its files or its neighbours chose. */
#ifndef LK_SNAPSHOT_TEXTS_H
#define LK_SNAPSHOT_TEXTS_H

#include "snapshot/snapshot.h"

enum lk_text_kind {
    LK_TEXT_NAME = 0, /* as it was chosen: a name, a path, an argument, an address */
    LK_TEXT_SOURCE,   /* a line of source */
    LK_TEXT_SENTENCE, /* of ours, with names in it */
};

/** Told where a text stands, which it may change; never of NULL. */
typedef void (*lk_text_fn)(const char **at, enum lk_text_kind kind, void *arg);

/** Once for each place; what many share is one place. */
void lk_snapshot_each_text(struct lk_snapshot *s, lk_text_fn fn, void *arg);

#endif
