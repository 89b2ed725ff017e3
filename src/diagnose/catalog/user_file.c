/*
 * The user's file of patterns, a line each; loopknot-rules(5) is its description. It is checked to
 * the last byte: a pattern that is silently not there would be a verdict that is silently another
 * one.
 */
#include "diagnose/catalog/user_file.h"
#include "diagnose/catalog/frames.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/text.h"

enum {
    MAX_NAME = 200, /* bytes of one name */
    MAX_CALL = 80,  /* of what a blocking call is called */
    MIN_PREFIX = 3, /* before a '*': "a*" would name half of a library */
    MAX_SHOWN = 40, /* of a wrong word in an error */
};

struct parser {
    struct lk_patterns *rows;
    const char *name; /* of the file */
    unsigned line;
    size_t n; /* rows so far */
    struct lk_error *err;
};

/** A part of a line. */
struct word {
    const char *s;
    size_t n;
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static bool word_is(struct word w, const char *text)
{
    return strlen(text) == w.n && memcmp(w.s, text, w.n) == 0;
}

/* Cuts the next word off the front of rest; empty at the end. */
static struct word next_word(struct word *rest)
{
    while (rest->n && is_blank(*rest->s))
        rest->s++, rest->n--;
    struct word w = { rest->s, 0 };
    while (w.n < rest->n && !is_blank(rest->s[w.n]))
        w.n++;
    rest->s += w.n;
    rest->n -= w.n;
    return w;
}

static char *keep(struct parser *p, struct word w)
{
    return lk_arena_strndup(p->rows->arena, w.s, w.n);
}

/* What the user wrote, short and fit to be shown on a terminal. */
static const char *show(struct parser *p, struct word w)
{
    return lk_text_clean(p->rows->arena, w.s, w.n, MAX_SHOWN);
}

#define FAIL(p, ...) fail(p, lk_arena_printf((p)->rows->arena, __VA_ARGS__))

static bool fail(struct parser *p, const char *what)
{
    return lk_error_set(p->err, LK_ERR_USAGE, "%s:%u: %s", p->name, p->line, what);
}

/* ---- names --------------------------------------------------------------------------- */

static bool is_letter(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c >= 0x80;
}

static bool is_digit(unsigned char c)
{
    return c >= '0' && c <= '9';
}

/* Identifiers joined by dots. also: further letters, as "<>" of "<locals>". */
static bool is_dotted(struct word w, const char *also)
{
    bool begins = true;
    for (size_t i = 0; i < w.n; i++) {
        unsigned char c = (unsigned char)w.s[i];
        if (c == '.' && !begins)
            begins = true;
        else if (is_letter(c) || (c && strchr(also, c)) || (is_digit(c) && !begins))
            begins = false;
        else
            return false;
    }
    return !begins;
}

static bool check_length(struct parser *p, struct word w, const char *what)
{
    if (!w.n)
        return FAIL(p, "the %s is missing; see loopknot-rules(5) for what follows the first word",
                    what);
    if (w.n > MAX_NAME)
        return FAIL(p, "the %s is longer than %d bytes; shorten it", what, MAX_NAME);
    return true;
}

/* "acme.web" as the part of a path that it is: "acme/web". */
static char *as_path(struct parser *p, struct word module)
{
    char *s = keep(p, module);
    for (char *c = s; *c; c++)
        if (*c == '.')
            *c = '/';
    return s;
}

/* ---- rows ---------------------------------------------------------------------------- */

static bool has_room(struct parser *p)
{
    if (p->n++ >= LK_PATTERNS_MAX_ROWS)
        return FAIL(p,
                    "more than %d patterns; name packages or use '*' instead of single functions",
                    LK_PATTERNS_MAX_ROWS);
    return true;
}

static bool add_package(struct parser *p, struct word w)
{
    if (!check_length(p, w, "package"))
        return false;
    if (!is_dotted(w, ""))
        return FAIL(
            p, "'%s' is no name of a package; write it as in an import statement, like acme.web",
            show(p, w));
    lk_vec_add(&p->rows->packages, as_path(p, w));
    return true;
}

static void add_function(struct parser *p, const char *function, const char *path, const char *end,
                         unsigned marks, const char *call)
{
    struct lk_pattern *row = lk_vec_push(&p->rows->functions);
    *row = (struct lk_pattern){ function, lk_arena_printf(p->rows->arena, "%s%s", path, end), marks,
                                call };
}

/* MODULE or MODULE:QUALNAME; a module is a file, or a package's __init__. */
static bool add_python(struct parser *p, struct word w, unsigned marks, const char *call)
{
    static const char *const ends[] = { ".py", "/__init__.py", ".pyx" };
    if (!check_length(p, w, "Python function"))
        return false;
    const char *colon = memchr(w.s, ':', w.n);
    struct word module = { w.s, colon ? (size_t)(colon - w.s) : w.n };
    struct word function = { colon ? colon + 1 : NULL, colon ? w.n - module.n - 1 : 0 };
    if (!is_dotted(module, "") || (colon && !is_dotted(function, "<>")))
        return FAIL(p,
                    "'%s' is no Python function; write MODULE:NAME, like acme.client:Client.query, "
                    "or a MODULE alone",
                    show(p, w));
    const char *name = colon ? keep(p, function) : NULL, *path = as_path(p, module);
    if ((marks & LK_MARK_BLOCKING) && !call)
        call = name ? lk_arena_printf(p->rows->arena, "%s()", name) : keep(p, module);
    for (size_t i = 0; i < LK_ARRAY_LEN(ends); i++)
        add_function(p, name, path, ends[i], marks, call);
    if ((marks & LK_MARK_BLOCKING) && name)
        lk_vec_add(&p->rows->builtins, ((struct lk_call_pattern){ keep(p, w), NULL, call }));
    return true;
}

/* A '*' only at the end, after something that is worth the name of a prefix. */
static bool check_star(struct parser *p, struct word name)
{
    const char *star = memchr(name.s, '*', name.n);
    if (star && (star != name.s + name.n - 1 || name.n <= MIN_PREFIX))
        return FAIL(p, "'%s': a '*' may stand only at the end, after at least %d letters",
                    show(p, name), MIN_PREFIX);
    return true;
}

/* [LIBRARY:]FUNCTION; C++ names have "::" in them. */
static bool add_native(struct parser *p, struct word w, const char *call)
{
    struct word library = { w.s, 0 }, name = w;
    const char *colon = memchr(w.s, ':', w.n);
    if (colon && (size_t)(colon - w.s) + 1 < w.n && colon[1] != ':') {
        library.n = (size_t)(colon - w.s);
        name = (struct word){ colon + 1, w.n - library.n - 1 };
    }
    if (!check_length(p, name, "native function") || !check_star(p, name))
        return false;
    if (colon == w.s || (library.n && memchr(library.s, '/', library.n)))
        return FAIL(p,
                    "'%s': before the ':' stands the beginning of a library's file name without "
                    "folders, like libpq",
                    show(p, w));
    struct lk_call_pattern *row = lk_vec_push(&p->rows->natives);
    *row = (struct lk_call_pattern){ keep(p, name), library.n ? keep(p, library) : NULL, call };
    return true;
}

static bool add_syscall(struct parser *p, struct word w, const char *call)
{
    if (!check_length(p, w, "system call"))
        return false;
    for (size_t i = 0; i < w.n; i++)
        if (!(w.s[i] >= 'a' && w.s[i] <= 'z') && !is_digit((unsigned char)w.s[i]) && w.s[i] != '_')
            return FAIL(p,
                        "'%s' is no name of a system call; write it as in syscalls(2), like ioctl",
                        show(p, w));
    struct lk_call_pattern *row = lk_vec_push(&p->rows->syscalls);
    *row = (struct lk_call_pattern){ keep(p, w), NULL, call };
    return true;
}

/* ---- lines --------------------------------------------------------------------------- */

static bool nothing_follows(struct parser *p, struct word rest)
{
    struct word w = next_word(&rest);
    return !w.n || FAIL(p,
                        "'%s' follows where the line should end; one pattern a line, comments "
                        "begin with '#'",
                        show(p, w));
}

/* "as TEXT" to the end of the line, or nothing. */
static bool parse_call(struct parser *p, struct word rest, const char **call)
{
    *call = NULL;
    struct word w = next_word(&rest);
    if (!w.n)
        return true;
    if (!word_is(w, "as"))
        return FAIL(p, "'%s' follows where the line should end, or go on with \"as TEXT\"",
                    show(p, w));
    while (rest.n && is_blank(*rest.s))
        rest.s++, rest.n--;
    if (!rest.n)
        return FAIL(p, "after \"as\" the words are missing that a report shall use for this call");
    if (rest.n > MAX_CALL)
        return FAIL(p, "the words after \"as\" are longer than %d bytes; shorten them", MAX_CALL);
    *call = lk_text_clean(p->rows->arena, rest.s, rest.n, 4 * MAX_CALL);
    return true;
}

static bool parse_blocking(struct parser *p, struct word rest)
{
    struct word how = next_word(&rest), what = next_word(&rest);
    const char *call;
    if (!word_is(how, "python") && !word_is(how, "native") && !word_is(how, "syscall"))
        return FAIL(p, "after 'blocking' stands %s%s%s; write python, native or syscall there",
                    how.n ? "'" : "", how.n ? show(p, how) : "nothing", how.n ? "'" : "");
    if (!parse_call(p, rest, &call))
        return false;
    if (word_is(how, "python"))
        return add_python(p, what, LK_MARK_BLOCKING, call);
    return word_is(how, "native") ? add_native(p, what, call) : add_syscall(p, what, call);
}

/* First words of lines; marks 0: a form of its own. */
static const struct {
    const char *word;
    unsigned marks;
} kinds[] = {
    { "framework", 0 },
    { "bridge", LK_MARK_BRIDGE },
    { "nester", LK_MARK_NESTER },
    { "consumer", LK_MARK_CONSUMER },
    { "request", LK_MARK_REQUEST },
    { "worker", LK_MARK_WORKER },
    { "blocking", 0 },
};

static bool parse_line(struct parser *p, struct word rest)
{
    struct word first = next_word(&rest);
    if (!first.n)
        return true;
    if (!has_room(p))
        return false;
    if (word_is(first, "blocking"))
        return parse_blocking(p, rest);
    for (size_t i = 0; i < LK_ARRAY_LEN(kinds); i++) {
        if (!word_is(first, kinds[i].word))
            continue;
        struct word what = next_word(&rest);
        return nothing_follows(p, rest) &&
               (kinds[i].marks ? add_python(p, what, kinds[i].marks, NULL) : add_package(p, what));
    }
    return FAIL(p,
                "unknown word '%s'; a line begins with framework, bridge, nester, consumer, "
                "request, worker or blocking",
                show(p, first));
}

/* Cuts a comment and blanks off the end. '#' begins one at the line's start or after a blank. */
static struct word strip(struct word line)
{
    for (size_t i = 0; i < line.n; i++)
        if (line.s[i] == '#' && (i == 0 || is_blank(line.s[i - 1])))
            line.n = i;
    while (line.n && (is_blank(line.s[line.n - 1]) || line.s[line.n - 1] == '\r'))
        line.n--;
    return line;
}

/* ---- bytes --------------------------------------------------------------------------- */

/* Bytes of the UTF-8 character at s (RFC 3629: no surrogates, no overlong forms); 0: it is none. */
static size_t utf8_length(const unsigned char *s, size_t n)
{
    size_t len = s[0] < 0x80                   ? 1
                 : s[0] >= 0xc2 && s[0] < 0xe0 ? 2
                 : s[0] >= 0xe0 && s[0] < 0xf0 ? 3
                 : s[0] < 0xf5                 ? 4
                                               : 0;
    if (s[0] >= 0x80 && s[0] < 0xc2)
        return 0;
    if (!len || len > n)
        return 0;
    for (size_t i = 1; i < len; i++)
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
        (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
        return 0;
    return len;
}

static bool check_bytes(struct parser *p, struct word line)
{
    if (line.n > LK_PATTERNS_MAX_LINE)
        return FAIL(p, "the line is longer than %d bytes; is this a file of patterns?",
                    LK_PATTERNS_MAX_LINE);
    for (size_t i = 0, len; i < line.n; i += len) {
        unsigned char c = (unsigned char)line.s[i];
        len = utf8_length((const unsigned char *)line.s + i, line.n - i);
        if (!c)
            return FAIL(p, "a NUL byte stands in the line; a file of patterns is plain text");
        if (!len)
            return FAIL(p, "byte %zu of the line is no UTF-8; save the file as UTF-8 text", i + 1);
        if ((c < 0x20 && c != '\t' && !(c == '\r' && i + 1 == line.n)) || c == 0x7f)
            return FAIL(p,
                        "a control character (\\x%02x) stands in the line; a file of patterns is "
                        "plain text",
                        c);
    }
    return true;
}

static bool parse_lines(struct parser *p, const char *text, size_t n)
{
    static const char bom[] = "\xef\xbb\xbf";
    if (n >= 3 && memcmp(text, bom, 3) == 0)
        text += 3, n -= 3;
    while (n) {
        const char *end = memchr(text, '\n', n);
        struct word line = { text, end ? (size_t)(end - text) : n };
        size_t used = line.n + (end != NULL);
        p->line++;
        if (!check_bytes(p, line) || !parse_line(p, strip(line)))
            return false;
        text += used;
        n -= used;
    }
    return true;
}

struct lk_patterns *lk_patterns_parse(const char *name, const char *text, size_t n,
                                      struct lk_error *err)
{
    if (n > LK_PATTERNS_MAX_BYTES) {
        lk_error_set(err, LK_ERR_USAGE,
                     "%s: larger than %d KiB, which no file of patterns needs to be", name,
                     LK_PATTERNS_MAX_BYTES / 1024);
        return NULL;
    }
    struct parser p = { .rows = lk_xcalloc(1, sizeof *p.rows), .name = name, .err = err };
    p.rows->arena = lk_arena_create();
    if (parse_lines(&p, text, n))
        return p.rows;
    lk_patterns_destroy(p.rows);
    return NULL;
}

void lk_patterns_destroy(struct lk_patterns *p)
{
    if (!p)
        return;
    lk_free(p->functions.v);
    lk_free(p->natives.v);
    lk_free(p->syscalls.v);
    lk_free(p->builtins.v);
    lk_free(p->packages.v);
    lk_arena_destroy(p->arena);
    lk_free(p);
}
