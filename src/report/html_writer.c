/* The only place that escapes for HTML: whoever writes a page passes texts as arguments. */
#include "report/html_writer.h"

#include <inttypes.h>

#include "diagnose/wording/text.h"

void lk_html_raw(struct lk_html *h, const char *markup)
{
    fputs(markup, h->out);
}

void lk_html_text(struct lk_html *h, const char *text)
{
    for (const char *s = lk_words_safe(h->arena, text); *s; s++)
        switch (*s) {
        case '&': fputs("&amp;", h->out); break;
        case '<': fputs("&lt;", h->out); break;
        case '>': fputs("&gt;", h->out); break;
        case '"': fputs("&quot;", h->out); break;
        case '\'': fputs("&#39;", h->out); break;
        default: putc(*s, h->out);
        }
}

void lk_html_fill(struct lk_html *h, const char *markup, const char *const *texts)
{
    for (; *markup; markup++)
        if (*markup == '$')
            lk_html_text(h, *texts++);
        else
            putc(*markup, h->out);
}

const char *lk_html_number(struct lk_html *h, int64_t n)
{
    return lk_arena_printf(h->arena, "%" PRId64, n);
}

void lk_html_row(struct lk_html *h, const char *name, const char *text)
{
    if (text && *text)
        lk_html_put(h, "<dt>$</dt><dd>$</dd>\n", name, text);
}

void lk_html_code_row(struct lk_html *h, const char *name, const char *text)
{
    if (text && *text)
        lk_html_put(h, "<dt>$</dt><dd><code>$</code></dd>\n", name, text);
}
