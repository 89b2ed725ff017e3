/*
 * Rules by what a person types: an id, a part of it, a name, or a word that is close to one.
 */
#include "diagnose/rules/rule_search.h"

#include <string.h>
#include <strings.h>

#include "diagnose/rules/rule_table.h"
#include "util/spelling.h"

const struct lk_rule *lk_rule_by_word(const char *word)
{
    for (size_t i = 0; i < lk_n_rules; i++) {
        const struct lk_rule *r = &lk_rules[i];
        if (strcasecmp(r->id, word) == 0 || strcmp(r->id + strlen("LK"), word) == 0 ||
            strcasecmp(r->name, word) == 0)
            return r;
    }
    return NULL;
}

const struct lk_rule *lk_rule_nearest(const char *word)
{
    const struct lk_rule *best = &lk_rules[0];
    size_t least = SIZE_MAX;
    for (size_t i = 0; i < lk_n_rules; i++) {
        size_t d = LK_MIN(lk_spelling_distance(word, lk_rules[i].id),
                          lk_spelling_distance(word, lk_rules[i].name));
        if (d >= least)
            continue;
        least = d;
        best = &lk_rules[i];
    }
    return best;
}
