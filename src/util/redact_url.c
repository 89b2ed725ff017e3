/*
 *   scheme://user:X@host               the password; both where the name looks like a token
 *   https://X@host   https://X:@host   the name: who calls by HTTP and gives no password has a
 * token https://hooks.slack.com/services/X .../webhooks/X   what leads to the hook, if it is no
 * word https://api.telegram.org/botX/     the bot's token
 */
#include "util/redact_url.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "util/base.h"

#define URL_ENDS  " \t\r\n\"'<>`"
#define PATH_ENDS "?#,;)" URL_ENDS

enum { TOKEN_LEAST = 16, LONGEST_PATH = 512 };

/* Long, of letters, digits, - and _ alone, with a digit: no name of a person or a service. */
static bool looks_like_token(const char *s, size_t n)
{
    bool digit = false;
    for (size_t i = 0; i < n; i++) {
        if (!isalnum((unsigned char)s[i]) && s[i] != '-' && s[i] != '_')
            return false;
        digit |= isdigit((unsigned char)s[i]) != 0;
    }
    return n >= TOKEN_LEAST && digit;
}

/* The last c of [from, to); to: there is none. */
static size_t last_of(const char *s, size_t from, size_t to, char c)
{
    for (size_t i = to; i > from; i--)
        if (s[i - 1] == c)
            return i - 1;
    return to;
}

static bool is_http(const char *s, size_t i)
{
    return (i >= 4 && strncasecmp(s + i - 4, "http", 4) == 0) ||
           (i >= 5 && strncasecmp(s + i - 5, "https", 5) == 0);
}

/* Where the address that begins at start ends, or the next one in it begins. */
static size_t url_end(const char *s, size_t start)
{
    size_t end = start;
    while (s[end] && !strchr(URL_ENDS, s[end]) && strncmp(s + end, "://", 3) != 0)
        end++;
    return end;
}

/* The '@' behind the user's part, 0 none. A password may hold an unescaped '/', a port may not. */
static size_t user_end(const char *s, size_t start, size_t authority, size_t colon, size_t end)
{
    const size_t at = last_of(s, start, authority, '@');
    if (at < authority)
        return at;
    if (colon == authority || strspn(s + colon + 1, "0123456789") == authority - colon - 1)
        return 0;
    const size_t later = last_of(s, authority, end, '@');
    return later < end ? later : 0;
}

bool lk_redact_url_user(const char *s, size_t i, size_t *from, size_t *to)
{
    const size_t start = i + 3, end = url_end(s, start);
    const size_t authority = LK_MIN(start + strcspn(s + start, "/?#" URL_ENDS), end);
    size_t colon = start;
    while (colon < authority && s[colon] != ':' && s[colon] != '@')
        colon++;
    if (colon < authority && s[colon] == '@')
        colon = authority;
    const size_t at = user_end(s, start, authority, colon, end);
    if (at <= start)
        return false;
    const size_t name_end = LK_MIN(colon, at);
    const bool password = colon + 1 < at;
    const bool token =
        looks_like_token(s + start, name_end - start) || (!password && is_http(s, i));
    if (!password && (!token || name_end == start))
        return false;
    *from = token ? start : colon + 1;
    *to = at;
    return true;
}

/* Whether a part of the path is one. */
static bool has_token(const char *path)
{
    for (size_t at = 0; at < LONGEST_PATH;) {
        size_t part = 0;
        while (part < LONGEST_PATH && path[at + part] && !strchr("/" PATH_ENDS, path[at + part]))
            part++;
        if (looks_like_token(path + at, part))
            return true;
        if (path[at + part] != '/')
            return false;
        at += part + 1;
    }
    return false;
}

bool lk_redact_webhook(const char *s, size_t i, size_t *from, size_t *to)
{
    static const struct {
        const char *path;
        bool always; /* whatever follows */
    } hooks[] = {
        { "/hooks.slack.com/services/", true },
        { "/hooks/catch/", true },
        { "/api.telegram.org/bot", true },
        { "/webhookb2/", true },
        { "/webhooks/", false },
        { "/webhook/", false },
    };
    for (size_t k = 0; k < LK_ARRAY_LEN(hooks); k++) {
        const size_t n = strlen(hooks[k].path);
        if (strncmp(s + i, hooks[k].path, n) != 0)
            continue;
        *from = i + n;
        *to = *from;
        if (hooks[k].always || has_token(s + *from))
            *to += strcspn(s + *from, PATH_ENDS);
        return *to > *from;
    }
    return false;
}
