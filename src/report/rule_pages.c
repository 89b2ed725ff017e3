/*
 * The pages of the rules: one table of sections, and a writer each for text, JSON and Markdown. All
 * words come from the rule tables of diagnose/rules, none from a target.
 */
#include "report/rule_pages.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "diagnose/rules/documents.h"
#include "diagnose/rules/rule_search.h"
#include "diagnose/rules/rule_table.h"
#include "diagnose/rules/rule_texts.h"
#include "report/json_values.h"
#include "report/terminal.h"

enum { TEXT_INDENT = 2, CODE_INDENT = 4 };

static const char *or_empty(const char *s)
{
    return s ? s : "";
}

/* ---- what is told of a rule, in order ---------------------------------------------------- */

/* Where a section's text is: in the rule or in its explanation. */
static const struct section {
    const char *title, *key;
    bool of_rule;
    size_t offset;
    bool code;
} sections[] = {
    { "What it means", "means", true, offsetof(struct lk_rule, means), false },
    { "How it comes about", "cause", false, offsetof(struct lk_explanation, cause), false },
    { "How it is known", "evidence", false, offsetof(struct lk_explanation, evidence), false },
    { "What would refute it", "refuted_by", false, offsetof(struct lk_explanation, refuted),
      false },
    { "What to change", "remedy", true, offsetof(struct lk_rule, remedy), false },
    { "Wrong", "wrong", false, offsetof(struct lk_explanation, wrong), true },
    { "Right", "right", false, offsetof(struct lk_explanation, right), true },
};

/* NULL when there is none. */
static const char *text_of(const struct section *s, const struct lk_rule *r)
{
    const struct lk_explanation *e = lk_rule_explanation(r);
    const char *base = s->of_rule ? (const char *)r : (const char *)e;
    return base ? *(const char *const *)(const void *)(base + s->offset) : NULL;
}

/* With a capital letter and a full stop. */
static const char *sentence(struct lk_arena *a, const char *text)
{
    char *s = lk_arena_printf(a, "%s%s", text, text[0] && text[strlen(text) - 1] == '.' ? "" : ".");
    if (s[0] >= 'a' && s[0] <= 'z')
        s[0] += 'A' - 'a';
    return s;
}

/* ---- text ------------------------------------------------------------------------------- */

static void write_lines(struct lk_terminal *p, const char *lines)
{
    while (*lines) {
        size_t n = strcspn(lines, "\n");
        lk_terminal_line(p, n ? CODE_INDENT : 0, LK_INK_PLAIN,
                         lk_arena_printf(p->arena, "%.*s", (int)n, lines));
        lines += n + (lines[n] == '\n');
    }
}

static void explain_text(struct lk_terminal *p, const struct lk_rule *r)
{
    lk_terminal_line(p, 0, LK_INK_BOLD,
                     lk_arena_printf(p->arena, "%s %s (%s at most)", r->id, r->name,
                                     lk_verdict_name(r->ceiling)));
    for (size_t i = 0; i < LK_ARRAY_LEN(sections); i++) {
        const char *text = text_of(&sections[i], r);
        if (!text)
            continue;
        lk_terminal_blank(p);
        lk_terminal_line(p, 0, LK_INK_BOLD, sections[i].title);
        if (sections[i].code)
            write_lines(p, text);
        else
            lk_terminal_par(p, TEXT_INDENT, NULL, 0, sentence(p->arena, text), 0);
    }
    lk_terminal_blank(p);
    lk_terminal_line(p, 0, LK_INK_BOLD, "Sources");
    for (size_t i = 0; i < LK_ARRAY_LEN(r->docs) && r->docs[i]; i++) {
        lk_terminal_line(p, TEXT_INDENT, LK_INK_PLAIN, lk_doc_title(r->docs[i]));
        lk_terminal_line(p, CODE_INDENT, LK_INK_PLAIN, r->docs[i]);
    }
}

static void list_text(struct lk_terminal *p)
{
    for (size_t i = 0; i < lk_n_rules; i++) {
        const struct lk_rule *r = &lk_rules[i];
        const struct lk_explanation *e = lk_rule_explanation(r);
        lk_terminal_line(p, 0, LK_INK_PLAIN,
                         lk_arena_printf(p->arena, "%-5s  %-22s  %-8s  %s", r->id, r->name,
                                         lk_verdict_name(r->ceiling), e ? e->brief : ""));
    }
}

/* ---- JSON ------------------------------------------------------------------------------- */

static json_t *text_or_null(const char *s)
{
    return s ? json_string(s) : json_null();
}

static json_t *rule_json(const struct lk_rule *r, bool whole)
{
    const struct lk_explanation *e = lk_rule_explanation(r);
    json_t *o = lk_json_object(), *docs = lk_json_array();
    lk_json_set(o, "id", json_string(r->id));
    lk_json_set(o, "name", json_string(r->name));
    lk_json_set(o, "ceiling", json_string(lk_verdict_name(r->ceiling)));
    lk_json_set(o, "brief", text_or_null(e ? e->brief : NULL));
    for (size_t i = 0; i < LK_ARRAY_LEN(sections); i++)
        if (whole || sections[i].of_rule)
            lk_json_set(o, sections[i].key, text_or_null(text_of(&sections[i], r)));
    if (whole)
        lk_json_set(o, "language", text_or_null(e ? e->language : NULL));
    for (size_t i = 0; i < LK_ARRAY_LEN(r->docs) && r->docs[i]; i++)
        lk_json_append(docs, json_string(r->docs[i]));
    lk_json_set(o, "docs", docs);
    return o;
}

/* Takes the list over. */
static void write_json(json_t *list, FILE *out)
{
    json_t *top = lk_json_object();
    lk_json_set(top, "schema", json_string("loopknot.rules/1"));
    lk_json_set(top, "rules", list);
    json_dumpf(top, out, JSON_PRESERVE_ORDER | JSON_INDENT(2));
    putc('\n', out);
    lk_json_release(top);
}

/* ---- Markdown --------------------------------------------------------------------------- */

/* The texts are ours and hold no markup; what looks like code is shown as written. */
static void explain_markdown(struct lk_arena *a, const struct lk_rule *r, FILE *out)
{
    const struct lk_explanation *e = lk_rule_explanation(r);
    fprintf(out, "# %s %s\n\nAt most: %s.\n", r->id, r->name, lk_verdict_name(r->ceiling));
    for (size_t i = 0; i < LK_ARRAY_LEN(sections); i++) {
        const char *text = text_of(&sections[i], r);
        if (!text)
            continue;
        fprintf(out, "\n## %s\n\n", sections[i].title);
        if (sections[i].code)
            fprintf(out, "```%s\n%s```\n", or_empty(e ? e->language : NULL), text);
        else
            fprintf(out, "%s\n", sentence(a, text));
    }
    fputs("\n## Sources\n\n", out);
    for (size_t i = 0; i < LK_ARRAY_LEN(r->docs) && r->docs[i]; i++)
        fprintf(out, "- [%s](%s)\n", lk_doc_title(r->docs[i]), r->docs[i]);
}

/* ---- formats ---------------------------------------------------------------------------- */

static int written(FILE *out)
{
    return fflush(out) == 0 && !ferror(out) ? 0 : -1;
}

int lk_rules_write(const char *format, const struct lk_render *how, FILE *out)
{
    if (strcmp(format, "json") == 0) {
        json_t *list = lk_json_array();
        for (size_t i = 0; i < lk_n_rules; i++)
            lk_json_append(list, rule_json(&lk_rules[i], false));
        write_json(list, out);
        return written(out);
    }
    if (strcmp(format, "text") != 0)
        return 2;
    struct lk_terminal p = {
        .out = out, .arena = lk_arena_create(), .color = how->color, .width = how->width
    };
    list_text(&p);
    lk_arena_destroy(p.arena);
    return written(out);
}

static void write_explanations(const char *const *words, size_t n, bool markdown,
                               struct lk_terminal *p)
{
    for (size_t i = 0; i < n; i++) {
        if (i)
            lk_terminal_blank(p);
        if (markdown)
            explain_markdown(p->arena, lk_rule_by_word(words[i]), p->out);
        else
            explain_text(p, lk_rule_by_word(words[i]));
    }
}

int lk_explanations_write(const char *const *words, size_t n, const char *format,
                          const struct lk_render *how, FILE *out)
{
    bool markdown = strcmp(format, "markdown") == 0;
    for (size_t i = 0; i < n; i++)
        if (!lk_rule_by_word(words[i]))
            return 2;
    if (strcmp(format, "json") == 0) {
        json_t *list = lk_json_array();
        for (size_t i = 0; i < n; i++)
            lk_json_append(list, rule_json(lk_rule_by_word(words[i]), true));
        write_json(list, out);
        return written(out);
    }
    if (!markdown && strcmp(format, "text") != 0)
        return 2;
    struct lk_terminal p = {
        .out = out, .arena = lk_arena_create(), .color = how->color, .width = how->width
    };
    write_explanations(words, n, markdown, &p);
    lk_arena_destroy(p.arena);
    return written(out);
}
