/*
 * Reports to the streams and files that the user named. A regular file is written under a temporary
 * name in its folder and renamed, rename(2), so that it is there complete or as it was; devices,
 * FIFOs and /dev/stdout are written to as they are.
 */
#include "cli/outputs.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/github_summary.h"

enum { PLAIN_WIDTH = 100 };

static bool known_format(const char *name)
{
    const char *f;
    for (size_t i = 0; (f = loopknot_format(i, NULL)); i++)
        if (strcmp(f, name) == 0)
            return true;
    return false;
}

int outputs_add(struct outputs *o, const char *format, const char *file)
{
    if (!known_format(format))
        return complain(EXIT_USAGE, "this build has no format '%s' (loopknot --help lists them)",
                        format);
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

/* What already is a device, a FIFO or a directory is asked alone, since opening may act or wait. */
static int try_file(const char *name)
{
    char real[PATH_MAX], temp[PATH_MAX + 32];
    struct stat st;
    const bool there = stat(name, &st) == 0;
    if (there && S_ISDIR(st.st_mode))
        return EISDIR;
    if (there && !S_ISREG(st.st_mode))
        return access(name, W_OK) == 0 ? 0 : errno;
    const char *file = realpath(name, real) ? real : name;
    if (snprintf(temp, sizeof temp, "%s.%d.tmp", file, (int)getpid()) >= (int)sizeof temp)
        return ENAMETOOLONG;
    const int fd = open(temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return errno;
    close(fd);
    unlink(temp);
    return 0;
}

int outputs_try(const struct outputs *o)
{
    int status = 0;
    for (size_t i = 0; i < o->n; i++) {
        const int why = o->v[i].file && !is_stdout(&o->v[i]) ? try_file(o->v[i].file) : 0;
        if (why)
            status = write_failed(o->v[i].file, why);
    }
    return status;
}

/* Also when the report was cut short the stream is closed; the first error counts. */
static bool write_and_close(const struct loopknot_diagnosis *d, const struct output *out,
                            const struct loopknot_render *how, FILE *f, int *why)
{
    bool ok = loopknot_write(d, out->format, how, f) == 0;
    *why = errno;
    if (fclose(f) != 0 && ok) {
        *why = errno;
        return false;
    }
    return ok;
}

/* A device, a FIFO or /dev/stdout is written to; renaming a file over it would take it away from
 * everybody. */
static int write_special(const struct loopknot_diagnosis *d, const struct output *out,
                         const struct loopknot_render *how)
{
    int why;
    FILE *f = fopen(out->file, "we");
    if (!f)
        return write_failed(out->file, errno);
    return write_and_close(d, out, how, f, &why) ? 0 : write_failed(out->file, why);
}

/* Complete or not at all: under a temporary name first. */
static int write_file(const struct loopknot_diagnosis *d, const struct output *out,
                      const struct loopknot_render *how)
{
    char real[PATH_MAX], temp[PATH_MAX + 32];
    struct stat st;
    if (stat(out->file, &st) == 0 && !S_ISREG(st.st_mode))
        return write_special(d, out, how);
    /* A link stays one: what it points to is replaced. */
    const char *file = realpath(out->file, real) ? real : out->file;
    if (snprintf(temp, sizeof temp, "%s.%d.tmp", file, (int)getpid()) >= (int)sizeof temp)
        return write_failed(out->file, ENAMETOOLONG);
    mode_t old = umask(077);
    FILE *f = fopen(temp, "wxe");
    int why = errno;
    umask(old);
    if (!f)
        return write_failed(out->file, why);
    bool ok = write_and_close(d, out, how, f, &why);
    if (ok && rename(temp, file) == 0)
        return 0;
    if (ok)
        why = errno;
    unlink(temp);
    return write_failed(out->file, why);
}

int outputs_write(const struct outputs *o, const struct loopknot_diagnosis *d,
                  const struct loopknot_render *how, FILE *stream)
{
    struct loopknot_render plain = *how;
    plain.color = false;
    plain.width = PLAIN_WIDTH;
    int status = 0, one;
    bool github = false;
    for (size_t i = 0; i < o->n; i++) {
        github |= strcmp(o->v[i].format, "github") == 0;
        const bool to_stdout = is_stdout(&o->v[i]);
        FILE *to = to_stdout ? stdout : stream;
        if (o->v[i].file && !to_stdout)
            one = write_file(d, &o->v[i], &plain);
        else
            one = loopknot_write(d, o->v[i].format, to == stream ? how : &plain, to) == LOOPKNOT_OK
                      ? 0
                      : write_failed(to == stdout ? "the report to stdout" : "the report to stderr",
                                     errno);
        status = one > status ? one : status;
    }
    if (github)
        append_step_summary(d, &plain);
    return status;
}

bool terminal_color(int fd)
{
    const char *no = getenv("NO_COLOR"); /* https://no-color.org: set, and not empty */
    return isatty(fd) && !(no && *no);
}

int terminal_width(int fd)
{
    struct winsize w;
    return isatty(fd) && ioctl(fd, TIOCGWINSZ, &w) == 0 && w.ws_col >= 20 ? w.ws_col : PLAIN_WIDTH;
}
