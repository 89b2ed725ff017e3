/*
 * Whether those who complete what a thread waits for are known, and alive.
 */
#ifndef LK_DIAGNOSE_RULES_LIVE_ENDERS_H
#define LK_DIAGNOSE_RULES_LIVE_ENDERS_H

#include "diagnose/rules/context.h"

/**
 * Each party that is needed was found, and moves, waits for a timer, works in a child process, or,
 * where no request waits, is a parked consumer or serves clients.
 */
bool lk_enders_are_alive(struct lk_rule_context *c, struct lk_ref thread);
/** The same of a thread that somebody waits for: a parked consumer or server is no help to him. */
bool lk_enders_act(struct lk_rule_context *c, struct lk_ref thread);
/**
 * Nobody is known to complete the future, but somebody who moves, sleeps or asks again and again
 * has it at hand. One who is parked, or waits for the outside, says nothing.
 */
bool lk_future_is_in_living_hands(const struct lk_rule_context *c, const struct lk_future *f);

#endif
