/*
 * What is hidden:
 *   --password=X  PASSWORD=X  dbPassword=X  all that follows, where the name says secret
 *   --password X                            the next argument, unless it is an option itself
 *   "password": "x"   password='x'          the quoted value, anywhere in the argument
 *   Authorization: Bearer X   Cookie: X     the rest of the line
 *   X-Api-Key:X   Authorization:X           a header's, where the name is none of a module
 *   Bearer X   Basic X                      the word after it
 *   ?token=X&  &key=X  &sig=X               the value of a query parameter
 *   scheme://user:X@host, webhooks          redact_url.c
 *   -u user:X   -b name=X                   curl's way
 *   -passin pass:X                          openssl's way
 *   -----BEGIN PRIVATE KEY-----             all up to its end
 *   eyJ..., ghp_..., AKIA...                words that are tokens by their shape
 *
 * A name says secret when one of its words does; words end at punctuation and where lower case
 * turns to upper case. It does not when its last word says that the value is about the secret
 * (--password-file, --token-ttl, --key-type). "key", "auth", "pass", "pwd", "session", "otp" and
 * "pin" are too common to count anywhere but at the end, and "key" not after words such as "sort".
 * So --keepalive, --key-file, monkey.py, tokenizer.py, --max-tokens 5, PWD=/srv, --session 2 and
 * gpio_pin=17 stay readable.
 */
#include "util/redact.h"

#include <ctype.h>
#include <string.h>

#include "util/redact_url.h"
#include "util/text.h"

#define MASK      "***"
#define MAX_WORDS 8
#define MAX_WORD  24

enum { LONGEST_DICT = 1000 };

/* A word that is one of these, or ends in one ("dbpassword"), makes its name secret wherever it
 * stands. */
static const char *const secret_words[] = {
    "password",      "passwd",    "passphrase", "secret",     "secrets",    "token",
    "apikey",        "accesskey", "secretkey",  "privatekey", "credential", "credentials",
    "authorization", "bearer",    "userpwd",    "dbpass",     "passcode",   "cookie",
    "cookies",       "sessionid", "sessid",     "csrf",       "xsrf",       "signature",
};
/* These only as the last word, and only whole. */
static const char *const secret_last[] = { "key",  "auth",    "pwd", "pass", "tokens", "passwords",
                                           "keys", "session", "otp", "pin",  "totp" };
/* "session id" is a session. */
static const char *const of_session[] = { "id", "code" };
/* "sort key" and the like name no secret. */
static const char *const harmless_before_key[] = {
    "sort",  "primary", "foreign", "public", "partition", "group",
    "order", "cache",   "routing", "hot",    "host",
};
/* After a secret word: the value is about the secret, not the secret. */
static const char *const about_secret[] = {
    "file",     "path",   "dir",    "url",      "uri",      "type",      "size",     "length",
    "len",      "limit",  "ttl",    "timeout",  "expiry",   "expires",   "age",      "lifetime",
    "count",    "name",   "header", "field",    "policy",   "algorithm", "alg",      "enabled",
    "required", "prefix", "env",    "store",    "provider", "class",     "backend",  "endpoint",
    "min",      "max",    "format", "rotation", "domain",   "secure",    "samesite", "httponly",
};
/* Shapes of tokens in the wild: prefix, and how many characters of [A-Za-z0-9_-] follow at least.
 */
static const struct {
    const char *prefix;
    size_t least;
} token_shapes[] = {
    { "ghp_", 20 },        { "gho_", 20 },   { "ghu_", 20 },  { "ghs_", 20 },    { "ghr_", 20 },
    { "github_pat_", 20 }, { "glpat-", 16 }, { "xoxb-", 10 }, { "xoxp-", 10 },   { "xoxa-", 10 },
    { "AKIA", 16 },        { "ASIA", 16 },   { "AIza", 30 },  { "sk-", 20 },     { "sk_live_", 16 },
    { "rk_live_", 16 },    { "whsec_", 20 }, { "xapp-", 10 }, { "shpat_", 20 },  { "sk_test_", 16 },
    { "hf_", 24 },         { "npm_", 24 },   { "pypi-", 30 }, { "dop_v1_", 30 },
};

static bool in_list(const char *word, const char *const *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(word, list[i]) == 0)
            return true;
    return false;
}
#define IN_LIST(word, list) in_list(word, list, LK_ARRAY_LEN(list))

static bool is_secret_word(const char *word)
{
    for (size_t i = 0; i < LK_ARRAY_LEN(secret_words); i++)
        if (lk_ends_with(word, secret_words[i]))
            return true;
    return false;
}

/* Splits a name into its last words, in lower case; the newest word is words[n - 1]. */
static size_t split_words(const char *name, size_t len, char words[MAX_WORDS][MAX_WORD])
{
    size_t n = 0, w = 0;
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)name[i];
        bool hump = i > 0 && isupper(c) && islower((unsigned char)name[i - 1]);
        if (!isalnum(c) || hump) {
            n += w > 0;
            w = 0;
        }
        if (!isalnum(c))
            continue;
        if (n == MAX_WORDS) {
            memmove(words, words + 1, sizeof(words[0]) * (MAX_WORDS - 1));
            n--;
        }
        if (w == MAX_WORD - 1) { /* keep the end: that is what suffixes are looked for in */
            memmove(words[n], words[n] + 1, MAX_WORD - 2);
            w--;
        }
        words[n][w++] = (char)tolower(c);
        words[n][w] = '\0';
    }
    return n + (w > 0);
}

static bool name_is_secret(const char *name, size_t len)
{
    char words[MAX_WORDS][MAX_WORD];
    size_t n = split_words(name, len, words);
    if (n == 0 || strcmp(words[0], "no") == 0 || IN_LIST(words[n - 1], about_secret))
        return false;
    for (size_t i = 0; i < n; i++)
        if (is_secret_word(words[i]))
            return true;
    const char *last = words[n - 1], *before = n > 1 ? words[n - 2] : "";
    if (IN_LIST(last, of_session))
        last = strcmp(before, "session") == 0 || strcmp(before, "pin") == 0 ? before : last;
    if (!IN_LIST(last, secret_last))
        return false;
    if (strncmp(last, "key", 3) == 0)
        return !IN_LIST(before, harmless_before_key);
    return true;
}

bool lk_redact_says_secret(const char *name)
{
    return name_is_secret(name, strlen(name));
}

static bool is_name_char(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '-' || c == '.';
}

static bool is_number(const char *s, size_t n)
{
    return n > 0 && strspn(s, "0123456789.") >= n;
}

/* There is no secret, or only whether there is one. */
static bool is_nothing(const char *value, size_t len)
{
    static const char *const nothing[] = { "none", "null", "nil", "true", "false" };
    for (size_t i = 0; i < LK_ARRAY_LEN(nothing); i++)
        if (len == strlen(nothing[i]) && strncasecmp(value, nothing[i], len) == 0)
            return true;
    return false;
}

/* A count, a place or the like has the name too: fewer digits, or a path. */
static bool is_small_or_path(const char *value, size_t len, size_t digits)
{
    return (is_number(value, len) && len < digits) || value[0] == '/' || value[0] == '.';
}

/* --max-tokens 100, PWD=/srv, gpio_pin=17, token=None: a secret's name, and a value that is none.
 */
static bool value_is_harmless(const char *name, size_t len, const char *value, size_t value_len)
{
    char words[MAX_WORDS][MAX_WORD];
    size_t n = split_words(name, len, words);
    if (is_nothing(value, value_len))
        return true;
    if (n == 0)
        return false;
    if (strcmp(words[n - 1], "tokens") == 0 || strcmp(words[n - 1], "keys") == 0)
        return is_number(value, value_len);
    if (strcmp(words[n - 1], "pin") == 0)
        return !is_number(value, value_len) || value_len < 4;
    if (strcmp(words[n - 1], "session") == 0 || strcmp(words[n - 1], "id") == 0)
        return is_small_or_path(value, value_len, 6);
    return n == 1 && strcmp(words[0], "pwd") == 0 && value[0] == '/';
}

/* The argument is the value of the option before it. */
static bool is_value_of(const char *arg, const char *previous)
{
    if (!previous || previous[0] != '-' || strpbrk(previous, "= :/"))
        return false;
    if (arg[0] == '-' && arg[1] == '-')
        return false;
    return name_is_secret(previous, strlen(previous)) &&
           !value_is_harmless(previous, strlen(previous), arg, strlen(arg));
}

/* curl -u user:password; numbers are ids (--user 1000:1000). Returns where the secret starts, 0 for
 * none. */
static size_t user_password(const char *arg, const char *previous)
{
    if (!previous || (strcmp(previous, "-u") != 0 && strcmp(previous, "--user") != 0 &&
                      strcmp(previous, "--proxy-user") != 0))
        return 0;
    const char *colon = strchr(arg, ':');
    if (!colon || !colon[1] || is_number(colon + 1, strlen(colon + 1)) || strchr(arg, '/'))
        return 0;
    return (size_t)(colon - arg) + 1;
}

/* curl -b name=value (a celery's broker has a colon first, a server's address no '='). */
static size_t cookie_value(const char *arg, const char *previous)
{
    const size_t n = strcspn(arg, "=:/ ");
    return previous && strcmp(previous, "-b") == 0 && arg[n] == '=' && arg[n + 1] ? n + 1 : 0;
}

/* openssl's -passin pass:X. */
static size_t pass_value(const char *arg, const char *previous)
{
    return previous && strncmp(previous, "-pass", 5) == 0 && strncmp(arg, "pass:", 5) == 0 && arg[5]
               ? 5
               : 0;
}

/*
 * What follows "NAME:" at once is a header's value, not a module's attribute, a port or a tag: the
 * name is no identifier (X-Api-Key) and ends in what says secret, or begins with a capital.
 */
static bool is_header(const char *name, size_t len, const char *value)
{
    const char *dash = memchr(name, '-', len);
    if (value[0] == ':' || value[0] == '\0' || strspn(value, "0123456789") == strlen(value))
        return false;
    while (dash && memchr(dash + 1, '-', (size_t)(name + len - dash - 1)))
        dash = memchr(dash + 1, '-', (size_t)(name + len - dash - 1));
    if (!dash)
        return isupper((unsigned char)name[0]) && len > 1 && islower((unsigned char)name[1]) &&
               name_is_secret(name, len) && !memchr(name, '.', len);
    return name_is_secret(dash + 1, (size_t)(name + len - dash - 1));
}

/* NAME=value or NAME: value as the whole argument. Returns where the value starts, 0 when it is not
 * that. */
static size_t whole_assignment(const char *arg)
{
    size_t len = 0;
    while (is_name_char(arg[len]))
        len++;
    if (len == 0)
        return 0;
    size_t value = arg[len] == '=' ? len + 1 : arg[len] == ':' && arg[len + 1] == ' ' ? len + 2 : 0;
    if (!value && arg[len] == ':' && is_header(arg, len, arg + len + 1))
        value = len + 1;
    if (value == 0 || arg[value] == '\0' || !name_is_secret(arg, len))
        return 0;
    return value_is_harmless(arg, len, arg + value, strlen(arg + value)) ? 0 : value;
}

static size_t quoted_end(const char *s, size_t i, char quote)
{
    while (s[i] && s[i] != quote)
        i += s[i] == '\\' && s[i + 1] ? 2 : 1;
    return i;
}

/* Where an unquoted value ends. */
static size_t bare_end(const char *s, size_t i)
{
    return i + strcspn(s + i, " \t\r\n&;,\"'`)}]");
}

/*
 * A name that starts at i and is followed by = or : and a value. Sets the range to hide. Plain
 * "key" counts only in quotes or as a query parameter: key= is a common argument in code.
 */
static bool inner_assignment(const char *s, size_t i, size_t *from, size_t *to)
{
    size_t name = i, len = 0;
    while (is_name_char(s[name + len]))
        len++;
    size_t at = name + len;
    char before = i > 0 ? s[i - 1] : '\0';
    bool quoted = (before == '"' || before == '\'') && s[at] == before;
    at += quoted;
    size_t sep = at + strspn(s + at, " ");
    const bool signature = len == 3 && strncmp(s + name, "sig", 3) == 0 &&
                           (before == '?' || before == '&'); /* of a shared access signature */
    if ((s[sep] != '=' && s[sep] != ':') || s[sep + 1] == '=' ||
        (!signature && !name_is_secret(s + name, len)))
        return false;
    if (s[sep] == ':' && !quoted && s[sep + 1] != ' ' && !is_header(s + name, len, s + sep + 1))
        return false;
    if (len == 3 && strncasecmp(s + name, "key", 3) == 0 && !quoted && before != '?' &&
        before != '&')
        return false;
    size_t value = sep + 1 + strspn(s + sep + 1, " ");
    char quote = s[value];
    if (quote == '"' || quote == '\'') {
        *from = value + 1;
        *to = quoted_end(s, *from, quote);
    } else if (quote == '{') {
        *from = value + 1;
        *to = *from + strcspn(s + *from, "}");
    } else {
        char words[MAX_WORDS][MAX_WORD];
        size_t n = split_words(s + name, len, words);
        bool line = s[sep] == ':' && (strcmp(words[n - 1], "authorization") == 0 ||
                                      strcmp(words[n - 1], "cookie") == 0);
        *from = value;
        *to = line ? value + strcspn(s + value, "\r\n\"'") : bare_end(s, value);
    }
    return *to > *from && !value_is_harmless(s + name, len, s + *from, *to - *from);
}

/* "Bearer X" and "Basic X" where no name stands before. */
static bool scheme_word(const char *s, size_t i, size_t *from, size_t *to)
{
    size_t len = strncasecmp(s + i, "bearer ", 7) == 0  ? 7
                 : strncasecmp(s + i, "basic ", 6) == 0 ? 6
                                                        : 0;
    if (len == 0)
        return false;
    *from = i + len;
    *to = bare_end(s, *from);
    return *to - *from >= 8;
}

/* The body of a private key in PEM (RFC 7468), the end of which may be cut off. */
static bool private_key(const char *s, size_t i, size_t *from, size_t *to)
{
    enum { LONGEST_LABEL = 40 };
    if (strncmp(s + i, "-----BEGIN ", 11) != 0)
        return false;
    const size_t label = i + 11;
    size_t n = 0;
    while (n < LONGEST_LABEL && s[label + n] && s[label + n] != '-')
        n++;
    if (n < 11 || strncmp(s + label + n - 11, "PRIVATE KEY-----", 16) != 0)
        return false;
    *from = label + n + 5;
    const char *end = strstr(s + *from, "-----END");
    *to = end ? (size_t)(end - s) : strlen(s);
    return *to > *from;
}

/* -passin pass:X within a shell's line. */
static bool inner_pass(const char *s, size_t i, size_t *from, size_t *to)
{
    static const char *const options[] = { " -pass ", " -passin ", " -passout " };
    for (size_t k = 0; strncmp(s + i, "pass:", 5) == 0 && k < LK_ARRAY_LEN(options); k++) {
        const size_t n = strlen(options[k]);
        if (i < n || strncmp(s + i - n, options[k], n) != 0)
            continue;
        *from = i + 5;
        *to = bare_end(s, *from);
        return *to > *from;
    }
    return false;
}

/* What begins with a sign that no word begins with. */
static bool marked(const char *s, size_t i, size_t *from, size_t *to)
{
    switch (s[i]) {
    case ':': return strncmp(s + i, "://", 3) == 0 && lk_redact_url_user(s, i, from, to);
    case '/': return lk_redact_webhook(s, i, from, to);
    case '-': return private_key(s, i, from, to);
    default: return false;
    }
}

static bool token_shape(const char *s, size_t i, size_t *from, size_t *to)
{
    static const char token_chars[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
    *from = i;
    for (size_t k = 0; k < LK_ARRAY_LEN(token_shapes); k++) {
        size_t n = strlen(token_shapes[k].prefix);
        if (strncmp(s + i, token_shapes[k].prefix, n) != 0)
            continue;
        *to = i + n + strspn(s + i + n, token_chars);
        if (*to - i - n >= token_shapes[k].least)
            return true;
    }
    /* JSON Web Token (RFC 7519): three base64url parts, the first an object and so beginning with
     * eyJ. */
    if (strncmp(s + i, "eyJ", 3) != 0)
        return false;
    size_t first = i + strspn(s + i, token_chars);
    if (s[first] != '.' || first - i < 10)
        return false;
    size_t second = first + 1 + strspn(s + first + 1, token_chars);
    if (second - first < 10)
        return false;
    *to = s[second] == '.' ? second + 1 + strspn(s + second + 1, token_chars) : second;
    return true;
}

/* A secret whose name, scheme or shape starts at i. */
static bool secret_at(const char *s, size_t i, size_t *from, size_t *to)
{
    if (marked(s, i, from, to))
        return true;
    if (!isalnum((unsigned char)s[i]) || (i > 0 && is_name_char(s[i - 1])))
        return false;
    return token_shape(s, i, from, to) || scheme_word(s, i, from, to) ||
           inner_pass(s, i, from, to) || inner_assignment(s, i, from, to);
}

/* ---- source code ------------------------------------------------------------------------------
 */

static const char *skip_blanks(const char *p)
{
    return p + strspn(p, " \t");
}

/* A string literal of Python or C that begins at p, behind its prefix (rb, f, u, L). */
static bool string_literal(const char *s, const char *p, size_t *from, size_t *to)
{
    p += strspn(p, "rbfuRBFUL");
    if (*p != '"' && *p != '\'')
        return false;
    const char quote = *p;
    const bool three = p[1] == quote && p[2] == quote;
    *from = (size_t)(p - s) + (three ? 3 : 1);
    *to = quoted_end(s, *from, quote);
    return *to > *from;
}

/*
 * NAME = "x", NAME == "x", NAME: str = "x", "NAME": "x", d["NAME"] = "x": the literal, or a number
 * of four digits or more. s[i] begins the name.
 */
static bool source_literal(const char *s, size_t i, size_t *from, size_t *to)
{
    size_t len = 0;
    while (is_name_char(s[i + len]))
        len++;
    if (!name_is_secret(s + i, len))
        return false;
    const char *p = s + i + len;
    p += *p == '"' || *p == '\'';
    p = skip_blanks(p + (*p == ']'));
    if (*p == ':' && p[1] != '=') {
        const char *value = skip_blanks(p + 1);
        if (string_literal(s, value, from, to))
            return true;
        p = value + strspn(value, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_.,|[] ");
    }
    const size_t sign = strspn(p, "=!:");
    if (!sign || p[sign - 1] != '=')
        return false;
    p = skip_blanks(p + sign);
    if (string_literal(s, p, from, to))
        return true;
    if (*p == '{') { /* a dict of cookies */
        *from = *to = (size_t)(p + 1 - s);
        bool quotes = false;
        for (; *to - *from < LONGEST_DICT && s[*to] && s[*to] != '}'; ++*to)
            quotes |= s[*to] == '"' || s[*to] == '\'';
        return quotes;
    }
    *from = (size_t)(p - s);
    *to = *from + strspn(p, "0123456789");
    return *to - *from >= 4;
}

static bool secret_in_source(const char *s, size_t i, size_t *from, size_t *to)
{
    if (marked(s, i, from, to))
        return true;
    if ((!isalnum((unsigned char)s[i]) && s[i] != '_') || (i > 0 && is_name_char(s[i - 1])))
        return false;
    return token_shape(s, i, from, to) || scheme_word(s, i, from, to) ||
           source_literal(s, i, from, to);
}

/* ---- the whole ------------------------------------------------------------------------------- */

/* s with all that find() finds hidden; NULL where it finds nothing. */
static char *hide_all(struct lk_arena *a, const char *s,
                      bool (*find)(const char *s, size_t i, size_t *from, size_t *to))
{
    struct lk_strbuf out = { 0 };
    size_t done = 0;
    for (size_t i = 0, from, to; s[i];) {
        if (!find(s, i, &from, &to)) {
            i++;
            continue;
        }
        lk_strbuf_add(&out, s + done, from - done);
        lk_strbuf_puts(&out, MASK);
        done = i = to;
    }
    if (!done) {
        lk_strbuf_deinit(&out);
        return NULL;
    }
    lk_strbuf_puts(&out, s + done);
    char *ret = lk_arena_strdup(a, out.s);
    lk_strbuf_deinit(&out);
    return ret;
}

static char *masked_tail(struct lk_arena *a, const char *arg, size_t from)
{
    return lk_arena_printf(a, "%.*s" MASK, (int)LK_MIN(from, (size_t)INT32_MAX), arg);
}

char *lk_redact(struct lk_arena *a, const char *arg, const char *previous)
{
    if (arg[0] == '\0')
        return lk_arena_strdup(a, arg);
    if (is_value_of(arg, previous))
        return lk_arena_strdup(a, MASK);
    size_t tail = user_password(arg, previous);
    if (!tail)
        tail = cookie_value(arg, previous);
    if (!tail)
        tail = pass_value(arg, previous);
    if (!tail)
        tail = whole_assignment(arg);
    if (tail)
        return masked_tail(a, arg, tail);
    char *hidden = hide_all(a, arg, secret_at);
    return hidden ? hidden : lk_arena_strdup(a, arg);
}

/* There may be 100,000 names: a short one without a sign that could stand between a name and its
 * value is not looked through. */
const char *lk_redact_name(struct lk_arena *a, const char *s)
{
    enum { SHORTEST_TOKEN = 14 };
    if (!s || (strlen(s) < SHORTEST_TOKEN && !strpbrk(s, "=: ")))
        return s;
    const size_t tail = whole_assignment(s);
    const char *hidden = tail ? masked_tail(a, s, tail) : hide_all(a, s, secret_at);
    return hidden ? hidden : s;
}

const char *lk_redact_source(struct lk_arena *a, const char *s)
{
    const char *hidden = s ? hide_all(a, s, secret_in_source) : NULL;
    return hidden ? hidden : s;
}
