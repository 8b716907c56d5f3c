/* SPDX-License-Identifier: Apache-2.0 */
/* The control protocol: comparing both sides of pairs. What is answered is the job that does it. */
#include "face/cli_private.h"

static struct copy_verify_request read_how(const struct cli_request *request)
{
	return (struct copy_verify_request){
		.repair = cli_given(request, "repair"), .rate_bytes = cli_number(request, "rate"),
	};
}

static int pair_verify(const struct cli_request *request, json_t **result, struct fault *fault)
{
	struct copy_verify_request how = read_how(request);
	uint64_t job;
	struct copy_pair_name pair;

	if (cli_find_pair(request, &pair, fault) || control_pair_verify(request->control, &pair, &how, &job, fault))
		return -1;
	return cli_answer_job(request, job, result, fault);
}

static int session_verify(const struct cli_request *request, json_t **result, struct fault *fault)
{
	struct copy_verify_request how = read_how(request);
	uint64_t job;

	if (control_session_verify(request->control, cli_session(request), &how, &job, fault))
		return -1;
	return cli_answer_job(request, job, result, fault);
}

static json_t *ranges_json(const struct copy_verify_info *info)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < info->range_count; i++)
		cli_append(&list, json_pack("{s:I, s:I}", "offset", (json_int_t)info->ranges[i].offset,
					    "length_bytes", (json_int_t)info->ranges[i].bytes));
	return list;
}

json_t *cli_verify_json(const struct copy_verify_info *info)
{
	if (info->state == VERIFY_NEVER)
		return json_null();
	return json_pack("{s:s, s:o, s:o, s:I, s:I, s:I, s:I, s:o}", "state", verify_state_names[info->state],
			 "began_at", cli_wall(info->began_wall_ns), "ended_at", cli_wall(info->ended_wall_ns),
			 "compared_bytes", (json_int_t)info->compared_bytes,
			 "differing_blocks", (json_int_t)info->differing_blocks,
			 "repaired_blocks", (json_int_t)info->repaired_blocks,
			 "open_blocks", (json_int_t)info->open_blocks, "ranges", ranges_json(info));
}

const struct cli_binding cli_bindings_verify[] = {
	{ "pair", "verify", pair_verify },
	{ "session", "verify", session_verify },
	{ NULL, NULL, NULL },
};
