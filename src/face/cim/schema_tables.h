/* SPDX-License-Identifier: Apache-2.0 */
/* schema_tables.h - what only schema.c sees of the tables that tools/mofc makes. */
#ifndef XDC_FACE_CIM_SCHEMA_TABLES_H
#define XDC_FACE_CIM_SCHEMA_TABLES_H

#include "face/cim/schema.h"

/* cim_schema_classes again, in the order of strcasecmp of their names. */
extern const struct cim_schema_class *const cim_schema_classes_by_name[];

#endif
