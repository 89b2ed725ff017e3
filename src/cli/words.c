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

/* "--name=VALUE", or "--name" and the next word; NULL where there is none. False: another option.
 */
static bool takes(char **argv, int *i, const char *name, const char **value)
{
    const size_t n = strlen(name);
    const char *rest = argv[*i] + n;
    if (strncmp(argv[*i], name, n) != 0 || (*rest && *rest != '='))
        return false;
    *value = *rest ? rest + 1 : argv[*i + 1]; /* NULL ends argv */
    *i += !*rest && *value;
    return true;
}

static int option(struct words *w, char **argv, int *i, bool of_reports)
{
    const char *a = argv[*i], *regex;
    if (is(a, "--help", "-h"))
        w->help = true;
    else if (strcmp(a, "-j") == 0)
        w->format = "json";
    else if (of_reports && is(a, "--all", NULL))
        w->all = true;
    else if (of_reports && takes(argv, i, "--redact", &regex))
        return regex ? redactions_add(&w->redact, regex)
                     : complain(EXIT_USAGE, "--redact wants an expression");
    else if (!takes(argv, i, "--format", &w->format))
        return complain(EXIT_USAGE, "'%s' has no option '%s'; it has --format, -j, %s--help",
                        argv[0], a, of_reports ? "--all, --redact, " : "");
    else if (!w->format)
        return complain(EXIT_USAGE, "--format wants the name of a format");
    return 0;
}

int words_parse(struct words *w, int argc, char **argv, bool of_reports)
{
    bool options = true;
    int status = 0;
    *w = (struct words){ .format = "text" };
    for (int i = 1; i < argc && !status; i++) {
        if (options && strcmp(argv[i], "--") == 0)
            options = false;
        else if (options && argv[i][0] == '-' && argv[i][1])
            status = option(w, argv, &i, of_reports);
        else if (w->n == MAX_WORDS)
            status = complain(EXIT_USAGE, "more than %d words", MAX_WORDS);
        else
            w->v[w->n++] = argv[i];
    }
    return status;
}

struct loopknot_render words_render(const struct words *w)
{
    struct loopknot_render how = loopknot_render_default();
    how.color = terminal_color(STDOUT_FILENO);
    how.width = terminal_width(STDOUT_FILENO);
    how.all = w->all;
    return how;
}
