/* The user's file of patterns: whatever bytes it holds, it is refused in one line or gives rows
 * that can be used. */
#include "diagnose/catalog/frames.h"
#include "diagnose/catalog/match.h"
#include "diagnose/catalog/user_file.h"

#include <string.h>

#include "fuzz.h"
#include "util/text.h"

enum { CAP = 2048 };

static const char *const seeds[] = {
    "framework acme.web\nbridge acme.portal:Portal.call\r\n# comment\n\nnester acme.nest\n",
    "blocking python acme.db:Client.query as a query\nblocking native libacme:acme_wait_* as a "
    "wait # why\n",
    "blocking native acme::Device::read\nblocking syscall ioctl as \xc3\xa9t\xc3\xa9\nconsumer "
    "a:b.<locals>.c\n",
    "\xef\xbb\xbfrequest acme.server\nworker acme.server:Worker.run\n",
};

static void use(const struct lk_patterns *p)
{
    struct lk_code c = { .function = "query",
                         .qualname = "Client.query",
                         .file = "/srv/acme/db.py" };
    const struct lk_natframe f = { .function = "acme_wait_long", .module = "libacme.so.3" };
    for (int qualnames = 0; qualnames < 2; qualnames++)
        lk_pattern_mark(p, &c, qualnames);
    lk_pattern_native(p, &f, NULL);
    lk_pattern_syscall(p, "ioctl");
    lk_pattern_is_users_framework(p, "/srv/acme/web/x.py");
    for (size_t i = 0; i < p->functions.n; i++)
        CHECK(p->functions.v[i].file && *p->functions.v[i].file && p->functions.v[i].marks);
    for (size_t i = 0; i < p->packages.n; i++)
        CHECK(*p->packages.v[i]);
    for (size_t i = 0; i < p->natives.n; i++)
        CHECK(*p->natives.v[i].name && strcmp(p->natives.v[i].name, "*") != 0);
}

static void one(uint64_t round)
{
    const char *seed = seeds[round % LK_ARRAY_LEN(seeds)];
    uint8_t buf[CAP];
    struct lk_error err = { 0 };
    memcpy(buf, seed, strlen(seed));
    const size_t n = fuzz_mutate(buf, strlen(seed), CAP);
    char *text = lk_xmalloc(n ? n : 1); /* of its exact size, so that reading on is seen */
    memcpy(text, buf, n);
    struct lk_patterns *p = lk_patterns_parse("x", text, n, &err);
    CHECK(p || (lk_starts_with(err.text, "x:") && !strpbrk(err.text, "\n\033")));
    if (p)
        use(p);
    lk_patterns_destroy(p);
    lk_free(text);
}

int main(int argc, char **argv)
{
    return fuzz_run(argc, argv, one);
}
