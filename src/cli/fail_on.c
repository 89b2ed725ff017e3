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
    f->never = i == 4;
    f->from = f->never ? LOOPKNOT_DEADLOCK : (enum loopknot_verdict)(i + 1);
    return 0;
}

int fail_on_status(const struct fail_on *f, const struct loopknot_diagnosis *d, bool some_failed)
{
    const enum loopknot_verdict v = loopknot_verdict(d);
    if (!f->never && v != LOOPKNOT_UNKNOWN && v >= f->from)
        return EXIT_FOUND;
    return v == LOOPKNOT_UNKNOWN || some_failed ? EXIT_UNKNOWN : 0;
}
