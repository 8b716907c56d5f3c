/* SPDX-License-Identifier: Apache-2.0 */
#include "scenarios.h"

#include <stddef.h>

/* One name a line, sorted. */
const struct scenario *const scenarios[] = {
	&scenario_control_mixed,
	&scenario_control_plain,
	&scenario_damage,
	&scenario_disaster,
	&scenario_echo,
	&scenario_flash,
	&scenario_flashed,
	&scenario_frozen,
	&scenario_full,
	&scenario_groups,
	&scenario_lies,
	&scenario_members,
	&scenario_pause,
	&scenario_points,
	&scenario_practice,
	&scenario_recover,
	&scenario_session_table,
	&scenario_steps,
	&scenario_stop,
	&scenario_sync,
	&scenario_targets,
	&scenario_standby,
	&scenario_table,
	&scenario_verify,
	&scenario_swap,
	&scenario_swap_long,
	&scenario_write_path,
	NULL
};
