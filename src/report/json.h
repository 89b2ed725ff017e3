/*
 * The JSON report (schemas loopknot.report/1 and loopknot.report-set/1, see
 * docs/report.schema.json). Written entity by entity, so that memory does not grow with the number
 * of tasks; values are made and escaped by jansson.
 */
#ifndef LK_REPORT_JSON_H
#define LK_REPORT_JSON_H

#include "report/report.h"

#define LK_JSON_SCHEMA     "loopknot.report/1"
#define LK_JSON_SET_SCHEMA "loopknot.report-set/1"

bool lk_json_write(const struct lk_report *reports, size_t n, bool as_set,
                   const struct lk_render *how, FILE *out);

#endif
