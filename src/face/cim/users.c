/* SPDX-License-Identifier: Apache-2.0 */
#include "face/cim/users.h"

#include <crypt.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>

#include "rt/door.h"
#include "rt/log.h"
#include "rt/mem.h"

#define FILE_MAX	65536u
#define KNOWN_MAX	64u
#define WRONG_MAX	256u
#define WRONG_OF_HOST	8u	/* so many tries may be wrong before a host has to wait, whatever the names */
#define FORGET_NS	(600 * RT_SECOND)
#define SLOTS		16u
#define WAIT_FIRST_NS	RT_SECOND
#define WAIT_MAX_NS	(10 * RT_SECOND)
#define DIGEST_BYTES	32u

/* A name and password that were right. */
struct known {
	uint8_t digest[DIGEST_BYTES];
	enum op_role role;
};

/* Somebody whose last tries were wrong: a name at a host, or a host. */
struct wrong {
	char who[CIM_USER_MAX + 64];
	unsigned count;
	int64_t last_ns, until_ns, wait_ns;
};

struct cim_users {
	const char *path;
	uint8_t key[DIGEST_BYTES];
	struct door_lock lock;			/* all below but the scratch */
	struct door_file_stamp stamp;
	struct known known[KNOWN_MAX];
	unsigned known_count, known_next;
	struct wrong wrong[WRONG_MAX];
	bool told;				/* that there is no file */

	/*
	 * Held for one hash after the other: whoever tries passwords gets at most one processor. A slot is taken before
	 * it, by host: of one host only one try at a time stands in line with those of others.
	 */
	struct door_lock slots[SLOTS], hashing;
	struct crypt_data scratch;
	char nobody[CRYPT_GENSALT_OUTPUT_SIZE];	/* what the password of a name is hashed with that nobody has */
	char file[FILE_MAX];
};

int cim_role_find(const char *name, enum op_role *role)
{
	for (unsigned i = 0; i < ROLE_COUNT; i++)
		if (!strcmp(op_role_names[i], name)) {
			*role = (enum op_role)i;
			return 0;
		}
	return -EINVAL;
}

const char *cim_user_check_name(const char *name)
{
	if (!*name || strlen(name) >= CIM_USER_MAX)
		return "the name of a user has 1 to 63 characters";
	for (; *name; name++)
		if (*name <= ' ' || *name > '~' || *name == ':' || *name == '#')
			return "the name of a user has printable ASCII characters, none of them ':', '#' or space";
	return NULL;
}

int cim_password_hash(const char *password, char hash[CIM_HASH_MAX])
{
	struct crypt_data *scratch = mem_alloc_zeroed(sizeof(*scratch));
	char setting[CRYPT_GENSALT_OUTPUT_SIZE];
	const char *made = NULL;

	if (scratch && crypt_gensalt_rn("$y$", 0, NULL, 0, setting, (int)sizeof(setting)))
		made = crypt_r(password, setting, scratch);
	if (made && *made != '*')
		snprintf(hash, CIM_HASH_MAX, "%s", made);
	mem_free(scratch);
	return made && *hash == '$' ? 0 : -EIO;
}

struct cim_users *cim_users_create(const char *path)
{
	struct cim_users *users = mem_alloc_zeroed(sizeof(*users));

	if (!users)
		return NULL;
	users->path = path;
	door_lock_init(&users->lock);
	door_lock_init(&users->hashing);
	for (unsigned i = 0; i < SLOTS; i++)
		door_lock_init(&users->slots[i]);
	if (gnutls_rnd(GNUTLS_RND_KEY, users->key, sizeof(users->key)) == 0 &&
	    crypt_gensalt_rn("$y$", 0, NULL, 0, users->nobody, (int)sizeof(users->nobody)))
		return users;
	cim_users_destroy(users);
	return NULL;
}

void cim_users_destroy(struct cim_users *users)
{
	if (!users)
		return;
	door_lock_destroy(&users->lock);
	door_lock_destroy(&users->hashing);
	for (unsigned i = 0; i < SLOTS; i++)
		door_lock_destroy(&users->slots[i]);
	gnutls_memset(users, 0, sizeof(*users));
	mem_free(users);
}

/* ---- what is remembered ---- */

static bool make_digest(const struct cim_users *users, const char *name, const char *password,
			uint8_t digest[DIGEST_BYTES])
{
	char text[CIM_USER_MAX + CIM_PASSWORD_MAX + 1];
	size_t name_len = strlen(name), password_len = strlen(password);
	int rc;

	memcpy(text, name, name_len + 1);
	memcpy(text + name_len + 1, password, password_len);
	rc = gnutls_hmac_fast(GNUTLS_MAC_SHA256, users->key, sizeof(users->key), text, name_len + 1 + password_len,
			      digest);
	gnutls_memset(text, 0, sizeof(text));
	return rc == 0;
}

/* Under the lock. With another file nothing is known any more, and what was wrong may be right. */
static void look_at_file(struct cim_users *users)
{
	struct door_file_stamp stamp = { 0 };
	bool there = users->path && door_file_look(users->path, &stamp) == 0;

	if (memcmp(&stamp, &users->stamp, sizeof(stamp)) != 0) {
		users->stamp = stamp;
		users->known_count = users->known_next = 0;
		memset(users->wrong, 0, sizeof(users->wrong));
		users->told = false;
	}
	if (there || users->told)
		return;
	users->told = true;
	log_line(LOG_WARNING, "cim", "nobody may log in: there is no file of users; add one: "
		 "xdc user add NAME --role admin --users %s, and start xdcd with --users %s",
		 users->path ? users->path : "FILE", users->path ? users->path : "FILE");
}

static bool is_known(const struct cim_users *users, const uint8_t digest[DIGEST_BYTES], enum op_role *role)
{
	for (unsigned i = 0; i < users->known_count; i++)
		if (gnutls_memcmp(users->known[i].digest, digest, DIGEST_BYTES) == 0) {
			*role = users->known[i].role;
			return true;
		}
	return false;
}

static void remember(struct cim_users *users, const uint8_t digest[DIGEST_BYTES], enum op_role role)
{
	struct known *known = &users->known[users->known_next];

	memcpy(known->digest, digest, DIGEST_BYTES);
	known->role = role;
	users->known_next = (users->known_next + 1) % KNOWN_MAX;
	if (users->known_count < KNOWN_MAX)
		users->known_count++;
}

/* NULL: there is none, or it was long ago. */
static struct wrong *find_wrong(struct cim_users *users, const char *who)
{
	for (unsigned i = 0; i < WRONG_MAX; i++)
		if (!strcmp(users->wrong[i].who, who))
			return door_now_ns() - users->wrong[i].last_ns < FORGET_NS ? &users->wrong[i] : NULL;
	return NULL;
}

/* The place of who, or of the one whose last try was longest ago. */
static struct wrong *take_wrong(struct cim_users *users, const char *who)
{
	struct wrong *place = &users->wrong[0];

	for (unsigned i = 0; i < WRONG_MAX; i++) {
		if (!strcmp(users->wrong[i].who, who)) {
			place = &users->wrong[i];
			break;
		}
		if (users->wrong[i].last_ns < place->last_ns)
			place = &users->wrong[i];
	}
	*place = (struct wrong){ .wait_ns = WAIT_FIRST_NS };
	snprintf(place->who, sizeof(place->who), "%s", who);
	return place;
}

/* One more; from the one after the first few on, it has to wait, longer each time. */
static void note_wrong(struct cim_users *users, const char *who, unsigned few)
{
	struct wrong *wrong = find_wrong(users, who);

	if (!wrong)
		wrong = take_wrong(users, who);
	wrong->last_ns = door_now_ns();
	if (++wrong->count <= few)
		return;
	wrong->until_ns = wrong->last_ns + wrong->wait_ns;
	wrong->wait_ns = wrong->wait_ns * 2 < WAIT_MAX_NS ? wrong->wait_ns * 2 : WAIT_MAX_NS;
}

static bool must_wait(struct cim_users *users, const char *who)
{
	const struct wrong *wrong = find_wrong(users, who);

	return wrong && door_now_ns() < wrong->until_ns;
}

/* ---- the check ---- */

/* Of the line "NAME:ROLE:HASH" (without its end): the hash, when it is this user's and good. */
static const char *match_line(char *line, const char *name, enum op_role *role)
{
	char *role_name = strchr(line, ':'), *hash = role_name ? strchr(role_name + 1, ':') : NULL;

	if (!hash || *line == '#')
		return NULL;
	*role_name++ = '\0';
	*hash++ = '\0';
	return !strcmp(line, name) && cim_role_find(role_name, role) == 0 && *hash == '$' ? hash : NULL;
}

/* The hash of a user in a file that was read, which is cut into lines; NULL: there is no such user. */
static const char *find_user(char *file, const char *name, enum op_role *role)
{
	const char *hash = NULL;
	char *end;

	for (; !hash && (end = strchr(file, '\n')) != NULL; file = end + 1) {
		*end = '\0';
		hash = match_line(file, name, role);
	}
	return hash;
}

static bool read_users(const struct cim_users *users, char file[FILE_MAX])
{
	ssize_t len = users->path ? door_file_read(users->path, file, FILE_MAX - 1) : -ENOENT;

	file[len < 0 ? 0 : len] = '\0';
	return len >= 0;
}

/* Reads the file and hashes, some 10 ms, as long for a name that nobody has: under hashing, not under the lock. */
static bool is_right(struct cim_users *users, const char *name, const char *password, enum op_role *role)
{
	const char *hash, *made;

	if (!read_users(users, users->file))
		return false;
	hash = find_user(users->file, name, role);
	made = crypt_r(password, hash ? hash : users->nobody, &users->scratch);
	return hash && made && strlen(made) == strlen(hash) && gnutls_memcmp(made, hash, strlen(hash)) == 0;
}

struct try {
	const char *name, *password;
	char who[CIM_USER_MAX + 64], host[64];
	uint8_t digest[DIGEST_BYTES];
	struct door_file_stamp stamp;		/* of the file by which it is judged */
};

/* 1: it is known to be right; -1: it has to wait, or it is known that nobody may; 0: it has to be hashed. */
static int judge_by_memory(struct cim_users *users, struct try *try, enum op_role *role)
{
	DOOR_LOCKED(&users->lock);

	look_at_file(users);
	try->stamp = users->stamp;
	if (is_known(users, try->digest, role))
		return 1;
	return must_wait(users, try->who) || must_wait(users, try->host) ? -1 : 0;
}

static bool judge_by_hash(struct cim_users *users, const struct try *try, enum op_role *role)
{
	bool right;

	{
		DOOR_LOCKED(&users->hashing);
		right = is_right(users, try->name, try->password, role);
	}
	DOOR_LOCKED(&users->lock);
	/* What was right by a file that has changed since is asked again. */
	if (right && !memcmp(&try->stamp, &users->stamp, sizeof(try->stamp))) {
		remember(users, try->digest, *role);
	} else if (!right) {
		log_line(LOG_WARNING, "cim", "%s at %s: wrong name or password", try->name, try->host);
		note_wrong(users, try->who, 0);
		note_wrong(users, try->host, WRONG_OF_HOST);
	}
	return right;
}

static struct door_lock *find_slot(struct cim_users *users, const char *host)
{
	unsigned sum = 0;

	for (; *host; host++)
		sum = sum * 31 + (unsigned char)*host;
	return &users->slots[sum % SLOTS];
}

bool cim_users_check(struct cim_users *users, const char *peer, const char *name, const char *password,
		     enum op_role *role)
{
	struct try try = { .name = name, .password = password };
	int known;

	if (cim_user_check_name(name) || strlen(password) >= CIM_PASSWORD_MAX ||
	    !make_digest(users, name, password, try.digest))
		return false;
	snprintf(try.host, sizeof(try.host), "%.60s", peer);
	snprintf(try.who, sizeof(try.who), "%.60s %s", peer, name);
	known = judge_by_memory(users, &try, role);
	if (known)
		return known > 0;
	DOOR_LOCKED(find_slot(users, try.host));
	/* While it stood in line another may have been right, or wrong. */
	known = judge_by_memory(users, &try, role);
	return known ? known > 0 : judge_by_hash(users, &try, role);
}

bool cim_users_find(struct cim_users *users, const char *name, enum op_role *role)
{
	MEM_OWNED char *file = mem_alloc(FILE_MAX);

	return file && read_users(users, file) && find_user(file, name, role);
}

void cim_users_tell(struct cim_users *users)
{
	DOOR_LOCKED(&users->lock);
	look_at_file(users);
}
