/* The distance of two words (Wagner and Fischer 1974), whatever their case. */
#include "util/spelling.h"

#include <string.h>
#include <strings.h>

#include "util/base.h"

enum { LONGEST_WORD = 40 };

static bool same_letter(char a, char b)
{
    return strncasecmp(&a, &b, 1) == 0;
}

/* Row i is for the first i letters of a. */
size_t lk_spelling_distance(const char *a, const char *b)
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
