/*
 * Appends the Markdown report to GITHUB_STEP_SUMMARY. GitHub's runner drops a file of more than 1
 * MiB whole (actions/runner FileCommandManager.cs, CreateStepSummaryCommand), so what does not fit
 * is cut at a line, and the page says so.
 */
#include "cli/github_summary.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"
#include "util/base.h"
#include "util/replace_file.h"

/* of one step: the runner drops a larger file whole (FileCommandManager.cs) */
enum { MAX_SUMMARY = 1024 * 1024 };

/* Bytes of text that fit into room: whole lines. */
static size_t fitting(const char *text, size_t room)
{
    size_t n = room;
    while (n && text[n - 1] != '\n')
        n--;
    return n;
}

static bool write_all(int fd, const char *text, size_t size)
{
    while (size) {
        const ssize_t n = write(fd, text, size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        text += n;
        size -= (size_t)n;
    }
    return true;
}

static bool append(int fd, off_t was, const char *text, size_t size)
{
    static const char cut[] = "\n\nThe rest of the report does not fit into a step summary.\n";
    const size_t taken = LK_MIN((size_t)was, (size_t)MAX_SUMMARY);
    if (size <= MAX_SUMMARY - taken)
        return write_all(fd, text, size);
    const size_t room = MAX_SUMMARY - taken > sizeof cut ? MAX_SUMMARY - taken - sizeof cut : 0;
    return room == 0 ||
           (write_all(fd, text, fitting(text, room)) && write_all(fd, cut, sizeof cut - 1));
}

/* All that fits, or nothing: false with errno. */
static bool append_whole(int fd, const char *text, size_t size)
{
    struct stat st;
    sigset_t mask;
    if (fstat(fd, &st) != 0)
        return false;
    lk_file_size_error(&mask);
    const bool ok = append(fd, st.st_size, text, size);
    const int why = errno;
    const int stays = ok ? 0 : ftruncate(fd, st.st_size); /* where it fails: what was written */
    (void)stays;
    lk_file_size_signal(&mask);
    errno = why;
    return ok;
}

void append_step_summary(const struct loopknot_diagnosis *d, const struct loopknot_render *how)
{
    const char *file = getenv("GITHUB_STEP_SUMMARY");
    struct loopknot_render plain = *how;
    char *text = NULL;
    size_t size = 0;
    if (!file || !*file)
        return;
    plain.color = false;
    FILE *memory = open_memstream(&text, &size);
    bool ok = memory && loopknot_write(d, "markdown", &plain, memory) == 0;
    if (memory)
        ok &= fclose(memory) == 0;
    const int fd = ok ? lk_open_to_append(file) : -1;
    if (fd < 0 || !append_whole(fd, text, size))
        complain(0, "could not append to the step summary %s: %s", file, strerror(errno));
    if (fd >= 0)
        close(fd);
    free(text);
}
