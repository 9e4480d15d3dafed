/* Gives a cron daemon another clock and other files, and writes down what it would start.
 *
 * Loaded into the daemon by LD_PRELOAD. Time stands still but for sleep(), which puts it forward instead of waiting.
 * What the daemon knows of tables and its lock comes from below a directory of the test, so that it neither sees the
 * machine's nor disturbs a daemon that runs. A child ends where it reports the command that it is about to run.
 *
 *   SHIM_BEGIN, SHIM_END   seconds since 1970; at the end the daemon exits
 *   SHIM_ROOT              the directory that stands for /
 *   SHIM_LOG               a file that is appended to: "<second> <message>" of the children, "! <message>" of the daemon
 *   SHIM_EXECUTE           if it is set, commands are really run, one after the other
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

static time_t now, end;
static const char *root = "";
static int log_fd = -1;
static int is_child, executes;

static const char *setting(const char *name)
{
	const char *value = getenv(name);
	if (value == NULL) {
		fprintf(stderr, "clock_shim: %s is not set\n", name);
		_exit(1);
	}
	return value;
}

__attribute__((constructor)) static void begin(void)
{
	now = atoll(setting("SHIM_BEGIN"));
	end = atoll(setting("SHIM_END"));
	root = setting("SHIM_ROOT");
	executes = getenv("SHIM_EXECUTE") != NULL;
	/* Out of the way of what the daemon closes. */
	int fd = open(setting("SHIM_LOG"), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	log_fd = fcntl(fd, F_DUPFD_CLOEXEC, 900);
	if (log_fd < 0) {
		perror("clock_shim: cannot open the log");
		_exit(1);
	}
	close(fd);
}

time_t time(time_t *at)
{
	if (at != NULL)
		*at = now;
	return now;
}

unsigned int sleep(unsigned int seconds)
{
	/* Ten seconds are the daemon's pause between the minutes that it makes up for after a change of clock. Without
	 * them all of those count for the minute of the change, however many there are. */
	if (seconds != 10)
		now += seconds;
	if (now >= end)
		_exit(0);
	return 0;
}

/* A child of the daemon has a child for the command. One process is enough for both. */
pid_t fork(void)
{
	static pid_t (*real)(void);
	if (is_child && !executes)
		return 0;
	if (real == NULL)
		real = (pid_t (*)(void))dlsym(RTLD_NEXT, "fork");
	if (is_child)
		return real();
	pid_t child = real();
	if (child == 0)
		is_child = 1;
	else if (child > 0)
		/* One after the other, so that a log has an order and the machine few processes. */
		while (waitpid(child, NULL, 0) < 0 && kill(child, 0) == 0)
			;
	return child;
}

static void report(const char *format, va_list arguments)
{
	char line[1024];
	int length = is_child ? snprintf(line, 32, "%lld ", (long long)now) : snprintf(line, 32, "! ");
	length += vsnprintf(line + length, sizeof line - 64, format, arguments);
	if (length > (int)sizeof line - 2)
		length = sizeof line - 2;
	line[length++] = '\n';
	if (write(log_fd, line, length) != length || (is_child && !executes))
		_exit(0);
}

void syslog(int priority, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	report(format, arguments);
	va_end(arguments);
}

void __syslog_chk(int priority, int flag, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	report(format, arguments);
	va_end(arguments);
}

/* The session of a user is of no interest, and its rules are the machine's. */
int pam_start(const char *service, const char *user, const void *talk, void **handle)
{
	*handle = &log_fd;
	return 0;
}

int pam_end(void *handle, int status) { return 0; }
int pam_set_item(void *handle, int type, const void *item) { return 0; }
int pam_acct_mgmt(void *handle, int flags) { return 0; }
int pam_setcred(void *handle, int flags) { return 0; }
int pam_open_session(void *handle, int flags) { return 0; }
int pam_close_session(void *handle, int flags) { return 0; }
char **pam_getenvlist(void *handle) { return calloc(1, sizeof(char *)); }

/* The path below the test's directory, for what is the daemon's own. */
static const char *own(const char *path, char *space, size_t size)
{
	static const char *const prefixes[] = {
		"/var/spool/cron", "/etc/crontab", "/etc/cron.d", "/var/run", "/run", "/etc/default/cron",
	};
	for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++)
		if (strncmp(path, prefixes[i], strlen(prefixes[i])) == 0) {
			snprintf(space, size, "%s%s", root, path);
			return space;
		}
	return path;
}

#define OWN(path) own(path, (char[4096]){0}, 4096)
#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

int chdir(const char *path) { return REAL(chdir)(OWN(path)); }
int stat(const char *path, struct stat *found) { return REAL(stat)(OWN(path), found); }
int lstat(const char *path, struct stat *found) { return REAL(lstat)(OWN(path), found); }
int access(const char *path, int mode) { return REAL(access)(OWN(path), mode); }
int creat(const char *path, mode_t mode) { return REAL(creat)(OWN(path), mode); }
int mkdir(const char *path, mode_t mode) { return REAL(mkdir)(OWN(path), mode); }
int chown(const char *path, uid_t user, gid_t group) { return REAL(chown)(OWN(path), user, group); }
DIR *opendir(const char *path) { return REAL(opendir)(OWN(path)); }
FILE *fopen(const char *path, const char *mode) { return REAL(fopen)(OWN(path), mode); }

int open(const char *path, int flags, ...)
{
	va_list arguments;
	va_start(arguments, flags);
	mode_t mode = flags & O_CREAT ? va_arg(arguments, mode_t) : 0;
	va_end(arguments);
	return REAL(open)(OWN(path), flags, mode);
}
