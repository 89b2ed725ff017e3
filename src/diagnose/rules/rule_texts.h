/*
 * What a person is told about a rule beside its meaning, remedy and sources (rule_table.c): how the
 * hang comes about, how it is known, what would show the finding to be wrong, and code before and
 * after. Text only; the rules do not use it.
 */
#ifndef LK_DIAGNOSE_RULES_RULE_TEXTS_H
#define LK_DIAGNOSE_RULES_RULE_TEXTS_H

#include "diagnose/rules/rules.h"

struct lk_explanation {
    const char *id;
    const char *brief; /* for a table of 80 columns */
    const char *cause, *evidence, *refuted;
    const char *language;      /* of both examples: "python", "c" or "sh" */
    const char *wrong, *right; /* whole lines; wrong may be NULL */
};

enum { LK_MAX_BRIEF = 39 };

/** The explanation of a rule; NULL when there is none. */
const struct lk_explanation *lk_rule_explanation(const struct lk_rule *r);
/** By id ("LK101", "lk101", "101") or name, whatever the case; NULL when there is none. */
const struct lk_rule *lk_rule_by_word(const char *word);
/** The rule whose id or name is closest to a word that names none; never NULL. */
const struct lk_rule *lk_rule_nearest(const char *word);

/** The title of a document that a rule names; the address itself when it is none of theirs. */
const char *lk_doc_title(const char *address);

#endif
