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

#endif
