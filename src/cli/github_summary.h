/* GitHub's step summary: the page of a job's step, to which a command may append Markdown. */
#ifndef LK_CLI_GITHUB_SUMMARY_H
#define LK_CLI_GITHUB_SUMMARY_H

#include "loopknot.h"

/**
 * Appends the Markdown report to the file that GITHUB_STEP_SUMMARY names, when it names one.
 * Failures are complained of and nothing more: the report itself stands elsewhere.
 */
void append_step_summary(const struct loopknot_diagnosis *d, const struct loopknot_render *how);

#endif
