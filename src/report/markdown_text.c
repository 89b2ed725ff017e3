/*
 * Escaping for GitHub and GitLab flavoured Markdown. It rests on CommonMark 0.31 and GitHub
 * Flavored Markdown 0.29 (sections at the functions), and on how GitHub and GitLab find mentions in
 * the rendered text.
 */
#include "report/markdown_text.h"

#include <string.h>

#include "diagnose/wording/text.h"
#include "util/text.h"

#define MIN_FENCE 3

/* Punctuation that ends or begins markup only where a line starts: lists, headings, quotes, rules,
 * fences. */
static bool marks_line_start(const char *s, size_t i)
{
    if (i == 0)
        return strchr("+-=~:", s[0]) != NULL;
    return (s[i] == '.' || s[i] == ')') && strspn(s, "0123456789") == i;
}

static bool is_word(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           c == '"';
}

/*
 * Text of a paragraph or table cell. Markup and HTML characters lose their meaning (CommonMark
 * 0.31, section 2.4: any ASCII punctuation may be escaped). GitHub and GitLab look for mentions and
 * references (@name, #1, !1, $1, &1, %name, ~name) in the rendered text, where a backslash is gone:
 * there an empty comment splits the text. "www." and "://" would become links (GFM 0.29,
 * section 6.9).
 */
const char *lk_md_plain(struct lk_arena *a, const char *text)
{
    struct lk_strbuf b = { 0 };
    const char *s = lk_words_safe(a, text);
    for (size_t i = 0; s[i]; i++) {
        const char c = s[i];
        const bool link = (c == '.' && i && (s[i - 1] == 'w' || s[i - 1] == 'W')) ||
                          (c == ':' && s[i + 1] == '/');
        if (c == '<')
            lk_strbuf_puts(&b, "&lt;");
        else if (c == '>')
            lk_strbuf_puts(&b, "&gt;");
        else if (c == '&')
            lk_strbuf_puts(&b, is_word(s[i + 1]) ? "&amp;<!-- -->" : "&amp;");
        else if (c == '@')
            lk_strbuf_puts(&b, "@<!-- -->");
        else if (strchr("#!~$%", c) && is_word(s[i + 1]))
            lk_strbuf_printf(&b, "\\%c<!-- -->", c);
        else if (strchr("\\`*_[]|^#~$", c) || link || marks_line_start(s, i))
            lk_strbuf_printf(&b, "\\%c", c);
        else
            lk_strbuf_add(&b, &c, 1);
    }
    const char *ret = lk_arena_strndup(a, b.s ? b.s : "", b.n);
    lk_strbuf_deinit(&b);
    return ret;
}

static size_t longest_run(const char *s, char c)
{
    size_t best = 0, run = 0;
    for (; *s; s++) {
        run = *s == c ? run + 1 : 0;
        best = LK_MAX(best, run);
    }
    return best;
}

static const char *repeat(struct lk_arena *a, char c, size_t n)
{
    char *s = lk_arena_alloc(a, n + 1);
    memset(s, c, n);
    return s;
}

/* A code span; in a table a bar must be escaped even there (GFM 0.29, section 4.10). */
const char *lk_md_code(struct lk_arena *a, const char *text)
{
    const char *s = lk_words_safe(a, text && *text ? text : "-");
    const char *ticks = repeat(a, '`', longest_run(s, '`') + 1);
    const char *pad = strchr(s, '`') || s[0] == ' ' ? " " : "";
    return lk_arena_printf(a, "%s%s%s%s%s", ticks, pad, s, pad, ticks);
}

const char *lk_md_cell_code(struct lk_arena *a, const char *text)
{
    struct lk_strbuf b = { 0 };
    for (const char *s = lk_md_code(a, text); *s; s++) {
        if (*s == '|')
            lk_strbuf_puts(&b, "\\|");
        else
            lk_strbuf_add(&b, s, 1);
    }
    const char *ret = lk_arena_strdup(a, b.s);
    lk_strbuf_deinit(&b);
    return ret;
}

/* A code block whose lines are already safe; the fence is longer than any run of backticks in it.
 */
void lk_md_block(FILE *out, struct lk_arena *a, const char *language, const char *lines)
{
    const char *fence = repeat(a, '`', LK_MAX(longest_run(lines, '`') + 1, (size_t)MIN_FENCE));
    fprintf(out, "%s%s\n%s%s%s\n\n", fence, language, lines,
            *lines && !lk_ends_with(lines, "\n") ? "\n" : "", fence);
}
