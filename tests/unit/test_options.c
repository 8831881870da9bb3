/* SPDX-License-Identifier: MIT */
/*
 * Options: every type with its limits, warnings and suggestions, the order of sources, files,
 * environments, and input that nobody would type.
 */
#include <criterion/criterion.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/options.h"

/* The weak symbol that a program may define; NULL as long as a test does not set it. */
const char *kmalloc_options __attribute__((visibility("default")));

/*
 * The kernel's copy of the environment belongs to a whole program, so tests of it run this program
 * again with PROBE set. It then reports what options_init() without an envp found.
 */
enum { PROBE_NOT_SECURE = 250 };

__attribute__((constructor)) static void probe(void)
{
	const char *wanted = getenv("PROBE");

	if (!wanted)
		return;
	if (strcmp(wanted, "secure") == 0 && !getauxval(AT_SECURE))
		_exit(PROBE_NOT_SECURE);
	options_init(strcmp(wanted, "secure") == 0 ? environ : NULL);
	_exit(options.decay_ms == 1000 ? 100 : (int)options.decay_ms);
}

/* Literals as argv and environ have them: not const, although nobody writes to them. */
enum { VECTOR_MAX = 8 };

struct vector {
	char *at[VECTOR_MAX];
};

static struct vector vector_of(const char *const *literals)
{
	struct vector v = { { NULL } };

	for (size_t i = 0; literals[i] && i < VECTOR_MAX - 1; i++)
		memcpy(&v.at[i], &literals[i], sizeof(v.at[i]));
	return v;
}

static int run_probe(const char *program, const char *const *environment)
{
	struct vector argv = vector_of((const char *const []){ "probe", NULL });
	struct vector envp = vector_of(environment);
	int status;
	pid_t child = fork();

	if (child == 0) {
		execve(program, argv.at, envp.at);
		_exit(251);
	}
	cr_assert(waitpid(child, &status, 0) == child && WIFEXITED(status));
	return WEXITSTATUS(status);
}

static struct kmalloc_options fresh(void)
{
	struct kmalloc_options o;

	memset(&o, 0xa5, sizeof(o));
	options_reset(&o);
	return o;
}

/* Standard error into memory, so that a test can read the warnings. */
static int captured = -1;
static int saved_stderr = -1;

static void capture_begin(void)
{
	fflush(stderr);
	captured = memfd_create("stderr", 0);
	saved_stderr = dup(STDERR_FILENO);
	dup2(captured, STDERR_FILENO);
}

static const char *capture_end(void)
{
	static char text[1 << 16];
	ssize_t len;

	dup2(saved_stderr, STDERR_FILENO);
	close(saved_stderr);
	len = pread(captured, text, sizeof(text) - 1, 0);
	text[len < 0 ? 0 : len] = '\0';
	close(captured);
	return text;
}

/* What "options_parse" prints for @text, into a static buffer; its result in @mistakes. */
static const char *warnings_for(const char *text, struct kmalloc_options *o, unsigned int *mistakes)
{
	capture_begin();
	*mistakes = options_parse(o, "TEST", str_of(text));
	return capture_end();
}

static void expect_accepted(const char *text, size_t offset, unsigned long value)
{
	struct kmalloc_options o = fresh();
	unsigned int mistakes;
	const char *said = warnings_for(text, &o, &mistakes);

	cr_expect_str_eq(said, "", "%s", text);
	cr_expect(mistakes == 0, "%s", text);
	cr_expect_eq(*(unsigned long *)((char *)&o + offset), value, "%s", text);
}

#define ACCEPT(text, name, value) \
	expect_accepted(text, offsetof(struct kmalloc_options, name), value)

static void expect_rejected(const char *text, const char *warning)
{
	struct kmalloc_options o = fresh(), standard = fresh();
	unsigned int mistakes;
	const char *said = warnings_for(text, &o, &mistakes);

	cr_expect_str_eq(said, warning, "%s", text);
	cr_expect(mistakes == 1, "%s", text);
	cr_expect(memcmp(&o, &standard, sizeof(o)) == 0, "%s changed a value", text);
}

Test(options, defaults_are_within_their_ranges)
{
	struct kmalloc_options o = fresh();

	cr_assert(memcmp(&o, &options, sizeof(o)) == 0);
	for (size_t i = 0; i < option_count; i++) {
		const struct option *option = &option_table[i];

		cr_expect(option->standard >= option->min && option->standard <= option->max,
			  "%s", option->name);
		cr_expect((option->type == OPTION_enum) == (option->choices != NULL));
		cr_expect(strlen(option->name) <= STR_DISTANCE_MAX);
		cr_expect_null(strchr(option->help, '\n'));
	}
}

Test(options, documented_defaults)
{
	struct kmalloc_options o = fresh();

	cr_expect(o.size_classes == SIZE_CLASSES_QUARTER);
	cr_expect(o.decay_ms == 1000);
	cr_expect(o.background == BACKGROUND_AUTO);
	cr_expect(o.magazine_bytes == 1 << 20);
	cr_expect(o.thp == THP_AUTO);
	cr_expect(o.limit == 0);
	cr_expect(o.on_corruption == ON_CORRUPTION_ABORT);
	cr_expect(o.stats == 0 && o.help == 0);
}

/* Each name of an enum is accepted and printed back, and there are as many as constants. */
Test(options, enums_know_all_their_names)
{
	for (size_t i = 0; i < option_count; i++) {
		const struct option *option = &option_table[i];
		struct str rest = str_of(option->choices ? option->choices : "");
		unsigned long position = 0;

		if (option->type != OPTION_enum)
			continue;
		for (; rest.at; position++) {
			struct str name = str_cut(&rest, "|");
			char text[64];

			snprintf(text, sizeof(text), "%s:%.*s", option->name, STR_ARG(name));
			expect_accepted(text, option->offset, position);
			snprintf(text, sizeof(text), "%.*s", STR_ARG(name));
			cr_expect_str_eq(option_format(option, position).text, text);
		}
		cr_expect(position == option->max + 1, "%s", option->name);
	}
}

Test(options, enum_names_match_constants)
{
	ACCEPT("size_classes:pow2", size_classes, SIZE_CLASSES_POW2);
	ACCEPT("size_classes:kernel", size_classes, SIZE_CLASSES_KERNEL);
	ACCEPT("size_classes:mid", size_classes, SIZE_CLASSES_MID);
	ACCEPT("background:off", background, BACKGROUND_OFF);
	ACCEPT("background:on", background, BACKGROUND_ON);
	ACCEPT("thp:never", thp, THP_NEVER);
	ACCEPT("thp:always", thp, THP_ALWAYS);
	ACCEPT("on_corruption:warn", on_corruption, ON_CORRUPTION_WARN);
}

Test(options, bools)
{
	ACCEPT("stats:1", stats, 1);
	ACCEPT("stats:true", stats, 1);
	ACCEPT("stats:yes", stats, 1);
	ACCEPT("stats=on", stats, 1);
	ACCEPT("stats", stats, 1);
	ACCEPT("stats:1,stats:0", stats, 0);
	ACCEPT("stats,stats:off", stats, 0);
	ACCEPT("stats,stats:no", stats, 0);
	ACCEPT("stats,stats:false", stats, 0);
}

Test(options, numbers_and_suffixes)
{
	ACCEPT("decay_ms:0", decay_ms, 0);
	ACCEPT("decay_ms=3600000", decay_ms, 3600000);
	ACCEPT("decay_ms:0x10", decay_ms, 16);
	ACCEPT("limit:123", limit, 123);
	ACCEPT("limit:4k", limit, 4096);
	ACCEPT("limit:4M", limit, 4ul << 20);
	ACCEPT("limit:3g", limit, 3ul << 30);
	ACCEPT("limit:2T", limit, 2ul << 40);
	ACCEPT("limit:18446744073709551615", limit, ULONG_MAX);
	ACCEPT("limit:0xffk", limit, 255ul << 10);
	ACCEPT("magazine_bytes:4096", magazine_bytes, 4096);
	ACCEPT("magazine_bytes:1g", magazine_bytes, 1ul << 30);
}

Test(options, separators_and_blanks)
{
	ACCEPT(" decay_ms : 7 ", decay_ms, 7);
	ACCEPT(",,decay_ms\t=7,,", decay_ms, 7);
	ACCEPT("stats:1,decay_ms=7,thp:never", decay_ms, 7);
	ACCEPT("stats:1,decay_ms=7,thp:never", thp, THP_NEVER);
	ACCEPT("", decay_ms, 1000);
	ACCEPT(" , ", decay_ms, 1000);
}

#define INVALID(name, value, allowed, stays) \
	"libkmalloc: TEST: " name " cannot be \"" value "\" (allowed: " allowed "), it stays " \
	stays "\n"

Test(options, invalid_values_name_the_range)
{
	expect_rejected("decay_ms:3600001", INVALID("decay_ms", "3600001", "0 to 3600000", "1000"));
	expect_rejected("decay_ms:-1", INVALID("decay_ms", "-1", "0 to 3600000", "1000"));
	expect_rejected("decay_ms:", INVALID("decay_ms", "", "0 to 3600000", "1000"));
	expect_rejected("decay_ms", INVALID("decay_ms", "", "0 to 3600000", "1000"));
	expect_rejected("decay_ms:1k", INVALID("decay_ms", "1k", "0 to 3600000", "1000"));
	expect_rejected("decay_ms:0x", INVALID("decay_ms", "0x", "0 to 3600000", "1000"));
	expect_rejected("magazine_bytes:4095",
			INVALID("magazine_bytes", "4095", "4k to 1g", "1m"));
	expect_rejected("limit:k", INVALID("limit", "k", "0 or more", "0"));
	expect_rejected("limit:12q", INVALID("limit", "12q", "0 or more", "0"));
	expect_rejected("limit:18446744073709551616",
			INVALID("limit", "18446744073709551616", "0 or more", "0"));
	expect_rejected("limit:16777216t", INVALID("limit", "16777216t", "0 or more", "0"));
	expect_rejected("thp:sometimes",
			INVALID("thp", "sometimes", "never|auto|always", "auto"));
	expect_rejected("thp:AUTO", INVALID("thp", "AUTO", "never|auto|always", "auto"));
	expect_rejected("thp:", INVALID("thp", "", "never|auto|always", "auto"));
	expect_rejected("thp:never|auto",
			INVALID("thp", "never|auto", "never|auto|always", "auto"));
	expect_rejected("stats:2", INVALID("stats", "2", "0|1", "0"));
	expect_rejected("decay_ms:5:6", INVALID("decay_ms", "5:6", "0 to 3600000", "1000"));
}

Test(options, unknown_names_suggest_the_nearest)
{
	static const char *const typos[][2] = {
		{ "decay", "decay_ms" }, { "deacy_ms", "decay_ms" }, { "dcay_ms", "decay_ms" },
		{ "size_class", "size_classes" }, { "magazine", "magazine_bytes" },
		{ "stat", "stats" }, { "Help", "help" }, { "on_coruption", "on_corruption" },
		{ "backround", "background" }, { "limits", "limit" }, { "tph", "thp" },
	};

	for (size_t i = 0; i < sizeof(typos) / sizeof(typos[0]); i++) {
		char entry[64], warning[160];

		snprintf(entry, sizeof(entry), "%s:1", typos[i][0]);
		snprintf(warning, sizeof(warning),
			 "libkmalloc: TEST: unknown option \"%s\", did you mean \"%s\"?\n",
			 typos[i][0], typos[i][1]);
		expect_rejected(entry, warning);
	}
	expect_rejected("qwertyuiop:1",
			"libkmalloc: TEST: unknown option \"qwertyuiop\", help:1 lists all\n");
	expect_rejected(":1", "libkmalloc: TEST: unknown option \"\", help:1 lists all\n");
}

Test(options, warnings_are_bounded_and_printable)
{
	char text[2000];
	unsigned int mistakes;
	struct kmalloc_options o = fresh();
	const char *said;

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	text[3] = '\033';
	text[4] = '\n';
	said = warnings_for(text, &o, &mistakes);
	cr_expect(strlen(said) < 160);
	cr_expect_not_null(strstr(said, "\"xxx??xxx"));
	cr_expect_not_null(strstr(said, "xxx...\""));
}

Test(options, a_mistake_spoils_only_its_entry)
{
	struct kmalloc_options o = fresh();
	unsigned int mistakes;

	warnings_for("decay_ms:5,bogus:1,thp:x,limit:1m,stats", &o, &mistakes);
	cr_expect(mistakes == 2);
	cr_expect(o.decay_ms == 5 && o.limit == 1 << 20 && o.stats == 1 && o.thp == THP_AUTO);
}

Test(options, files_have_lines_and_comments)
{
	static const char file[] =
		"# whole line\n"
		"\n"
		"decay_ms = 250   # as measured, thp:never\n"
		"  thp:always , stats\r\n"
		"#limit:1g\n"
		"limit: 64m";
	struct kmalloc_options o = fresh();

	cr_expect(options_parse_lines(&o, "TEST", str_of(file)) == 0);
	cr_expect(o.decay_ms == 250 && o.thp == THP_ALWAYS && o.stats == 1 && o.limit == 64 << 20);
}

/* options_init() in a child of its own; the exit status says what it found. */
static int decay_after_init(const char *const *environment, const char *symbol)
{
	struct vector envp = vector_of(environment);
	int fds[2], status;
	unsigned long decay = 0;
	pid_t child;

	cr_assert(pipe(fds) == 0);
	child = fork();
	if (child == 0) {
		kmalloc_options = symbol;
		errno = 4711;
		options_init(envp.at);
		if (errno != 4711)
			_exit(1);
		_exit(write(fds[1], &options.decay_ms, sizeof(decay)) != sizeof(decay));
	}
	cr_assert(waitpid(child, &status, 0) == child && status == 0);
	cr_assert(read(fds[0], &decay, sizeof(decay)) == sizeof(decay));
	close(fds[0]);
	close(fds[1]);
	return (int)decay;
}

Test(options, environment_wins_over_the_symbol)
{
	const char *const nothing[] = { NULL };
	const char *const others[] = {
		"A=1", "KMALLOC_OPTIONSX=decay_ms:3", "XKMALLOC_OPTIONS=decay_ms:4", NULL,
	};
	const char *const ours[] = { "A=1", "KMALLOC_OPTIONS=decay_ms:5", "B=2", NULL };

	if (access("/etc/libkmalloc.conf", F_OK) == 0)
		cr_skip("this machine has an /etc/libkmalloc.conf");
	cr_expect(decay_after_init(nothing, NULL) == 1000);
	cr_expect(decay_after_init(others, NULL) == 1000);
	cr_expect(decay_after_init(nothing, "decay_ms:6") == 6);
	cr_expect(decay_after_init(others, "decay_ms:6") == 6);
	cr_expect(decay_after_init(ours, NULL) == 5);
	cr_expect(decay_after_init(ours, "decay_ms:6") == 5);
	cr_expect(decay_after_init(ours, "decay_ms:6,stats:0") == 5);
}

static void write_file(const char *path, const char *text, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	cr_assert(fd >= 0 && write(fd, text, len) == (ssize_t)len);
	close(fd);
}

Test(options, files)
{
	static char text[10000];
	char path[] = "/tmp/options-XXXXXX";
	struct kmalloc_options o = fresh();
	const char *said;

	close(mkstemp(path));
	write_file(path, "decay_ms:3\nthp:never\n", 21);
	options_read_file(&o, path);
	cr_expect(o.decay_ms == 3 && o.thp == THP_NEVER);

	/* The line that crosses the border of what is read must not be half understood. */
	memset(text, ' ', sizeof(text));
	memcpy(text, "decay_ms:4\n", 11);
	memcpy(text + 4096 - 11, "\ndecay_ms:5", 11);
	text[4096] = '0';
	write_file(path, text, sizeof(text));
	capture_begin();
	options_read_file(&o, path);
	said = capture_end();
	cr_expect(o.decay_ms == 4);
	cr_expect_not_null(strstr(said, "lines beyond 4095 bytes are ignored\n"), "%s", said);

	unlink(path);
	capture_begin();
	options_read_file(&o, path);
	options_read_file(&o, "/");
	cr_expect_str_eq(capture_end(), "");
	cr_expect(o.decay_ms == 4);
}

/* Entries of all lengths around the window's size stand before ours. */
Test(options, kernel_copy_of_the_environment, .timeout = 120)
{
	static char filler[20000];
	const char *const nothing[] = { "PROBE=proc", NULL };
	const char *const overlong[] = { "PROBE=proc", filler, NULL };
	const char *const ours[] = {
		"PROBE=proc", filler, "KMALLOC_OPTIONS=decay_ms:7", "B=2", NULL,
	};

	cr_expect(run_probe("/proc/self/exe", nothing) == 100);
	for (size_t len = 4070; len < 4110; len++) {
		memset(filler, 'f', len);
		filler[len] = '\0';
		cr_expect(run_probe("/proc/self/exe", ours) == 7, "filler of %zu", len);
	}
	memset(filler, 'f', sizeof(filler) - 1);
	memcpy(filler + 4096 - 11, "KMALLOC_OPTIONS=decay_ms:9", 26);
	for (size_t i = 1; i <= 4; i++)
		memcpy(filler + i * 4095, "KMALLOC_OPTIONS=decay_ms:9", 26);
	cr_expect(run_probe("/proc/self/exe", ours) == 7);
	cr_expect(run_probe("/proc/self/exe", overlong) == 100);
}

static void copy_program(const char *path)
{
	int from = open("/proc/self/exe", O_RDONLY);
	int to = open(path, O_WRONLY | O_TRUNC);
	struct stat st;

	cr_assert(from >= 0 && to >= 0 && fstat(from, &st) == 0);
	while (st.st_size > 0) {
		ssize_t done = sendfile(to, from, NULL, (size_t)st.st_size);

		cr_assert(done > 0);
		st.st_size -= done;
	}
	cr_assert(fchown(to, 65534, 65534) == 0 && fchmod(to, 04755) == 0);
	close(from);
	close(to);
}

Test(options, setuid_programs_read_nothing)
{
	const char *const envp[] = { "PROBE=secure", "KMALLOC_OPTIONS=decay_ms:7", NULL };
	const char *const plain[] = { "PROBE=proc", "KMALLOC_OPTIONS=decay_ms:7", NULL };
	char path[] = "/tmp/options-setuid-XXXXXX";
	int status;

	if (geteuid() != 0)
		cr_skip("needs root to make a program setuid to another user");
	close(mkstemp(path));
	copy_program(path);
	status = run_probe(path, envp);
	unlink(path);
	if (status == PROBE_NOT_SECURE)
		cr_skip("/tmp is mounted nosuid or the kernel sets no AT_SECURE");
	cr_expect(status == 100, "read something: %d", status);
	cr_expect(run_probe("/proc/self/exe", plain) == 7);
}

Test(options, garbage_never_crashes)
{
	static const char alphabet[] = "decay_mslimthp:=,0123456789kmg \t#\n|\"-x\377\001";
	struct kmalloc_options o = fresh();
	unsigned long state = 42;

	capture_begin();
	for (int i = 0; i < 20000; i++) {
		char *text = malloc(64);
		size_t len;

		state = state * 6364136223846793005u + 1442695040888963407u;
		len = (state >> 58) % 64;
		for (size_t j = 0; j < len; j++) {
			state = state * 6364136223846793005u + 1442695040888963407u;
			text[j] = alphabet[(state >> 33) % (sizeof(alphabet))];
		}
		options_parse_lines(&o, "TEST", (struct str){ text, len });
		free(text);
	}
	capture_end();
	for (size_t i = 0; i < option_count; i++) {
		unsigned long value = option_value(&option_table[i], &o);

		cr_expect(value >= option_table[i].min && value <= option_table[i].max);
	}
}

Test(options, values_in_force_can_be_parsed_back)
{
	struct kmalloc_options o = fresh();
	static char buf[1024];
	struct fmt_out out;

	cr_assert(options_parse(&options, "TEST",
				str_of("decay_ms:12,limit:3g,thp:never,stats")) == 0);
	fmt_out_init(&out, buf, sizeof(buf), NULL, NULL);
	options_print(&out);
	cr_expect(options_parse(&o, "TEST", (struct str){ buf, out.used }) == 0);
	cr_expect(memcmp(&o, &options, sizeof(o)) == 0, "%.*s", (int)out.used, buf);
}

Test(options, help_lists_every_option)
{
	static char buf[4096];
	struct fmt_out out;

	fmt_out_init(&out, buf, sizeof(buf) - 1, NULL, NULL);
	options_print_help(&out);
	for (size_t i = 0; i < option_count; i++) {
		cr_expect_not_null(strstr(buf, option_table[i].name));
		cr_expect_not_null(strstr(buf, option_table[i].help));
		cr_expect_not_null(strstr(buf, option_range(&option_table[i]).text));
	}
}

Test(options, distance)
{
	cr_expect(str_distance(str_of(""), str_of("")) == 0);
	cr_expect(str_distance(str_of("abc"), str_of("")) == 3);
	cr_expect(str_distance(str_of("kitten"), str_of("sitting")) == 3);
	cr_expect(str_distance(str_of("ab"), str_of("ba")) == 1);
	cr_expect(str_distance(str_of("ca"), str_of("abc")) == 3);
	cr_expect(str_distance(str_of("decay_ms"), str_of("deacy_ms")) == 1);
}
