/* SPDX-License-Identifier: Apache-2.0 */
/* schema_mof.h - the tables as MOF again: what is printed compiles to the same tables. */
#ifndef XDC_FACE_CIM_SCHEMA_MOF_H
#define XDC_FACE_CIM_SCHEMA_MOF_H

#include <stdio.h>

#include "face/cim/schema.h"

/* What the class itself declares, with the qualifiers that it sets. Errors of out are those of the stream. */
void cim_schema_print_class(FILE *out, const struct cim_schema_class *class);

void cim_schema_print_qualifier_types(FILE *out);

/* Pragma, qualifier types and all classes, superclasses first. */
void cim_schema_print_namespace(FILE *out, enum cim_namespace ns);

#endif
