/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sim - runs scenarios on many seeds.
 *
 *	sim list
 *	sim run SCENARIO [--seeds FROM..TO]... [--seed FROM [--count N]] [--trace] [--twice]
 *		[--fail CALL[:N] [--times M]] [--planted MISTAKE]
 *
 * What must happen is demanded of all these seeds together. --trace shows the log lines as they come. --twice runs each
 * seed two times and compares the traces. --fail runs each seed once for every call of that kind (sim_call_name) that
 * its undisturbed run makes, with that call failing, or only the N-th; --times: with M of them, chosen by chance among
 * those after scenario_settled. CALL "all": the same for every kind. --planted switches a mistake on (store/planted.h);
 * the run is then good when a seed fails, and ends there. Exit code: 0 good, 1 not, 2 bad usage.
 */
#include <assert.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rt/sim_memory.h"
#include "rt/sim_rand.h"
#include "scenarios.h"
#include "store/planted.h"

#define COUNTERS_MAX	64u
#define TRIES_MAX	20u
#define TRY_AGAIN_NS	(300 * RT_MS)

struct range {
	uint64_t first, last;
};

#define RANGES_MAX	4u

struct options {
	const struct scenario *scenario;
	struct range ranges[RANGES_MAX];
	unsigned range_count;
	bool trace, twice, fail_calls, fail_all_kinds;
	enum sim_call_kind fail_kind;
	uint64_t fail_only;	/* 0: each */
	uint64_t fail_times;	/* 0: each; else so many of them */
};

/* Of so many runs what rarely happens is demanded too. */
#define RUNS_FOR_RARE	50u

struct counter {
	const char *name;
	uint64_t count;
};

/* Totals over all runs of this process. */
static struct counter counters[COUNTERS_MAX];
static uint64_t fault_totals[SIM_FAULTS];
static uint64_t run_count;
static int64_t virtual_ns;

/* What runs now, for the line that is printed when the program dies in it. */
static const char *scenario_now;
static uint64_t seed_now, failing_call_now;
static enum sim_call_kind failing_kind;
static uint64_t settled_calls[SIM_CALL_KINDS];	/* before scenario_settled */

void scenario_count(const char *name, uint64_t count)
{
	unsigned i = 0;

	while (i < COUNTERS_MAX && counters[i].name != NULL && strcmp(counters[i].name, name) != 0)
		i++;
	if (i == COUNTERS_MAX)
		abort();
	counters[i].name = name;
	counters[i].count += count;
}

/* ---- runs in processes of their own: branches, and those with a planted mistake ---- */

/* What such a process leaves behind, in memory that both have. */
static struct shared {
	struct counter counters[COUNTERS_MAX];
	uint64_t faults[SIM_FAULTS];
	int64_t virtual_ns;
	bool ended;			/* and not by an assert */
	bool good, wrong;
	char what[256];			/* went wrong */
	uint8_t bytes[SCENARIO_SHARED_BYTES] __attribute__((aligned(16)));
} *branch_left, *run_left;
static bool in_branch;
static bool is_wrong;				/* what runs now: the checker has said so */
static uint64_t faults_before[SIM_FAULTS];	/* of the run that the branch came from */
static int64_t began_ns;

static struct shared *make_shared(void)
{
	struct shared *shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (shared == MAP_FAILED)
		abort();
	return shared;
}

void *scenario_shared(void)
{
	return branch_left->bytes;
}

void scenario_wrong(const char *format, ...)
{
	char what[sizeof(branch_left->what)];
	va_list args;

	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	is_wrong = is_wrong || !sim_failure(sim_world());
	sim_fail(sim_world(), "%s", what);
}

__attribute__((noreturn)) static void leave(struct shared *left, const struct sim_world *world, bool good)
{
	const char *what = sim_failure(world);

	memcpy(left->counters, counters, sizeof(counters));
	for (unsigned i = 0; i < SIM_FAULTS; i++)
		left->faults[i] = sim_fault_count(world, (enum sim_fault)i) - faults_before[i];
	left->virtual_ns = sim_now_ns(world) - began_ns;
	left->good = good;
	left->wrong = is_wrong;
	snprintf(left->what, sizeof(left->what), "%s", what ? what : "");
	left->ended = true;
	fflush(stdout);
	fflush(stderr);
	_exit(0);
}

/* True in the process of its own. False in the other one, when that has ended and left what it did. */
static bool part(struct shared *left)
{
	pid_t child;
	int status;

	fflush(stdout);
	fflush(stderr);
	left->ended = left->good = left->wrong = false;
	child = fork();
	if (child < 0)
		abort();
	if (child == 0)
		return true;
	if (waitpid(child, &status, 0) != child)
		abort();
	if (left->ended) {
		memcpy(counters, left->counters, sizeof(counters));
		for (unsigned i = 0; i < SIM_FAULTS; i++)
			fault_totals[i] += left->faults[i];
		virtual_ns += left->virtual_ns;
	}
	return false;
}

static void begin_branch(void)
{
	in_branch = true;
	sim_memory_fork();
	began_ns = sim_now_ns(sim_world());
	for (unsigned i = 0; i < SIM_FAULTS; i++)
		faults_before[i] = sim_fault_count(sim_world(), (enum sim_fault)i);
}

bool scenario_branch(void)
{
	assert(!in_branch);
	if (part(branch_left)) {
		begin_branch();
		return true;
	}
	/* An assert has ended the branch, and so it ends the run. */
	if (!branch_left->ended && planted_now != PLANTED_NONE)
		_exit(1);
	if (branch_left->wrong)
		scenario_wrong("%s", branch_left->what);
	else if (!branch_left->ended || !branch_left->good)
		sim_fail(sim_world(), "a branch at this moment failed");
	return false;
}

/* ---- a call that fails ---- */

uint64_t scenario_seed(void)
{
	return seed_now;
}

void scenario_settled(void)
{
	for (unsigned i = 0; i < SIM_CALL_KINDS; i++)
		settled_calls[i] = sim_calls_of_all(sim_world(), (enum sim_call_kind)i);
}

bool scenario_try_again(unsigned *tries)
{
	if (++*tries > TRIES_MAX || !sim_fault_count(sim_world(), SIM_FAULT_NTH_CALL))
		return false;
	return !rt_sleep_until(rt_now_ns() + TRY_AGAIN_NS);
}

/* ---- one run ---- */

static void print_replay(FILE *out)
{
	fprintf(out, "replay: sim run %s --seed %llu --count 1 --trace", scenario_now, (unsigned long long)seed_now);
	if (failing_call_now > 0)
		fprintf(out, " --fail %s:%llu", sim_call_name(failing_kind), (unsigned long long)failing_call_now);
	if (planted_now != PLANTED_NONE)
		fprintf(out, " --planted %s", planted_names[planted_now]);
	fprintf(out, "\n");
	fflush(out);
}

/* An assert or a sanitizer ends the program: which seed it was must be known all the same. */
static void dying(int number)
{
	static bool once;

	if (!once && scenario_now != NULL && planted_now == PLANTED_NONE) {
		once = true;
		fprintf(stderr, "%s: seed %llu: the program died\n", scenario_now, (unsigned long long)seed_now);
		print_replay(stderr);
		sim_print_log(sim_world(), stderr);
	}
	signal(number, SIG_DFL);
	raise(number);
}

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/common_interface_defs.h>

static void sanitizer_dies(void)
{
	if (scenario_now != NULL)
		print_replay(stderr);
}
#endif

struct result {
	enum sim_end end;
	uint64_t hash;
	uint64_t settled[SIM_CALL_KINDS], calls[SIM_CALL_KINDS];	/* made before scenario_settled, and all */
};

static void add_totals(const struct sim_world *world)
{
	for (unsigned i = 0; i < SIM_FAULTS; i++)
		fault_totals[i] += sim_fault_count(world, (enum sim_fault)i);
	run_count++;
	virtual_ns += sim_now_ns(world);
}

static struct result run_seed(const struct options *options, uint64_t seed, uint64_t failing_call)
{
	struct sim_config config;
	struct sim_world *world;
	struct result result;

	seed_now = seed;
	failing_call_now = failing_call;
	is_wrong = false;
	memset(settled_calls, 0, sizeof(settled_calls));
	sim_config_default(&config);
	if (options->scenario->configure != NULL)
		options->scenario->configure(&config);
	world = sim_create(seed, &config);
	if (options->trace)
		sim_show_log(world, stdout);
	log_set_level(options->trace ? LOG_DEBUG : LOG_NOTICE);
	if (failing_call > 0)
		sim_fail_nth_of_all(world, failing_kind, failing_call);
	result.end = sim_run(world, options->scenario->run, NULL, options->scenario->until_ns);
	result.hash = sim_trace_hash(world);
	memcpy(result.settled, settled_calls, sizeof(result.settled));
	for (unsigned i = 0; i < SIM_CALL_KINDS; i++)
		result.calls[i] = sim_calls_of_all(world, (enum sim_call_kind)i);
	if (result.end != SIM_DONE && (options->trace || planted_now == PLANTED_NONE)) {
		if (!options->trace)
			sim_print_log(world, stdout);
		printf("%s: seed %llu FAILED at %.9f s: %s\n", options->scenario->name, (unsigned long long)seed,
			(double)sim_now_ns(world) / 1e9, sim_failure(world));
		print_replay(stdout);
	}
	if (in_branch || planted_now != PLANTED_NONE)
		leave(in_branch ? branch_left : run_left, world, result.end == SIM_DONE);
	add_totals(world);
	sim_destroy(world);
	return result;
}

/* ---- what a run must have seen ---- */

static uint64_t total_of(const char *name)
{
	for (unsigned i = 0; i < SIM_FAULTS; i++)
		if (strcmp(sim_fault_name((enum sim_fault)i), name) == 0)
			return fault_totals[i];
	for (unsigned i = 0; i < COUNTERS_MAX && counters[i].name != NULL; i++)
		if (strcmp(counters[i].name, name) == 0)
			return counters[i].count;
	return 0;
}

static void print_totals(const struct options *options)
{
	printf("%s: %llu runs, seeds %llu..%llu, %.3f s of virtual time\n", options->scenario->name,
		(unsigned long long)run_count, (unsigned long long)options->ranges[0].first,
		(unsigned long long)seed_now, (double)virtual_ns / 1e9);
	for (unsigned i = 0; i < COUNTERS_MAX && counters[i].name != NULL; i++)
		printf("  %-24s %12llu\n", counters[i].name, (unsigned long long)counters[i].count);
	for (unsigned i = 0; i < SIM_FAULTS; i++)
		if (fault_totals[i] > 0)
			printf("  fault %-18s %12llu\n", sim_fault_name((enum sim_fault)i),
				(unsigned long long)fault_totals[i]);
}

static bool each_happened(const struct options *options, const char *const *names)
{
	bool all = true;

	for (; names && *names != NULL; names++) {
		if (total_of(*names) > 0)
			continue;
		printf("%s: FAILED: there was no %s in any run\n", options->scenario->name, *names);
		all = false;
	}
	return all;
}

static bool all_happened(const struct options *options)
{
	static const char *const failed_call[] = { "nth-call", NULL };
	const struct scenario *scenario = options->scenario;
	bool all;

	if (options->fail_calls)
		return each_happened(options, failed_call);
	all = each_happened(options, scenario->must_happen);
	if (run_count >= RUNS_FOR_RARE)
		all = each_happened(options, scenario->rarely_happens) && all;
	return all;
}

/* ---- many runs ---- */

static bool run_twice(const struct options *options, uint64_t seed, const struct result *first)
{
	struct result second = run_seed(options, seed, failing_call_now);

	if (second.hash == first->hash && second.end == first->end)
		return true;
	printf("%s: seed %llu FAILED: it did not repeat\n", options->scenario->name, (unsigned long long)seed);
	return false;
}

/* The n-th call of the seed to fail: each one, or by chance, which is another one for each seed. */
static uint64_t choose_call(const struct options *options, uint64_t seed, const struct result *undisturbed, uint64_t n)
{
	struct sim_rand rand = { .state = seed * 1000 + n };

	if (!options->fail_times)
		return n;
	return undisturbed->settled[failing_kind] + 1 +
	       sim_rand_below(&rand, undisturbed->calls[failing_kind] - undisturbed->settled[failing_kind]);
}

/* Every call of the kind fails once, one a run; or some; or only the one that --fail names. */
static bool fail_calls(const struct options *options, uint64_t seed, const struct result *undisturbed)
{
	uint64_t count = options->fail_times ? options->fail_times : undisturbed->calls[failing_kind];

	if (options->fail_only)
		return run_seed(options, seed, options->fail_only).end == SIM_DONE;
	if (undisturbed->calls[failing_kind] == undisturbed->settled[failing_kind])
		return true;
	for (uint64_t n = 1; n <= count; n++) {
		if (run_seed(options, seed, choose_call(options, seed, undisturbed, n)).end != SIM_DONE)
			return false;
	}
	return true;
}

static bool fail_calls_of_all_kinds(const struct options *options, uint64_t seed, const struct result *undisturbed)
{
	for (unsigned i = 0; i < SIM_CALL_KINDS; i++) {
		failing_kind = (enum sim_call_kind)i;
		if ((options->fail_all_kinds || failing_kind == options->fail_kind) &&
		    !fail_calls(options, seed, undisturbed))
			return false;
	}
	return true;
}

/* Goes through the seeds of all ranges: false after the last. */
static bool next_seed(const struct options *options, unsigned *range, uint64_t *seed)
{
	if (*seed < options->ranges[*range].last) {
		++*seed;
		return true;
	}
	if (++*range == options->range_count)
		return false;
	*seed = options->ranges[*range].first;
	return true;
}

/* True when the checker has found the mistake. */
static bool run_planted(const struct options *options)
{
	unsigned died = 0, failed = 0, range = 0;
	uint64_t seed = options->ranges[0].first;

	do {
		seed_now = seed;
		run_count++;
		if (part(run_left))
			run_seed(options, seed, 0);
		died += !run_left->ended;
		failed += run_left->ended && !run_left->good && !run_left->wrong;
	} while (!run_left->wrong && next_seed(options, &range, &seed));
	print_totals(options);
	printf("%s: planted %s was ", options->scenario->name, planted_names[planted_now]);
	if (run_left->wrong)
		printf("found at seed %llu, in run %llu: %s", (unsigned long long)seed_now,
			(unsigned long long)run_count, run_left->what);
	else
		printf("NOT found in %llu runs", (unsigned long long)run_count);
	printf(" (%u other runs ended by an assert, %u failed without a wrong image)\n", died, failed);
	return run_left->wrong;
}

static bool run_options(const struct options *options)
{
	uint64_t seed = options->ranges[0].first;
	unsigned range = 0;

	do {
		struct result result = run_seed(options, seed, 0);

		if (result.end != SIM_DONE)
			return false;
		if (options->twice && !run_twice(options, seed, &result))
			return false;
		if (options->fail_calls && !fail_calls_of_all_kinds(options, seed, &result))
			return false;
	} while (next_seed(options, &range, &seed));
	return true;
}

/* ---- the command line ---- */

__attribute__((noreturn)) static void usage(const char *what)
{
	fprintf(stderr, "sim: %s\n"
		"usage: sim list\n"
		"       sim run SCENARIO [--seeds FROM..TO]... [--seed FROM [--count N]] [--trace] [--twice]\n"
		"                        [--fail CALL[:N] [--times M]] [--planted MISTAKE]\n", what);
	exit(2);
}

static uint64_t parse_number(const char *text, const char **end)
{
	char *stop;
	unsigned long long value = strtoull(text, &stop, 10);

	if (text[0] < '0' || text[0] > '9')
		usage("a number is missing");
	*end = stop;
	return value;
}

static uint64_t parse_whole_number(const char *text)
{
	const char *end;
	uint64_t value = parse_number(text, &end);

	if (*end != '\0')
		usage("this is not a number");
	return value;
}

static void add_range(struct options *options, struct range range)
{
	if (options->range_count == RANGES_MAX)
		usage("too many --seeds");
	options->ranges[options->range_count++] = range;
}

static void parse_seeds(struct options *options, const char *text)
{
	struct range range;
	const char *end;

	range.first = range.last = parse_number(text, &end);
	if (strncmp(end, "..", 2) == 0)
		range.last = parse_whole_number(end + 2);
	else if (*end != '\0')
		usage("seeds are FROM..TO");
	if (range.last < range.first)
		usage("seeds are FROM..TO, with FROM not above TO");
	add_range(options, range);
}

static void parse_fail(struct options *options, const char *text)
{
	size_t len = strcspn(text, ":");

	for (unsigned i = 0; i < SIM_CALL_KINDS; i++) {
		const char *name = sim_call_name((enum sim_call_kind)i);

		if (strlen(name) == len && memcmp(text, name, len) == 0) {
			options->fail_calls = true;
			options->fail_kind = (enum sim_call_kind)i;
			if (text[len] == ':')
				options->fail_only = parse_whole_number(text + len + 1);
			return;
		}
	}
	if (strcmp(text, "all") == 0) {
		options->fail_calls = options->fail_all_kinds = true;
		return;
	}
	usage("--fail takes all, alloc, fiber, open, read, write, sync, allocate, punch, set_size, change_name, "
		"get_info, get_run, sync_folder, listen, accept, connect, send or receive");
}

static void parse_planted(const char *text)
{
	for (unsigned i = 1; i < PLANTED_COUNT; i++) {
		if (strcmp(text, planted_names[i]) == 0) {
			planted_now = (enum planted_mistake)i;
			return;
		}
	}
	usage("--planted takes the name of a mistake of store/planted.h");
}

static const struct scenario *find_scenario(const char *name)
{
	for (unsigned i = 0; scenarios[i] != NULL; i++)
		if (strcmp(scenarios[i]->name, name) == 0)
			return scenarios[i];
	usage("no such scenario; see sim list");
}

static void parse_options(struct options *options, char **args)
{
	uint64_t first = 1, count = 0;

	*options = (struct options){ .scenario = find_scenario(args[0]) };
	for (args++; *args != NULL; args++) {
		const char *name = args[0], *value = args[1];

		if (strcmp(name, "--trace") == 0) {
			options->trace = true;
			continue;
		}
		if (strcmp(name, "--twice") == 0) {
			options->twice = true;
			continue;
		}
		if (value == NULL)
			usage("an option lacks its value");
		if (strcmp(name, "--seeds") == 0)
			parse_seeds(options, value);
		else if (strcmp(name, "--seed") == 0)
			first = parse_whole_number(value), count = count > 0 ? count : 1;
		else if (strcmp(name, "--count") == 0)
			count = parse_whole_number(value);
		else if (strcmp(name, "--fail") == 0)
			parse_fail(options, value);
		else if (strcmp(name, "--times") == 0)
			options->fail_times = parse_whole_number(value);
		else if (strcmp(name, "--planted") == 0)
			parse_planted(value);
		else
			usage("unknown option");
		args++;
	}
	if (count > 0)
		add_range(options, (struct range){ .first = first, .last = first + count - 1 });
	if (options->range_count == 0)
		add_range(options, (struct range){ .first = 1, .last = 10 });
}

static int list_scenarios(void)
{
	for (unsigned i = 0; scenarios[i] != NULL; i++)
		printf("%-20s %s\n", scenarios[i]->name, scenarios[i]->about);
	return 0;
}

static bool is_one_seed(const struct options *options)
{
	return options->range_count == 1 && options->ranges[0].first == options->ranges[0].last;
}

static int run_scenario(char **args)
{
	struct options options;
	bool good;

	parse_options(&options, args);
	branch_left = make_shared();
	run_left = make_shared();
	scenario_now = options.scenario->name;
	signal(SIGABRT, dying);
	signal(SIGSEGV, dying);
#if defined(__SANITIZE_ADDRESS__)
	__sanitizer_set_death_callback(sanitizer_dies);
#endif
	if (planted_now != PLANTED_NONE)
		return run_planted(&options) ? 0 : 1;
	good = run_options(&options);
	scenario_now = NULL;
	print_totals(&options);
	/* One seed is a replay, and need not see everything. */
	return good && (is_one_seed(&options) || all_happened(&options)) ? 0 : 1;
}

int main(int count, char **args)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (count == 2 && strcmp(args[1], "list") == 0)
		return list_scenarios();
	if (count >= 3 && strcmp(args[1], "run") == 0)
		return run_scenario(args + 2);
	usage("list or run?");
}
