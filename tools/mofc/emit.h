/* SPDX-License-Identifier: Apache-2.0 */
/* emit.h - a finished model as the C tables that src/face/cim/schema.h describes. */
#ifndef MOFC_EMIT_H
#define MOFC_EMIT_H

#include <stdio.h>

#include "model.h"

/* Numbers the members of the model on its way. Errors of out are those of the stream: ferror(). */
void mof_emit(struct mof_model *model, FILE *out);

#endif
