/* A JSON report read back: what it says as a snapshot and findings, to be written in any format. */
#ifndef LK_REPORT_JSON_READ_H
#define LK_REPORT_JSON_READ_H

#include "report/report.h"

enum {
    LK_REPORT_MAX_BYTES = 64 << 20, /* of a file */
    LK_REPORT_MAX_VALUES = 4 << 20, /* jansson takes up to 224 bytes for each */
    LK_REPORT_MAX_MEMBERS = 1024,   /* of a set */
    LK_REPORT_MAX_FINDINGS = 2000,  /* of all its members: what is compared pair by pair */
};

/** Reports in the order of the document; v is freed by lk_free(). */
struct lk_reports {
    struct lk_report *v;
    size_t n, cap;
    bool set; /* it was written as a set */
    size_t n_findings;
};

/** Whether the bytes begin as a JSON document does. */
bool lk_json_is_document(const char *bytes, size_t n);

/**
 * Reads a report or a set of them (docs/report.schema.json). Bounded by the limits above. False for
 * what is neither, with one line of what is wrong; ret is then empty.
 */
bool lk_json_read(const char *bytes, size_t n, struct lk_reports *ret, struct lk_error *err);

#endif
