/* SPDX-License-Identifier: Apache-2.0 */
/*
 * group.h - the sets of the control plane as Replication Services see them. A set of volumes is a CIM_ReplicationGroup;
 * a set of pairs or of FlashCopies is a CIM_GroupSynchronized, from the group of the sources to that of the targets. An
 * end whose volumes are just those of a set is that group; else it is a group of its own, which goes with the set.
 * Reactor 0; none of these suspends.
 */
#ifndef XDC_FACE_CIM_GROUP_H
#define XDC_FACE_CIM_GROUP_H

#include "face/cim/view_copy.h"
#include "face/cim/thing.h"

enum cim_group_kind {
	CIM_GROUP_OF_VOLUMES, CIM_GROUP_OF_SOURCES, CIM_GROUP_OF_TARGETS, CIM_GROUP_KIND_COUNT,
	/* And of sessions, in root/ibm: the volumes of one on an LSS, and the other ends of their pairs. */
	CIM_GROUP_OF_SESSION = CIM_GROUP_KIND_COUNT, CIM_GROUP_OF_SESSION_ENDS
};

struct cim_group {
	enum cim_group_kind kind;
	char set[XDC_NAME_MAX];		/* of a session: NUMBER:LL */
};

/* In their order: of the volumes of a set, or of its pairs or FlashCopies by what it names them. */
struct cim_group_members {
	unsigned count;
	struct cim_copy_end ends[CONTROL_SET_MEMBERS_MAX];
};

/* The first set behind that name ("": of all); copies: of pairs or FlashCopies that has members, else of volumes. */
bool cim_group_next_set(struct control *control, const char *after, bool copies, struct set_info *set);

/* -1: there is no such set. */
int cim_group_list(struct control *control, const struct cim_group *group, struct cim_group_members *members);

/* What a set names its members by, as ends of this system: of a pair its volume here, of a FlashCopy its target. */
int cim_group_list_names(struct control *control, const char *set, struct cim_group_members *members);

/* An end of a set of copies. members: room to work in. */
void cim_group_of_copies(struct control *control, const struct record_set *set, bool targets,
			 struct cim_group_members *members, struct cim_group *group);

/* An end of a copy, of this system or another. */
void cim_copy_end_set(struct control *control, struct cim_copy_end *end, const char *system, uint16_t id);

/* In the arena. */
const struct cim_path *cim_path_of_group(struct cim_arena *arena, enum cim_namespace ns, const char *system,
					 const struct cim_group *group);
const struct cim_path *cim_path_of_group_copy(struct cim_arena *arena, enum cim_namespace ns, const char *system,
					      const struct cim_group *source, const struct cim_group *target);

/* A session has pairs on an LSS of this system, and which end of them is here. */
bool cim_find_session_copies(struct control *control, uint8_t session, uint8_t lss, bool *is_source);

/* false: it is no path of a group of this system. */
bool cim_group_of_path(const struct cim_path *path, const char *system, struct cim_group *group);

#endif
