/* What is hidden in all reports of a diagnosis, from the moment they come into it. */
#include <stdio.h>
#include <stdlib.h>

#include "api/diagnosis.h"
#include "report/hiding.h"

#define LK_EXPORT __attribute__((visibility("default")))

/* First all that changes is found, which may lack memory, then all is changed. */
struct hiding {
    const struct loopknot_diagnosis *d;
    size_t from;
    struct lk_hiding *v;
};

static void find_all(void *arg)
{
    struct hiding *x = arg;
    x->v = lk_xcalloc(x->d->n - x->from + 1, sizeof *x->v);
    for (size_t i = x->from; i < x->d->n; i++)
        x->v[i - x->from] = lk_hiding_find(&x->d->v[i], x->d->redaction);
}

bool lk_api_hide(struct loopknot_diagnosis *d, size_t from)
{
    struct hiding x = { .d = d, .from = from };
    if (!lk_guarded(find_all, &x, NULL))
        return false;
    for (size_t i = from; i < d->n; i++)
        lk_hiding_commit(&x.v[i - from], &d->v[i]);
    lk_free(x.v);
    return true;
}

bool lk_api_take_in(struct loopknot_diagnosis *d, size_t from)
{
    if (lk_api_hide(d, from))
        return true;
    while (d->n > from)
        lk_report_deinit(&d->v[--d->n]);
    return false;
}

void lk_api_forget_redaction(struct loopknot_diagnosis *d)
{
    if (d->redaction)
        lk_redaction_deinit(d->redaction);
    free(d->redaction);
    d->redaction = NULL;
}

LK_EXPORT int loopknot_redact(struct loopknot_diagnosis *d, const char *regex, char *message,
                              size_t size)
{
    struct lk_error err = { 0 };
    if (!d->redaction)
        d->redaction = calloc(1, sizeof *d->redaction);
    if (!d->redaction)
        lk_error_set(&err, LK_ERR_NOMEM, "out of memory");
    else if (lk_redaction_add(d->redaction, regex, &err) && !lk_api_hide(d, 0))
        lk_error_set(&err, LK_ERR_NOMEM, "out of memory");
    if (err.code && message && size)
        snprintf(message, size, "%s", err.text);
    return !err.code ? LOOPKNOT_OK : err.code == LK_ERR_NOMEM ? LOOPKNOT_NO_MEMORY : LOOPKNOT_USAGE;
}
