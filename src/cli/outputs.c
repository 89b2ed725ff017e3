/* Reports to the streams and files that the user named; each file whole or not at all. */
#include "cli/outputs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/github_summary.h"
#include "cli/pager.h"
#include "util/replace_file.h"
#include "util/spelling.h"

enum { PLAIN_WIDTH = 100, LEAST_WIDTH = 20, MOST_WIDTH = 10000 };

/* The format that is spelt most like it. */
static const char *nearest_format(const char *name)
{
    const char *f, *best = loopknot_format(0, NULL);
    for (size_t i = 1; (f = loopknot_format(i, NULL)); i++)
        if (lk_spelling_distance(name, f) < lk_spelling_distance(name, best))
            best = f;
    return best;
}

int outputs_add(struct outputs *o, const char *format, const char *file)
{
    const char *nearest = nearest_format(format);
    if (strcmp(nearest, format) != 0)
        return complain(EXIT_USAGE,
                        "there is no format '%s'; the nearest is %s (loopknot --help "
                        "lists them)",
                        format, nearest);
    if (o->n == MAX_OUTPUTS)
        return complain(EXIT_USAGE, "more than %d outputs", MAX_OUTPUTS);
    o->v[o->n++] = (struct output){ format, file };
    return 0;
}

int outputs_parse(struct outputs *o, char *text)
{
    char *colon = strchr(text, ':');
    if (!colon || !colon[1])
        return complain(EXIT_USAGE, "--output wants FORMAT:FILE, not '%s'", text);
    *colon = '\0';
    return outputs_add(o, text, colon + 1);
}

/* "-" is stdout, as with most tools. */
static bool is_stdout(const struct output *out)
{
    return out->file && strcmp(out->file, "-") == 0;
}

bool outputs_to_stream(const struct outputs *o)
{
    for (size_t i = 0; i < o->n; i++)
        if (!o->v[i].file)
            return true;
    return false;
}

bool outputs_to_stdout(const struct outputs *o)
{
    for (size_t i = 0; i < o->n; i++)
        if (is_stdout(&o->v[i]))
            return true;
    return false;
}

bool outputs_detailed(const struct outputs *o)
{
    static const char *const formats[] = { "text", "markdown", "json" };
    for (size_t i = 0; i < o->n; i++)
        for (size_t k = 0; k < sizeof formats / sizeof formats[0]; k++)
            if (strcmp(o->v[i].format, formats[k]) == 0)
                return true;
    return false;
}

int outputs_settle(struct outputs *o, int verbose)
{
    if (!outputs_to_stream(o) && !outputs_to_stdout(o))
        outputs_add(o, "text", NULL);
    if (verbose && !outputs_detailed(o))
        return complain(EXIT_USAGE, "--verbose is for text and markdown (json always has it all)");
    return 0;
}

/* What writing came to: 0, EXIT_NO_REPORT or EXIT_NO_MEMORY. */
static int write_failed(const char *file, int why)
{
    return complain(why == ENOMEM ? EXIT_NO_MEMORY : EXIT_NO_REPORT, "could not write %s: %s", file,
                    strerror(why));
}

int outputs_try_file(const char *file)
{
    const int why = lk_replace_try(file);
    return why ? write_failed(file, why) : 0;
}

int outputs_try(const struct outputs *o)
{
    int status = 0;
    for (size_t i = 0; i < o->n; i++) {
        const int one = o->v[i].file && !is_stdout(&o->v[i]) ? outputs_try_file(o->v[i].file) : 0;
        status = one ? one : status;
    }
    return status;
}

static int write_file(const struct loopknot_diagnosis *d, const struct output *out,
                      const struct loopknot_render *how)
{
    struct lk_replacement r;
    int why = lk_replace_begin(&r, out->file, 0644);
    if (!why) {
        const bool ok = loopknot_write(d, out->format, how, r.f) == LOOPKNOT_OK;
        why = lk_replace_end(&r, ok, errno);
    }
    return why ? write_failed(out->file, why) : 0;
}

/* Whole in memory first: how high it is decides. False: it is still to be written. */
static bool page(const struct loopknot_diagnosis *d, const char *format,
                 const struct loopknot_render *how)
{
    char *text = NULL;
    size_t n = 0;
    FILE *f = open_memstream(&text, &n);
    const bool ok = f && loopknot_write(d, format, how, f) == LOOPKNOT_OK;
    const bool shown = f && fclose(f) == 0 && ok && pager_show(text, n);
    free(text);
    return shown;
}

/* To stdout or stderr. *closed: nobody reads it any more. */
static int write_stream(const struct loopknot_diagnosis *d, const char *format,
                        const struct loopknot_render *how, FILE *to, bool paged, bool *closed)
{
    const bool here = to == stdout;
    if (!(paged && page(d, format, how)) && loopknot_write(d, format, how, to) != LOOPKNOT_OK) {
        *closed |= here && errno == EPIPE;
        return *closed
                   ? 0
                   : write_failed(here ? "the report to stdout" : "the report to stderr", errno);
    }
    if (here && isatty(STDOUT_FILENO) && strcmp(format, "text") == 0)
        loopknot_write_verdict(d, how, to);
    return 0;
}

int outputs_write(const struct outputs *o, const struct loopknot_diagnosis *d,
                  const struct loopknot_render *how, FILE *stream)
{
    struct loopknot_render plain = *how;
    plain.color = false;
    plain.width = PLAIN_WIDTH;
    int status = 0, one;
    bool github = false, closed = false;
    const bool paged = stream == stdout && !o->no_pager && pager_wanted();
    for (size_t i = 0; i < o->n; i++) {
        github |= strcmp(o->v[i].format, "github") == 0;
        const bool to_stdout = is_stdout(&o->v[i]);
        FILE *to = to_stdout ? stdout : stream;
        if (o->v[i].file && !to_stdout)
            one = write_file(d, &o->v[i], &plain);
        else
            one = write_stream(d, o->v[i].format, to == stream ? how : &plain, to, paged, &closed);
        status = one > status ? one : status;
    }
    if (github)
        append_step_summary(d, &plain);
    return closed ? stdout_lost(EPIPE) : status;
}

bool terminal_color(int fd)
{
    const char *no = getenv("NO_COLOR"); /* https://no-color.org: set, and not empty */
    return isatty(fd) && !(no && *no);
}

int terminal_width(int fd)
{
    struct winsize w;
    char *end = NULL;
    const char *given = getenv("COLUMNS");
    const long columns = given ? strtol(given, &end, 10) : 0;
    if (columns >= LEAST_WIDTH && columns <= MOST_WIDTH && !*end)
        return (int)columns;
    return isatty(fd) && ioctl(fd, TIOCGWINSZ, &w) == 0 && w.ws_col >= LEAST_WIDTH ? w.ws_col
                                                                                   : PLAIN_WIDTH;
}
