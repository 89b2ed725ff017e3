/*
 * Levels, commas and indentation by hand, values by jansson. Here stand the sentences of `limits`
 * for what was written as null because it is not known.
 */
#include "report/json_writer.h"

#include <stdio.h>
#include <string.h>

#include "report/enum_names.h"

#define INDENT 2

static const char *const gaps[LK_GAP_COUNT] = {
    [LK_GAP_TARGET] = "a fact about the process is not known",
    [LK_GAP_PYTHON] = "a fact about the Python runtime could not be read",
    [LK_GAP_STUCK] =
        "for how long a thread has been where it is is not known: it was not seen to stand still",
    [LK_GAP_WAIT] = "what a thread or task waits for was not recognised or not read",
    [LK_GAP_TIMEOUT] = "whether a wait has a timeout was not read",
    [LK_GAP_LINE] = "the current line of a frame could not be told",
    [LK_GAP_SOURCE] = "the source text of a line of user code was not read",
    [LK_GAP_CLASS] = "a frame was not classified as user code or not",
    [LK_GAP_CUT] = "a stack was not read to its end",
    [LK_GAP_NATIVE] = "a native stack was not read",
    [LK_GAP_SYMBOL] = "a native frame has no symbol or module",
    [LK_GAP_LOOP] = "a flag or count of an event loop could not be read",
    [LK_GAP_FUTURE] = "the state of a future could not be read",
    [LK_GAP_OWNER] = "whether a lock is held, or who holds it, is not known",
    [LK_GAP_EXECUTOR] = "a count of an executor could not be read",
    [LK_GAP_HELD] = "how many requests or tasks are held up is not known",
    [LK_GAP_FINDING_STUCK] = "for how long a finding has lasted is not known",
    [LK_GAP_CULPRIT] = "the place of a culprit is not fully known",
    [LK_GAP_CHILD] = "a fact about a child process could not be read",
    [LK_GAP_SAMPLE] = "a figure of a sample was not taken",
};

/* ---- writing -------------------------------------------------------------------------- */

static void newline(struct lk_jw *w)
{
    static const char blanks[] = "\n                ";
    fwrite_unlocked(blanks, 1, LK_MIN(1 + (size_t)w->depth * INDENT, sizeof blanks - 1), w->out);
}

/* jansson indents from column 0; every newline it writes is layout, since strings have theirs
 * escaped. */
static int write_indented(const char *s, size_t n, void *arg)
{
    struct lk_jw *w = arg;
    for (const char *nl; (nl = memchr(s, '\n', n)) != NULL;) {
        fwrite_unlocked(s, 1, (size_t)(nl - s), w->out);
        newline(w);
        n -= (size_t)(nl - s) + 1;
        s = nl + 1;
    }
    fwrite_unlocked(s, 1, n, w->out);
    return 0;
}

void lk_jw_dump(struct lk_jw *w, json_t *value)
{
    /* write_indented never fails, so only memory can be the reason. */
    if (!value || json_dump_callback(value, write_indented, w,
                                     JSON_PRESERVE_ORDER | JSON_INDENT(INDENT) | JSON_ENCODE_ANY)) {
        lk_json_release(value);
        lk_out_of_memory();
    }
    lk_json_release(value);
}

void lk_jw_item(struct lk_jw *w)
{
    if (!w->first)
        putc(',', w->out);
    newline(w);
    w->first = false;
}

void lk_jw_open_level(struct lk_jw *w, char bracket)
{
    putc(bracket, w->out);
    w->depth++;
    w->first = true;
}

void lk_jw_close_level(struct lk_jw *w, char bracket)
{
    w->depth--;
    if (!w->first)
        newline(w);
    putc(bracket, w->out);
    w->first = false;
}

void lk_jw_key(struct lk_jw *w, const char *name)
{
    lk_jw_item(w);
    fprintf(w->out, "\"%s\": ", name);
}

void lk_jw_member(struct lk_jw *w, const char *name, json_t *value)
{
    lk_jw_key(w, name);
    lk_jw_dump(w, value);
}

/* ---- values --------------------------------------------------------------------------- */

json_t *lk_jw_text(struct lk_jw *w, const char *s)
{
    return s ? json_string_nocheck(lk_words_safe(w->arena, s)) : json_null();
}

json_t *lk_jw_known_text(struct lk_jw *w, const char *s, enum lk_gap g)
{
    w->gap[g] += !s;
    return lk_jw_text(w, s);
}

json_t *lk_jw_number(int64_t n)
{
    return n == LK_UNKNOWN || n == LK_SOMETIME ? json_null() : json_integer(n);
}

json_t *lk_jw_known_number(struct lk_jw *w, int64_t n, enum lk_gap g)
{
    w->gap[g] += n == LK_UNKNOWN || n == LK_SOMETIME;
    return lk_jw_number(n);
}

json_t *lk_jw_known_tri(struct lk_jw *w, enum lk_tri t, enum lk_gap g)
{
    if (t == LK_YES || t == LK_NO)
        return json_boolean(t == LK_YES);
    w->gap[g]++;
    return json_null();
}

json_t *lk_jw_timeout(struct lk_jw *w, int64_t ms)
{
    return ms == LK_FOREVER ? json_null() : lk_jw_known_number(w, ms, LK_GAP_TIMEOUT);
}

void lk_jw_set(json_t *object, const char *name, json_t *value)
{
    lk_json_set(object, name, value);
}

void lk_jw_append(json_t *array, json_t *value)
{
    lk_json_append(array, value);
}

json_t *lk_jw_raw_id(struct lk_jw *w, const char *id)
{
    if (!id)
        return json_null();
    return lk_jw_text(w, *w->prefix ? lk_arena_printf(w->arena, "%s%s", w->prefix, id) : id);
}

json_t *lk_jw_id(struct lk_jw *w, struct lk_ref r)
{
    return lk_fold_shown(w->view, r) ? lk_jw_raw_id(w, lk_ref_id(w->snap, r)) : json_null();
}

json_t *lk_jw_first_id(struct lk_jw *w, const struct lk_refs *refs)
{
    return refs->n ? lk_jw_id(w, refs->v[0]) : json_null();
}

void lk_jw_set_ids(struct lk_jw *w, json_t *object, const char *name, const struct lk_refs *refs)
{
    json_t *list = lk_json_array();
    size_t written = 0;
    for (size_t i = 0; i < refs->n && (w->all || written < LK_VIEW_LIST_MAX); i++) {
        if (!lk_fold_shown(w->view, refs->v[i]))
            continue;
        lk_jw_append(list, lk_jw_id(w, refs->v[i]));
        written++;
    }
    lk_jw_set(object, name, list);
    if (written < refs->n)
        lk_jw_set(object, lk_arena_printf(w->arena, "%s_folded", name),
                  json_integer((json_int_t)(refs->n - written)));
}

json_t *lk_jw_texts(struct lk_jw *w, const char *const *v, size_t n)
{
    json_t *list = lk_json_array();
    for (size_t i = 0; i < n; i++)
        lk_jw_append(list, lk_jw_text(w, v[i] ? v[i] : "?"));
    return list;
}

void lk_jw_append_gaps(struct lk_jw *w, json_t *list)
{
    for (size_t g = 0; g < LK_GAP_COUNT; g++)
        if (w->gap[g])
            lk_jw_append(list, lk_jw_text(w, lk_arena_printf(
                                                 w->arena, "%s (%zu time%s in this report)",
                                                 gaps[g], w->gap[g], w->gap[g] == 1 ? "" : "s")));
}
