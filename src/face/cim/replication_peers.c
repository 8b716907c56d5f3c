/* SPDX-License-Identifier: Apache-2.0 */
/* CIM_ReplicationService in root/ibm: the systems that paths lead to, and where their links are. */
#include "face/cim/replication.h"

#include <string.h>

#define PEERS_MAX	256u

static const char remote_system[] = "IBMTSESS_RemoteSystem", access_point[] = "IBMTSESS_RemoteServiceAccessPoint";

/* By their names, each once: a system has one link, whatever paths use it. */
struct peers {
	bool only_reached;
	unsigned count;
	char systems[PEERS_MAX][XDC_SYSTEM_ID_MAX];
};

static void add_peer(void *arg, const struct copy_path_info *info)
{
	struct peers *peers = arg;

	if (peers->only_reached && !info->connected)
		return;
	for (unsigned i = 0; i < peers->count; i++)
		if (!strcmp(peers->systems[i], info->path.system))
			return;
	if (peers->count < PEERS_MAX)
		memcpy(peers->systems[peers->count++], info->path.system, XDC_SYSTEM_ID_MAX);
}

static const struct cim_path *path_of_system(struct cim_call *call, const char *system)
{
	const struct cim_schema_class *class = cim_schema_find_class(call->ns, remote_system);
	struct cim_path *path = cim_path_new(call->arena, call->ns, class);

	cim_path_set_text(path, "CreationClassName", remote_system);
	cim_path_set_text(path, "Name", system);
	return path;
}

static const struct cim_path *path_of_access_point(struct cim_call *call, const char *system)
{
	const struct cim_schema_class *class = cim_schema_find_class(call->ns, access_point);
	struct cim_path *path = cim_path_new(call->arena, call->ns, class);

	cim_path_set_text(path, "SystemCreationClassName", "IBMTSESS_StorageSystem");
	cim_path_set_text(path, "SystemName", control_system_id(call->control));
	cim_path_set_text(path, "CreationClassName", access_point);
	cim_path_set_text(path, "Name", system);
	return path;
}

static void put_peers(struct cim_call *call, const char *name, const struct peers *peers,
		      const struct cim_path *(*path_of)(struct cim_call *call, const char *system))
{
	const struct cim_path **paths = arena_take(call->arena, (peers->count + 1) * sizeof(struct cim_path *));

	for (unsigned i = 0; paths && i < peers->count; i++)
		paths[i] = path_of(call, peers->systems[i]);
	if (paths)
		cim_out_paths(call, name, paths, peers->count);
}

/* This system has no access points of its own: any of its addresses serves. */
int replication_get_peers(struct cim_call *call, struct fault *fault)
{
	enum { REACHED = 2, REACHED_WITH_ACCESS_POINTS };
	struct peers *peers = arena_take(call->arena, sizeof(*peers));
	uint64_t options = cim_in_number(call, "Options");

	if (cim_in_given(call, "Options") && options != REACHED && options != REACHED_WITH_ACCESS_POINTS)
		return ibm_bad(fault, "Options", "it is 2 or 3");
	if (!peers)
		return fault_set(fault, FAULT_FAILED, "", "try again", "out of memory");
	peers->only_reached = options != 0;
	copy_path_each(control_copy(call->control), add_peer, peers);
	put_peers(call, "Systems", peers, path_of_system);
	if (options == REACHED_WITH_ACCESS_POINTS)
		put_peers(call, "RemoteAccessPoints", peers, path_of_access_point);
	return 0;
}

int replication_get_access_points(struct cim_call *call, struct fault *fault)
{
	const char *name = cim_path_key_text(cim_in_path(call, "System"), "Name");
	struct peers *peers = arena_take(call->arena, sizeof(*peers)), *one = arena_take(call->arena, sizeof(*one));
	bool here = name && !strcmp(name, control_system_id(call->control));

	if (!peers || !one)
		return fault_set(fault, FAULT_FAILED, "", "try again", "out of memory");
	copy_path_each(control_copy(call->control), add_peer, peers);
	for (unsigned i = 0; name && i < peers->count; i++)
		if (!strcmp(peers->systems[i], name))
			memcpy(one->systems[one->count++], peers->systems[i], XDC_SYSTEM_ID_MAX);
	if (!here && !one->count)
		return ibm_bad(fault, "System", "no path leads to a system of this name");
	put_peers(call, "ServiceAccessPoints", one, path_of_access_point);
	return 0;
}
