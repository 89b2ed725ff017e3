/* POSIX regular expressions (regcomp(3)); an empty match hides nothing. */
#include "util/redaction.h"

#include <string.h>

#include "util/text.h"

bool lk_redaction_add(struct lk_redaction *r, const char *pattern, struct lk_error *err)
{
    char why[200];
    if (r->n == LK_MAX_REDACTIONS)
        return lk_error_set(err, LK_ERR_USAGE, "more than %d expressions", LK_MAX_REDACTIONS);
    if (!*pattern || strlen(pattern) > LK_MAX_REDACTION_BYTES)
        return lk_error_set(err, LK_ERR_USAGE, "an expression has 1 to %d bytes",
                            LK_MAX_REDACTION_BYTES);
    const int code = regcomp(&r->v[r->n], pattern, REG_EXTENDED);
    if (code == REG_ESPACE)
        return lk_error_set(err, LK_ERR_NOMEM, "out of memory");
    if (code) {
        regerror(code, &r->v[r->n], why, sizeof why);
        return lk_error_set(err, LK_ERR_USAGE, "%s", why);
    }
    r->n++;
    return true;
}

void lk_redaction_deinit(struct lk_redaction *r)
{
    while (r->n)
        regfree(&r->v[--r->n]);
}

/* The next match that is not empty, from `from` on. */
static bool next_match(const regex_t *e, const char *text, size_t from, size_t *begin, size_t *end)
{
    for (; text[from]; from = *end + 1) {
        regmatch_t m;
        const int code = regexec(e, text + from, 1, &m, from ? REG_NOTBOL : 0);
        if (code == REG_ESPACE)
            lk_out_of_memory();
        if (code)
            return false;
        *begin = from + (size_t)m.rm_so;
        *end = from + (size_t)m.rm_eo;
        if (*end > *begin)
            return true;
        if (!text[*end])
            return false;
    }
    return false;
}

/* A character that is cut would be none: what is left of one goes with it. */
static void whole_characters(const char *text, size_t *begin, size_t *end)
{
    while (*begin && ((unsigned char)text[*begin] & 0xc0) == 0x80)
        --*begin;
    while (((unsigned char)text[*end] & 0xc0) == 0x80)
        ++*end;
}

static const char *hide_one(const regex_t *e, struct lk_arena *a, const char *text)
{
    struct lk_strbuf out = { 0 };
    size_t done = 0, begin, end;
    while (next_match(e, text, done, &begin, &end)) {
        whole_characters(text, &begin, &end);
        lk_strbuf_add(&out, text + done, begin - done);
        lk_strbuf_puts(&out, "***");
        done = end;
    }
    if (!done)
        return text;
    lk_strbuf_puts(&out, text + done);
    const char *ret = lk_arena_strdup(a, out.s);
    lk_strbuf_deinit(&out);
    return ret;
}

const char *lk_redaction_hide(const struct lk_redaction *r, struct lk_arena *a, const char *text)
{
    for (size_t i = 0; r && text && i < r->n; i++)
        text = hide_one(&r->v[i], a, text);
    return text;
}
