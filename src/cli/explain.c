/*
 * `loopknot rules` and `loopknot explain RULE...`: the rules as the library writes them, in the
 * format that --format names.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/outputs.h"
#include "loopknot.h"

enum { MAX_WORDS = 256 };

/* Arguments of both commands: an option that names the format, and words. */
struct request {
    const char *format;
    const char *words[MAX_WORDS];
    size_t n;
    bool help;
};

static int parse(int argc, char **argv, struct request *r)
{
    static const char option[] = "--format";
    bool options = true;
    *r = (struct request){ .format = "text" };
    for (int i = 1; i < argc; i++) {
        const char *a = argv[i];
        if (options && strcmp(a, "--") == 0)
            options = false;
        else if (options && (strcmp(a, "--help") == 0 || strcmp(a, "-h") == 0))
            r->help = true;
        else if (options && strncmp(a, "--format=", sizeof option) == 0)
            r->format = a + sizeof option;
        else if (options && strcmp(a, option) == 0 && i + 1 < argc)
            r->format = argv[++i];
        else if (options && strcmp(a, option) == 0)
            return complain(EXIT_USAGE, "--format wants the name of a format");
        else if (options && a[0] == '-')
            return complain(EXIT_USAGE, "'%s' has no option '%s'", argv[0], a);
        else if (r->n == MAX_WORDS)
            return complain(EXIT_USAGE, "more than %d rules", MAX_WORDS);
        else
            r->words[r->n++] = a;
    }
    return 0;
}

static struct loopknot_render render(void)
{
    struct loopknot_render how = loopknot_render_default();
    how.color = isatty(STDOUT_FILENO) && !getenv("NO_COLOR");
    how.width = terminal_width(STDOUT_FILENO);
    return how;
}

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
    struct request r;
    int status = parse(argc, argv, &r);
    if (status)
        return status;
    if (r.help) {
        puts("usage: loopknot rules [--format text|json]\n"
             "Lists the rules: id, name, the worst verdict it can bring about, what it is in a few "
             "words.\n"
             "loopknot explain ID tells all about one.");
        return flushed(0);
    }
    if (r.n)
        return complain(EXIT_USAGE, "'rules' takes no '%s' (loopknot explain %s explains one)",
                        r.words[0], r.words[0]);
    struct loopknot_render how = render();
    return written(loopknot_write_rules(r.format, &how, stdout), "rules", r.format);
}

int command_explain(int argc, char **argv)
{
    struct request r;
    const char *id, *name;
    int status = parse(argc, argv, &r);
    if (status)
        return status;
    if (r.help) {
        puts("usage: loopknot explain [--format text|json|markdown] RULE...\n"
             "Explains rules, named by id or name: what each means, how it comes about, how it is "
             "known, what would refute\n"
             "it, what to change (with code before and after), and where the documentation says "
             "so.\n"
             "loopknot rules lists them.");
        return flushed(0);
    }
    if (!r.n)
        return complain(EXIT_USAGE,
                        "usage: loopknot explain RULE...   (loopknot rules lists them)");
    for (size_t i = 0; i < r.n; i++)
        if (!loopknot_rule_find(r.words[i], &id, &name))
            return complain(
                EXIT_USAGE,
                "there is no rule '%.60s'; the nearest is %s (%s); loopknot rules lists them",
                r.words[i], id, name);
    struct loopknot_render how = render();
    return written(loopknot_write_explanations(r.words, r.n, r.format, &how, stdout), "explain",
                   r.format);
}
