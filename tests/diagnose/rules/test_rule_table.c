/*
 * The table of rules and the order in which they are looked for.
 */
#include "make.h"

#include <string.h>

#include "diagnose/rules/rule_table.h"
#include "diagnose/rules/rule_texts.h"

static void rows_are_whole_and_sorted(void **state)
{
    (void)state;
    for (size_t i = 0; i < lk_n_rules; i++) {
        const struct lk_rule *r = &lk_rules[i];
        assert_non_null(r->find);
        assert_true(r->means && r->remedy && r->docs[0]);
        assert_ptr_equal(lk_rule_by_id(r->id), r);
        assert_non_null(lk_rule_explanation(r));
        assert_true(i == 0 || strcmp(lk_rules[i - 1].id, r->id) < 0);
    }
}

static size_t place_of(enum lk_rule_id rule)
{
    size_t place = 0;
    while (place < lk_n_rules && lk_rule_order[place] != rule)
        place++;
    assert_true(place < lk_n_rules);
    return place;
}

static void each_rule_is_looked_for_once(void **state)
{
    (void)state;
    size_t seen[LK_N_RULES] = { 0 };
    for (size_t i = 0; i < lk_n_rules; i++)
        seen[lk_rule_order[i]]++;
    for (size_t i = 0; i < lk_n_rules; i++)
        assert_int_equal(seen[i], 1);
}

static void the_more_specific_comes_first(void **state)
{
    (void)state;
    assert_true(place_of(LK_RULE_LK108) < place_of(LK_RULE_LK404));
    assert_true(place_of(LK_RULE_LK205) < place_of(LK_RULE_LK404));
    assert_true(place_of(LK_RULE_LK302) < place_of(LK_RULE_LK203));
    assert_true(place_of(LK_RULE_LK404) < place_of(LK_RULE_LK401));
    assert_true(place_of(LK_RULE_LK404) < place_of(LK_RULE_LK408));
    assert_true(place_of(LK_RULE_LK408) < place_of(LK_RULE_LK406));
    assert_true(place_of(LK_RULE_LK402) < place_of(LK_RULE_LK403));
    assert_true(place_of(LK_RULE_LK404) < place_of(LK_RULE_LK407));
    assert_true(place_of(LK_RULE_LK407) < place_of(LK_RULE_LK401));
    assert_true(place_of(LK_RULE_LK406) < place_of(LK_RULE_LK405));
    assert_true(place_of(LK_RULE_LK410) < place_of(LK_RULE_LK405));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_whole_and_sorted),
        cmocka_unit_test(each_rule_is_looked_for_once),
        cmocka_unit_test(the_more_specific_comes_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
