/* SPDX-License-Identifier: Apache-2.0 */
/*
 * view_copy.h - a pair or a FlashCopy as a row of the views of CIM_StorageSynchronized: pure functions, which do not
 * know whose the ends are.
 */
#ifndef XDC_FACE_CIM_VIEW_COPY_H
#define XDC_FACE_CIM_VIEW_COPY_H

#include "copy/copy.h"
#include "copy/state_table_cim.h"

/* One end of a copy. */
struct cim_copy_end {
	uint16_t id;
	bool is_here;
	uint32_t tag;				/* of a volume that is */
	char system[XDC_SYSTEM_ID_MAX];
};

struct cim_copy_row {
	uint16_t volume; /* the cursor: of a pair this and the system, of a FlashCopy its target */
	char system[XDC_SYSTEM_ID_MAX];
	struct cim_copy_end source, target;
	bool is_source, is_flash, critical, has_progress, joined;
	struct copy_cim_type type;
	struct copy_cim_state state;
	struct copy_cim_lag lag;		/* of a source */
	uint16_t percent, priority, read_only;	/* read_only 0: neither */
	uint64_t out_of_sync_blocks;
	int64_t since_wall_ns, created_wall_ns, shown_wall_ns;	/* the moment that the target shows; 0: none */
	const char *reason;			/* a constant text, or NULL */
};

/* session: that of the pair, or NULL. Source and target stay empty. */
void cim_copy_row_of_pair(const struct copy_pair_info *info, const struct copy_session_info *session,
			  struct cim_copy_row *row);
void cim_copy_row_of_flash(const struct copy_flash_info *info, struct cim_copy_row *row);

#endif
