/* SPDX-License-Identifier: Apache-2.0 */
#include "host/nbd_exports.h"

#include <stdio.h>

static int find_export(void *arg, const char *name, bool attach, struct nbd_export *out)
{
	struct attachment attachment;
	int rc = attach ? control_attach(arg, name, &attachment) : control_look(arg, name, &attachment);

	if (rc < 0)
		return rc;
	*out = (struct nbd_export){
		.volume = attachment.volume,
		.size = attachment.size_bytes,
		.writable = attachment.access == VOLUME_ACCESS_WRITE,
		.zero_is_fast = attachment.makes_holes,
	};
	snprintf(out->name, sizeof(out->name), "%04X", attachment.id);
	snprintf(out->description, sizeof(out->description), "%s", attachment.name);
	return 0;
}

static void release_export(void *arg, struct nbd_export *export)
{
	control_detach(arg, volume_id(export->volume));
}

struct listing {
	int (*each)(void *arg, const char *name, const char *description);
	void *arg;
};

static int list_one(void *arg, uint16_t id, const char *name)
{
	const struct listing *listing = arg;
	char text[8];

	snprintf(text, sizeof(text), "%04X", id);
	return listing->each(listing->arg, text, name);
}

static int list_exports(void *arg, int (*each)(void *each_arg, const char *name, const char *description),
			void *each_arg)
{
	struct listing listing = { each, each_arg };

	return control_attachable_each(arg, list_one, &listing);
}

void nbd_exports_of(struct control *control, struct nbd_exports *exports)
{
	*exports = (struct nbd_exports){
		.find = find_export, .release = release_export, .list = list_exports, .arg = control,
	};
}
