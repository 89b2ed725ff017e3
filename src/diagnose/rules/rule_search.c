/*
 * Rules by what a person types: an id, a part of it, a name, or a word that is close to one (Wagner
 * and Fischer 1974).
 */
#include "diagnose/rules/rule_search.h"

#include <string.h>
#include <strings.h>

#include "diagnose/rules/rule_table.h"

enum { LONGEST_WORD = 40 }; /* of a word that is compared with ids and names */

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

static bool same_letter(char a, char b)
{
    return strncasecmp(&a, &b, 1) == 0;
}

/* Wagner and Fischer 1974: letters inserted, left out or changed between two words; row i is for
 * the first i letters of a. */
static size_t distance(const char *a, const char *b)
{
    size_t row[LONGEST_WORD + 1], n = strnlen(b, LONGEST_WORD), m = strnlen(a, LONGEST_WORD);
    for (size_t k = 0; k <= n; k++)
        row[k] = k;
    for (size_t i = 1; i <= m; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t k = 1; k <= n; k++) {
            size_t changed = diagonal + !same_letter(a[i - 1], b[k - 1]);
            diagonal = row[k];
            row[k] = LK_MIN(changed, LK_MIN(row[k], row[k - 1]) + 1);
        }
    }
    return row[n];
}

const struct lk_rule *lk_rule_nearest(const char *word)
{
    const struct lk_rule *best = &lk_rules[0];
    size_t least = SIZE_MAX;
    for (size_t i = 0; i < lk_n_rules; i++) {
        size_t d = LK_MIN(distance(word, lk_rules[i].id), distance(word, lk_rules[i].name));
        if (d >= least)
            continue;
        least = d;
        best = &lk_rules[i];
    }
    return best;
}
