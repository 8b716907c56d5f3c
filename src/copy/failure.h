/* SPDX-License-Identifier: Apache-2.0 */
/*
 * failure.h - why an attempt to form a consistency group failed, and in which phase: one table of words for the log,
 * the command line, the link and later CIM (research: "failure reasons" of the original).
 */
#ifndef XDC_COPY_FAILURE_H
#define XDC_COPY_FAILURE_H

enum cg_failure {
	CG_FAILURE_NONE,
	CG_FAILURE_COORDINATION_TIME,	/* not all systems had closed and heard the release in MaxXDCCoordinationTime */
	CG_FAILURE_DRAIN_TIME,		/* MaxConsistencyGroupDrain went by before all was sent */
	CG_FAILURE_COMMUNICATION,	/* a member did not answer or cannot be reached */
	CG_FAILURE_WRONG_STATE,		/* a member or a pair is not in the state that it needs */
	CG_FAILURE_PAIR_SUSPENDED,
	CG_FAILURE_FAR_RESTARTED,	/* a far side lost what was not yet prepared */
	CG_FAILURE_FAR_PREPARE,		/* a far side could not make the group durable */
	CG_FAILURE_JOURNAL_FULL,
	CG_FAILURE_SIDEFILE_FULL,	/* a host write could not wait longer for the drain of its blocks */
	CG_FAILURE_DISK,		/* a source volume cannot be read, or its last sync failed */
	CG_FAILURE_SUPERSEDED,		/* a newer attempt or master was heard of */
	CG_FAILURE_COUNT
};
extern const char *const cg_failure_names[CG_FAILURE_COUNT];

enum session_phase {
	PHASE_IDLE, PHASE_COORDINATE, PHASE_DRAIN, PHASE_PREPARE, PHASE_COMMIT, PHASE_WAIT, PHASE_COUNT
};
extern const char *const session_phase_names[PHASE_COUNT];

#endif
