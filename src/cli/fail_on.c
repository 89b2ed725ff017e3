/* --fail-on, of attach and of analyze: the word, and the exit status that it leads to. */
#include "cli/fail_on.h"

#include "cli/cli.h"
#include "cli/options.h"

int fail_on_parse(struct fail_on *f, const char *text)
{
    static const char *const words[] = { "hazard", "unknown", "stalled", "deadlock", "never" };
    const int i = parse_word("fail-on", text, words, 5);
    if (i < 0)
        return EXIT_USAGE;
    f->given = true;
    f->never = i == 4;
    f->from = f->never ? LOOPKNOT_DEADLOCK : (enum loopknot_verdict)(i + 1);
    return 0;
}

static int status_of(const struct fail_on *f, const struct loopknot_diagnosis *d, bool some_failed)
{
    const enum loopknot_verdict v = loopknot_verdict(d);
    const bool unknown = v == LOOPKNOT_UNKNOWN || some_failed;
    if (!f->never && v != LOOPKNOT_UNKNOWN && v >= f->from)
        return EXIT_FOUND;
    if (!unknown)
        return 0;
    if (!f->given)
        return EXIT_UNKNOWN;
    if (!f->never && f->from <= LOOPKNOT_UNKNOWN)
        return EXIT_FOUND;
    /* A probe must not end what could not be judged. */
    return complain(0, "not all could be judged (the report says why); what could is below "
                       "--fail-on");
}

int fail_on_report(const struct fail_on *f, const struct common *c,
                   const struct loopknot_diagnosis *d, bool some_failed)
{
    const int status = outputs_write(&c->outputs, d, &c->render, stdout);
    return status ? status : status_of(f, d, some_failed);
}

int fail_on_end(const struct fail_on *f, const struct common *c, struct loopknot_diagnosis *d,
                int status, bool some_failed)
{
    if (status == LOOPKNOT_NO_MEMORY)
        end_without_memory();
    const int ret = status ? EXIT_NO_REPORT : fail_on_report(f, c, d, some_failed);
    loopknot_destroy(d);
    return ret;
}
