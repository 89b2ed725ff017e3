/*
 * Sentences and half sentences about a report, shared by the formats that people read. Results
 * belong to the given arena or are static. Names in them are cut to a readable length, not yet
 * escaped for any format.
 */
#ifndef LK_REPORT_SENTENCES_H
#define LK_REPORT_SENTENCES_H

#include "report/entity_sentences.h"
#include "report/finding_sentences.h"
#include "report/process_sentences.h"

#endif
