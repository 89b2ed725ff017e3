/*
 * The name of a command: its arguments with what looks like a secret hidden (util/redact.c), quoted
 * where a shell would need it.
 */
#include "cli/run/command_name.h"

#include <string.h>

#include "util/redact.h"
#include "util/text.h"

enum { LONGEST = 1000 };

static bool is_plain(const char *word)
{
    return *word &&
           !word[strspn(
               word,
               "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=.,:/@%^*[]")];
}

/* Quoted for a shell where it would need that. */
static void add_word(struct lk_strbuf *b, const char *word)
{
    if (is_plain(word)) {
        lk_strbuf_puts(b, word);
        return;
    }
    lk_strbuf_puts(b, "'");
    for (const char *c = word; *c; c++)
        if (*c == '\'')
            lk_strbuf_puts(b, "'\\''");
        else
            lk_strbuf_add(b, c, 1);
    lk_strbuf_puts(b, "'");
}

char *lk_command_name(char **argv)
{
    struct lk_arena *a = lk_arena_create();
    struct lk_strbuf b = { 0 };
    for (size_t i = 0; argv[i] && b.n < LONGEST; i++) {
        if (i)
            lk_strbuf_puts(&b, " ");
        add_word(&b, lk_redact(a, argv[i], i ? argv[i - 1] : NULL));
    }
    char *ret = lk_xstrdup(lk_text_clean(a, b.s ? b.s : "", b.n, LONGEST));
    lk_strbuf_deinit(&b);
    lk_arena_destroy(a);
    return ret;
}
