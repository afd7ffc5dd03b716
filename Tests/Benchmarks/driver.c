// Loads an MCP server with tools/call and measures: every call has its own id and every answer is matched to it.
//
//   driver [options] -- COMMAND [ARGUMENT…]       one session on the pipes of a child
//   driver [options] --unix PATH                  sessions on a Unix socket
//
//   --calls M         how many calls are measured (default 20000)
//   --warmup W        how many come before them (default 2000)
//   --outstanding N   how many one session has in flight (default 1, at most 100: one pipe's worth)
//   --sessions S      how many sessions (default 1; more on a Unix socket only)
//   --pid PID         whose CPU time and memory are read; the child's by default
//   --echo            the server sends back the line itself, so an answer needs no result
//   --idle            opens the sessions, reads the memory, and makes no call
//
// It prints one JSON object: first_response_ms (from the start of the child to the answer to initialize), p50_us,
// p99_us, rate (calls a second), cpu_us_per_call (all threads of PID), rss_idle_kb, rss_loaded_kb.
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "json.h"

enum { request_bytes = 300, most_outstanding = 100 };

struct session {
    int in, out; // we read `in` and write `out`
    char *bytes;
    size_t capacity, held;
};

static struct {
    size_t calls, warmup, outstanding, sessions;
    pid_t pid;
    const char *unix_path;
    bool echo, idle;
    char **command;
} options = {.calls = 20000, .warmup = 2000, .outstanding = 1, .sessions = 1};

static uint64_t *sent_at;   // by id; 0 once answered
static uint64_t *latencies; // of the measured calls, in the order of the answers
static size_t next_id, answered, total;

static void fail(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fputs("driver: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    exit(1);
}

static uint64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

// Nanoseconds on a CPU of all living threads.
static uint64_t cpu_time(pid_t pid) {
    char path[300];
    snprintf(path, sizeof path, "/proc/%d/task", pid);
    DIR *tasks = opendir(path);
    if (!tasks) fail("%s: %s", path, strerror(errno));
    uint64_t sum = 0;
    for (struct dirent *entry; (entry = readdir(tasks));) {
        if (entry->d_name[0] == '.') continue;
        snprintf(path, sizeof path, "/proc/%d/task/%s/schedstat", pid, entry->d_name);
        FILE *file = fopen(path, "r");
        if (!file) continue; // the thread has ended
        uint64_t running;
        if (fscanf(file, "%" SCNu64, &running) == 1) sum += running;
        fclose(file);
    }
    closedir(tasks);
    return sum;
}

static long resident_kb(pid_t pid) {
    char path[64], line[256];
    snprintf(path, sizeof path, "/proc/%d/status", pid);
    FILE *file = fopen(path, "r");
    if (!file) fail("%s: %s", path, strerror(errno));
    long kilobytes = 0;
    while (fgets(line, sizeof line, file)) {
        if (sscanf(line, "VmRSS: %ld kB", &kilobytes) == 1) break;
    }
    fclose(file);
    return kilobytes;
}

static void write_all(int fd, const char *bytes, size_t length) {
    while (length > 0) {
        ssize_t written = write(fd, bytes, length);
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) fail("write: %s", strerror(errno));
        bytes += written;
        length -= (size_t)written;
    }
}

static size_t make_request(char *at, size_t id) {
    static char filler[request_bytes];
    if (!filler[0]) memset(filler, 'x', sizeof filler);
    static const char *const shape = "{\"jsonrpc\":\"2.0\",\"id\":%zu,\"method\":\"tools/call\","
                                     "\"params\":{\"name\":\"echo\",\"arguments\":{\"text\":\"%.*s\"}}}\n";
    int bare = snprintf(NULL, 0, shape, id, 0, filler);
    return (size_t)sprintf(at, shape, id, request_bytes - bare, filler);
}

// Sends up to `count` calls in one write.
static void send_calls(struct session *session, size_t count) {
    static char batch[most_outstanding * (request_bytes + 32)];
    size_t length = 0;
    uint64_t time = now();
    for (; count > 0 && next_id < total; count--, next_id++) {
        sent_at[next_id] = time;
        length += make_request(batch + length, next_id);
    }
    write_all(session->out, batch, length);
}

static bool read_more(struct session *session) {
    if (session->held == session->capacity) {
        session->capacity = session->capacity ? session->capacity * 2 : 1 << 16;
        session->bytes = realloc(session->bytes, session->capacity);
        if (!session->bytes) fail("out of memory");
    }
    ssize_t got = read(session->in, session->bytes + session->held, session->capacity - session->held);
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) return true;
    if (got < 0) fail("read: %s", strerror(errno));
    session->held += (size_t)got;
    return got > 0;
}

static void take_answer(const char *line, size_t length, struct slice id, uint64_t time) {
    if (!member_of(line, length, options.echo ? "method" : "result").start) {
        fail("no result: %.*s", (int)length, line);
    }
    char *end;
    size_t number = strtoul(id.start, &end, 10);
    if (end != id.start + id.length || number >= total || sent_at[number] == 0) {
        fail("an answer to no open call: %.*s", (int)length, line);
    }
    if (answered >= options.warmup) latencies[answered - options.warmup] = time - sent_at[number];
    sent_at[number] = 0;
    answered++;
}

// The number of answers among the whole lines that are held.
static size_t take_answers(struct session *session) {
    size_t count = 0;
    char *begin = session->bytes, *end = session->bytes + session->held, *newline;
    uint64_t time = now();
    while ((newline = memchr(begin, '\n', (size_t)(end - begin)))) {
        size_t length = (size_t)(newline - begin);
        // Notifications, such as the echoed one of the handshake, are not counted.
        struct slice id = member_of(begin, length, "id");
        if (id.start) {
            take_answer(begin, length, id, time);
            count++;
        }
        begin = newline + 1;
    }
    session->held = (size_t)(end - begin);
    memmove(session->bytes, begin, session->held);
    return count;
}

static void shake_hands(struct session *session) {
    static const char hello[] =
        "{\"jsonrpc\":\"2.0\",\"id\":\"handshake\",\"method\":\"initialize\",\"params\":{\"protocolVersion\":"
        "\"2025-11-25\",\"capabilities\":{},\"clientInfo\":{\"name\":\"driver\",\"version\":\"1\"}}}\n";
    static const char ready[] = "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}\n";
    write_all(session->out, hello, sizeof hello - 1);
    char *newline = NULL;
    while (!newline) {
        if (!read_more(session)) fail("the server hung up during the handshake");
        newline = memchr(session->bytes, '\n', session->held);
    }
    if (!equals(member_of(session->bytes, (size_t)(newline - session->bytes), "id"), "\"handshake\"")) {
        fail("no answer to initialize: %.*s", (int)(newline - session->bytes), session->bytes);
    }
    session->held -= (size_t)(newline + 1 - session->bytes);
    memmove(session->bytes, newline + 1, session->held);
    write_all(session->out, ready, sizeof ready - 1);
}

static struct session spawn(char **command) {
    int in[2], out[2];
    if (pipe2(in, O_CLOEXEC) < 0 || pipe2(out, O_CLOEXEC) < 0) fail("pipe2: %s", strerror(errno));
    pid_t child = fork();
    if (child < 0) fail("fork: %s", strerror(errno));
    if (child == 0) {
        dup2(in[0], 0);
        dup2(out[1], 1);
        execvp(command[0], command);
        fail("%s: %s", command[0], strerror(errno));
    }
    close(in[0]);
    close(out[1]);
    options.pid = child;
    return (struct session){.in = out[0], .out = in[1]};
}

static struct session connect_unix(const char *path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path) fail("'%s' is too long for a socket's path", path);
    strcpy(address.sun_path, path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) < 0) fail("%s: %s", path, strerror(errno));
    return (struct session){.in = fd, .out = fd};
}

static int by_size(const void *left, const void *right) {
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return (a > b) - (a < b);
}

static size_t number(const char *text, size_t least, size_t most, const char *option) {
    char *end;
    size_t value = strtoul(text, &end, 10);
    if (*end || end == text || value < least || value > most) {
        fail("%s %s: it takes a number from %zu to %zu", option, text, least, most);
    }
    return value;
}

static void read_options(int argc, char **argv) {
    for (int i = 1; i < argc; i++) {
        const char *option = argv[i];
        bool valued = i + 1 < argc;
        if (strcmp(option, "--") == 0) {
            options.command = argv + i + 1;
            break;
        } else if (strcmp(option, "--echo") == 0) {
            options.echo = true;
        } else if (strcmp(option, "--idle") == 0) {
            options.idle = true;
        } else if (strcmp(option, "--calls") == 0 && valued) {
            options.calls = number(argv[++i], 1, 100000000, option);
        } else if (strcmp(option, "--warmup") == 0 && valued) {
            options.warmup = number(argv[++i], 0, 100000000, option);
        } else if (strcmp(option, "--outstanding") == 0 && valued) {
            options.outstanding = number(argv[++i], 1, most_outstanding, option);
        } else if (strcmp(option, "--sessions") == 0 && valued) {
            options.sessions = number(argv[++i], 1, 100000, option);
        } else if (strcmp(option, "--pid") == 0 && valued) {
            options.pid = (pid_t)number(argv[++i], 1, 1 << 30, option);
        } else if (strcmp(option, "--unix") == 0 && valued) {
            options.unix_path = argv[++i];
        } else {
            fail("'%s' is no option, or lacks its value; see the head of driver.c", option);
        }
    }
    bool child = options.command && options.command[0];
    if (child == (options.unix_path != NULL)) fail("give either '-- COMMAND' or '--unix PATH'");
    if (child && options.sessions > 1) fail("a child has one session; give '--unix PATH' for more");
    if (!child && options.pid == 0) fail("give '--pid PID' with '--unix PATH'");
}

// Keeps every session's calls in flight until all are answered.
static uint64_t run_calls(struct session *sessions, uint64_t *cpu_before) {
    int poller = epoll_create1(EPOLL_CLOEXEC);
    for (size_t i = 0; i < options.sessions; i++) {
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = &sessions[i]};
        if (epoll_ctl(poller, EPOLL_CTL_ADD, sessions[i].in, &event) < 0) fail("epoll_ctl: %s", strerror(errno));
        send_calls(&sessions[i], options.outstanding);
    }
    uint64_t start = options.warmup == 0 ? now() : 0;
    *cpu_before = cpu_time(options.pid);
    while (answered < total) {
        struct epoll_event events[256];
        int ready = epoll_wait(poller, events, 256, 30000);
        if (ready < 0 && errno != EINTR) fail("epoll_wait: %s", strerror(errno));
        if (ready == 0) fail("no answer for 30 s; %zu of %zu calls were answered", answered, total);
        for (int i = 0; i < ready; i++) {
            struct session *session = events[i].data.ptr;
            if (!read_more(session)) fail("the server hung up after %zu of %zu calls", answered, total);
            size_t count = take_answers(session);
            if (count > 0 && next_id < total) send_calls(session, count);
        }
        if (start == 0 && answered >= options.warmup) {
            *cpu_before = cpu_time(options.pid);
            start = now();
        }
    }
    close(poller);
    return start;
}

int main(int argc, char **argv) {
    read_options(argc, argv);
    total = options.warmup + options.calls;
    sent_at = calloc(total, sizeof *sent_at);
    latencies = calloc(options.calls, sizeof *latencies);
    struct session *sessions = calloc(options.sessions, sizeof *sessions);
    if (!sent_at || !latencies || !sessions) fail("out of memory");

    uint64_t begin = now(), first_response = 0;
    for (size_t i = 0; i < options.sessions; i++) {
        sessions[i] = options.command ? spawn(options.command) : connect_unix(options.unix_path);
        shake_hands(&sessions[i]);
        if (i == 0) first_response = now() - begin;
    }
    long idle = resident_kb(options.pid);
    if (options.idle) {
        printf("{\"sessions\": %zu, \"rss_idle_kb\": %ld}\n", options.sessions, idle);
        return 0;
    }

    uint64_t cpu_before, start = run_calls(sessions, &cpu_before);
    uint64_t elapsed = now() - start, cpu = cpu_time(options.pid) - cpu_before;
    long loaded = resident_kb(options.pid);
    qsort(latencies, options.calls, sizeof *latencies, by_size);
    double calls = (double)options.calls;
    printf("{\"first_response_ms\": %.3f, \"p50_us\": %.3f, \"p99_us\": %.3f, \"rate\": %.0f, "
           "\"cpu_us_per_call\": %.3f, \"rss_idle_kb\": %ld, \"rss_loaded_kb\": %ld}\n",
           (double)first_response / 1e6, (double)latencies[options.calls / 2] / 1e3,
           (double)latencies[options.calls * 99 / 100] / 1e3, calls / ((double)elapsed / 1e9),
           (double)cpu / 1e3 / calls, idle, loaded);

    for (size_t i = 0; i < options.sessions; i++) close(sessions[i].out);
    int status = 0;
    if (options.command && waitpid(options.pid, &status, 0) == options.pid && status != 0) {
        fail("'%s' did not end cleanly: wait status %d", options.command[0], status);
    }
    return 0;
}
