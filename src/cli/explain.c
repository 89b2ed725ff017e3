/*
 * `loopknot rules` and `loopknot explain RULE...`: the rules as the library writes them, in the
 * format that --format names.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/words.h"
#include "loopknot.h"

/* status: of one of the writers. */
static int written(int status, const char *command, const char *format)
{
    if (status == LOOPKNOT_USAGE)
        return complain(EXIT_USAGE, "'%s' has no format '%s' (loopknot %s --help lists them)",
                        command, format, command);
    if (status == LOOPKNOT_NO_MEMORY)
        end_without_memory();
    if (status)
        return complain(EXIT_NO_REPORT, "could not write to stdout: %s", strerror(errno));
    return 0;
}

int command_rules(int argc, char **argv)
{
    struct words w;
    int status = words_parse(&w, argc, argv, false);
    if (status)
        return status;
    if (w.help) {
        puts("usage: loopknot rules [--format text|json]\n"
             "Lists the rules: id, name, the worst verdict it can bring about, what it is in a few "
             "words.\n"
             "loopknot explain ID tells all about one.");
        return flushed(0);
    }
    if (w.n)
        return complain(EXIT_USAGE, "'rules' takes no '%s' (loopknot explain %s explains one)",
                        w.v[0], w.v[0]);
    struct loopknot_render how = words_render(&w);
    return written(loopknot_write_rules(w.format, &how, stdout), "rules", w.format);
}

int command_explain(int argc, char **argv)
{
    struct words w;
    const char *id, *name;
    int status = words_parse(&w, argc, argv, false);
    if (status)
        return status;
    if (w.help) {
        puts("usage: loopknot explain [--format text|json|markdown] RULE...\n"
             "Explains rules, named by id or name: what each means, how it comes about, how it is "
             "known, what would refute\n"
             "it, what to change (with code before and after), and where the documentation says "
             "so.\n"
             "loopknot rules lists them.");
        return flushed(0);
    }
    if (!w.n)
        return complain(EXIT_USAGE,
                        "usage: loopknot explain RULE...   (loopknot rules lists them)");
    for (size_t i = 0; i < w.n; i++)
        if (!loopknot_rule_find(w.v[i], &id, &name))
            return complain(
                EXIT_USAGE,
                "there is no rule '%.60s'; the nearest is %s (%s); loopknot rules lists them",
                w.v[i], id, name);
    struct loopknot_render how = words_render(&w);
    return written(loopknot_write_explanations(w.v, w.n, w.format, &how, stdout), "explain",
                   w.format);
}
