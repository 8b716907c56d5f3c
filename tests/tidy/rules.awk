# SPDX-License-Identifier: Apache-2.0
#
# The rules that need one pass over each file; prints "PATH:LINE: what is wrong". Paths are relative to the top folder.
# Comments and texts are taken out before code is judged, so that only code is.

function bad(what)
{
	printf "%s:%d: %s\n", FILENAME, FNR, what
}

# Columns with tabs of 8; UTF-8 continuation bytes take none.
function columns(line,    i, c, n)
{
	n = 0
	if (line !~ /[\t\200-\277]/)
		return length(line)
	for (i = 1; i <= length(line); i++) {
		c = substr(line, i, 1)
		if (c == "\t")
			n += 8 - n % 8
		else if (c !~ /[\200-\277]/)
			n++
	}
	return n
}

# The line without comments and the contents of texts; in_comment is kept from line to line.
function code_of(line,    out, at)
{
	out = ""
	gsub(/\\\\/, "", line)
	gsub(/\\"/, "", line)
	gsub(/'"'/, "", line)
	while (line != "") {
		if (in_comment) {
			at = index(line, "*/")
			if (!at)
				return out
			line = substr(line, at + 2)
			in_comment = 0
		} else if (match(line, /\/\*|\/\/|"/)) {
			out = out substr(line, 1, RSTART - 1)
			if (substr(line, RSTART, 2) == "//")
				return out
			if (substr(line, RSTART, 2) == "/*") {
				in_comment = 1
				line = substr(line, RSTART + 2)
			} else {
				line = substr(line, RSTART + 1)
				at = index(line, "\"")
				if (!at)
					return out
				out = out "\"\""
				line = substr(line, at + 1)
			}
		} else {
			return out line
		}
	}
	return out
}

# True when the code calls one of the names: not as a member, not as part of a longer name.
function calls(code, names)
{
	return match(code, "(^|[^A-Za-z0-9_.>])(" names ")[ \t]*\\(")
}

function called(code,    name)
{
	name = substr(code, RSTART, RLENGTH)
	gsub(/[^A-Za-z0-9_]/, "", name)
	return name
}

function layer_of(path,    part)
{
	if (path !~ /^src\/[a-z]+\//)
		return ""
	split(path, part, "/")
	return part[2]
}

function may_include(from, to)
{
	if (from == "" || from == to)
		return 1
	if (to == "face")
		return from == "cli"
	if (to == "host" || to == "cli")
		return 0
	if (from == "host")
		return to != "copy"
	return rank[to] < rank[from]
}

function check_include(line,    path, part, stem, name)
{
	path = line
	sub(/^[^"]*"/, "", path)
	sub(/".*/, "", path)
	if (path ~ /\.\.\//)
		bad("include with ../: name the header from src/")
	split(path, part, "/")
	if (part[1] in rank && !may_include(layer, part[1]))
		bad("upward include: " layer " must not include " path)
	if (path ~ /_private\.h$/) {
		stem = path
		sub(/.*\//, "", stem)
		sub(/_private\.h$/, "", stem)
		name = FILENAME
		sub(/.*\//, "", name)
		sub(/^test_/, "", name)
		if (index(name, stem) != 1)
			bad("private header of another module: " path)
	}
}

# What is known only when a whole file has been read, that is when the next one begins.
function finish_file()
{
	if (file != "" && !spdx && !is_prose)
		printf "%s:1: no SPDX-License-Identifier: Apache-2.0 in the first three lines\n", file
	file = FILENAME
}

BEGIN {
	rank["rt"] = 1; rank["store"] = 2; rank["volume"] = 3; rank["copy"] = 4; rank["control"] = 5
	rank["face"] = 6; rank["host"] = 6; rank["cli"] = 7
	unsafe = "strcpy|strcat|sprintf|vsprintf|strtok|gets|atoi|atol|atoll|atof|rand|srand|alloca"
	only_rt = "malloc|calloc|realloc|reallocarray|free|strdup|strndup|asprintf|vasprintf|aligned_alloc|posix_memalign" \
		"|mmap|munmap|time|gettimeofday|clock_gettime|clock|random|srandom|drand48|getrandom|getentropy" \
		"|sleep|usleep|nanosleep|clock_nanosleep|open|openat|creat|close|read|write|pread|pwrite|readv|writev" \
		"|preadv|pwritev|fsync|fdatasync|sync_file_range|ftruncate|truncate|fallocate|lseek|stat|fstat|lstat" \
		"|fopen|fdopen|opendir|readdir|mkdir|rmdir|unlink|rename|link|symlink|socket|connect|bind|listen" \
		"|accept|accept4|send|sendto|sendmsg|recv|recvfrom|recvmsg|poll|ppoll|select|pselect|epoll_wait" \
		"|getaddrinfo|fork|vfork|system|popen|execv|execve|execvp|execl|execlp|pthread_create|pthread_mutex_lock"
	sleeps = "sleep|usleep|nanosleep|clock_nanosleep"
}

FNR == 1 {
	finish_file()
	in_comment = 0
	in_function = 0
	spdx = 0
	layer = layer_of(FILENAME)
	is_c = FILENAME ~ /\.[ch]$/
	is_prose = FILENAME ~ /\.md$/
	is_test = FILENAME ~ /^(tests|scripts|sim)\//
	limits_functions = is_c && FILENAME ~ /^(src|sim)\//
}

FNR <= 3 && /SPDX-License-Identifier: Apache-2\.0/ { spdx = 1 }

/[ \t]$/ { bad("space at the end of the line") }
/(^|[^A-Za-z0-9_])(TODO|FIXME|XXX)([^A-Za-z0-9_]|$)/ { bad("a mark of unfinished work") }
!is_prose && columns($0) > 120 { bad("longer than 120 columns") }
FNR == 801 && !is_prose { bad("longer than 800 lines") }

limits_functions && /^\{/ { in_function = FNR }
limits_functions && /^\}/ && in_function {
	if (FNR - in_function - 1 > 70)
		bad("function of " (FNR - in_function - 1) " lines, 70 are allowed")
	in_function = 0
}

is_c && /^[ \t]*#[ \t]*include[ \t]*"/ { check_include($0) }

is_c {
	code = code_of($0)
	if (calls(code, unsafe))
		bad("banned call: " called(code))
	if (layer != "" && layer != "rt" && layer != "cli" && calls(code, only_rt))
		bad("call that belongs to rt: " called(code))
	if (is_test && calls(code, sleeps))
		bad("sleep in a test")
}

!is_c && !is_prose && is_test {
	code = $0
	sub(/(^|[ \t])#.*/, "", code)
	if (match(code, /(^|[;&|(!]|then|do|else)[ \t]*sleep[ \t]/))
		bad("sleep in a test")
}

END { finish_file() }
