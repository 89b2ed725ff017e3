/* Words, --format NAME and what else is common to them; "-" alone is a word, "--" ends the options.
 */
#include "cli/words.h"

#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/outputs.h"

static bool is(const char *option, const char *name, const char *letter)
{
    return strcmp(option, name) == 0 || (letter && strcmp(option, letter) == 0);
}

int words_parse(struct words *w, int argc, char **argv, bool of_reports)
{
    static const char format[] = "--format";
    bool options = true;
    *w = (struct words){ .format = "text" };
    for (int i = 1; i < argc; i++) {
        const char *a = argv[i];
        if (!options || a[0] != '-' || !a[1]) {
            if (w->n == MAX_WORDS)
                return complain(EXIT_USAGE, "more than %d words", MAX_WORDS);
            w->v[w->n++] = a;
        } else if (is(a, "--", NULL))
            options = false;
        else if (is(a, "--help", "-h"))
            w->help = true;
        else if (of_reports && is(a, "--all", NULL))
            w->all = true;
        else if (of_reports && is(a, "--redact", NULL) && i + 1 < argc && w->n_redact < MAX_REDACT)
            w->redact[w->n_redact++] = argv[++i];
        else if (strncmp(a, "--format=", sizeof format) == 0)
            w->format = a + sizeof format;
        else if (!is(a, format, NULL))
            return complain(EXIT_USAGE, "'%s' has no option '%s' (loopknot %s --help)", argv[0], a,
                            argv[0]);
        else if (i + 1 < argc)
            w->format = argv[++i];
        else
            return complain(EXIT_USAGE, "--format wants the name of a format");
    }
    return 0;
}

struct loopknot_render words_render(const struct words *w)
{
    struct loopknot_render how = loopknot_render_default();
    how.color = terminal_color(STDOUT_FILENO);
    how.width = terminal_width(STDOUT_FILENO);
    how.all = w->all;
    return how;
}
