/* A phrase is put together in a growing buffer and ends in the arena. */
#include "report/phrase.h"

#include "diagnose/wording/text.h"

#define NAME_COLUMNS 80 /* a longer name hides the sentence it stands in; JSON has it whole */

const char *lk_phrase_keep(struct lk_arena *a, struct lk_strbuf *b)
{
    const char *ret = lk_arena_strndup(a, b->s ? b->s : "", b->n);
    lk_strbuf_deinit(b);
    return ret;
}

void lk_phrase_comma(struct lk_strbuf *b)
{
    if (b->n)
        lk_strbuf_puts(b, ", ");
}

const char *lk_phrase_name(struct lk_arena *a, const char *s)
{
    return lk_words_cut(a, s, NAME_COLUMNS);
}

const char *lk_phrase_place(struct lk_arena *a, const char *function, const char *file, int line)
{
    file = lk_base_name(lk_words_safe(a, file));
    if (line > 0)
        return lk_arena_printf(a, "%s (%s:%d)", lk_phrase_name(a, function), file, line);
    return lk_arena_printf(a, "%s (%s)", lk_phrase_name(a, function), file);
}
