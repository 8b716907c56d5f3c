/* SPDX-License-Identifier: Apache-2.0 */
#include "copy/failure.h"

const char *const cg_failure_names[] = {
	"none", "max coordination time exceeded", "max drain time exceeded", "communication failure", "wrong state",
	"pair suspended", "far side restarted", "prepare failed at far side", "journal full", "sidefile full",
	"disk failed", "superseded",
};
_Static_assert(sizeof(cg_failure_names) / sizeof(cg_failure_names[0]) == CG_FAILURE_COUNT, "a name each");

const char *const session_phase_names[] = { "idle", "coordinate", "drain", "prepare", "commit", "wait" };
_Static_assert(sizeof(session_phase_names) / sizeof(session_phase_names[0]) == PHASE_COUNT, "a name each");
