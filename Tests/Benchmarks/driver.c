// Loads an MCP server with tools/call and measures: every call has its own id and every answer is matched to it.
//
//   driver [options] -- COMMAND [ARGUMENT…]       one session on the pipes of a child
//   driver [options] --unix PATH                  sessions on a Unix socket
//   driver [options] --http PORT                  sessions over Streamable HTTP, on 127.0.0.1
//
//   --calls M         how many calls are measured (default 20000)
//   --warmup W        how many come before them (default 2000)
//   --outstanding N   how many one session has in flight (default 1, at most 100: one pipe's worth)
//                     over HTTP each has a connection of its own, which is kept
//   --sessions S      how many sessions (default 1; more not on the pipes of a child)
//   --path PATH       of the HTTP endpoint (default /mcp)
//   --token TOKEN     what HTTP clients authorize themselves by
//   --streams         over HTTP, each session also keeps a GET stream
//   --modern          speaks revision 2026-07-28: no handshake, and an envelope on every call
//   --answer          answers one question during each call; not over HTTP
//   --pid PID         whose CPU time and memory are read; the child's by default
//   --echo            the server sends back the line itself, so an answer needs no result
//   --idle            opens the sessions, reads the memory, and makes no call
//
// It prints one JSON object: first_response_ms (from the start of the child to the answer to initialize), p50_us,
// p99_us, rate (calls a second), cpu_us_per_call (all threads of PID), rss_idle_kb, rss_loaded_kb.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/tcp.h>
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

#include "http.h"
#include "json.h"

enum { request_bytes = 300, most_body_bytes = 4096, most_outstanding = 100 };

struct session {
    int in, out; // we read `in` and write `out`
    char *bytes;
    size_t capacity, held;
    struct http_session http;
};

static struct {
    size_t calls, warmup, outstanding, sessions;
    pid_t pid;
    const char *unix_path;
    bool echo, idle, streams, modern, answers;
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

#define CAPABILITIES (options.answers ? "{\"elicitation\":{}}" : "{}")
#define CLIENT "{\"name\":\"driver\",\"version\":\"1\"}"
#define YES "{\"action\":\"accept\",\"content\":{\"sure\":true}}"

// The envelope of a modern request, with a comma; nothing in the legacy era.
static const char *envelope(void) {
    static char text[512];
    if (options.modern && !text[0]) {
        sprintf(text,
                "\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\","
                "\"io.modelcontextprotocol/clientInfo\":" CLIENT ","
                "\"io.modelcontextprotocol/clientCapabilities\":%s},",
                CAPABILITIES);
    }
    return text;
}

// Both eras have the same arguments: a legacy call is request_bytes long, a modern one has its envelope besides. A retry
// has an id of its own, the arguments of its call, and `more` members of its params.
static size_t make_call(char *at, size_t call, size_t id, const char *more) {
    static char filler[request_bytes];
    if (!filler[0]) memset(filler, 'x', sizeof filler);
    static const char *const shape = "{\"jsonrpc\":\"2.0\",\"id\":%zu,\"method\":\"tools/call\","
                                     "\"params\":{%s\"name\":\"echo\",\"arguments\":{\"text\":\"%.*s\"}%s}}\n";
    int bare = snprintf(NULL, 0, shape, call, "", 0, filler, "");
    return (size_t)sprintf(at, shape, id, envelope(), request_bytes - bare, filler, more);
}

static size_t make_request(char *at, struct session *session, size_t id) {
    if (!http.port) return make_call(at, id, id, "");
    char body[most_body_bytes];
    size_t length = make_call(body, id, id, ""), head = make_head(at, &session->http, length);
    memcpy(at + head, body, length);
    return head + length;
}

// Sends up to `count` calls in one write.
static void send_calls(struct session *session, size_t count) {
    static char batch[most_outstanding * (most_body_bytes + most_head_bytes)];
    size_t length = 0;
    uint64_t time = now();
    for (; count > 0 && next_id < total; count--, next_id++) {
        sent_at[next_id] = time;
        length += make_request(batch + length, session, next_id);
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

static size_t call_of(struct slice id, const char *line, size_t length) {
    char *end;
    size_t number = strtoul(id.start, &end, 10);
    // A retry is numbered above all calls.
    if (options.answers && number >= total) number -= total;
    if (end != id.start + id.length || number >= total || sent_at[number] == 0) {
        fail("an answer to no open call: %.*s", (int)length, line);
    }
    return number;
}

// Answers what the server asks: in the legacy era its request, in the modern one by a retry of the call. False when it
// asks nothing.
static bool answer_question(struct session *session, const char *line, size_t length, struct slice id) {
    char answer[most_body_bytes], more[most_body_bytes / 2];
    if (equals(member_of(line, length, "method"), "\"elicitation/create\"")) {
        static const char *const shape = "{\"jsonrpc\":\"2.0\",\"id\":%.*s,\"result\":" YES "}\n";
        write_all(session->out, answer, (size_t)sprintf(answer, shape, (int)id.length, id.start));
        return true;
    }
    struct slice result = member_of(line, length, "result");
    if (!result.start || !equals(member_of(result.start, result.length, "resultType"), "\"input_required\"")) {
        return false;
    }
    struct slice asked = member_of(result.start, result.length, "inputRequests");
    struct slice state = member_of(result.start, result.length, "requestState");
    const char *key = asked.start ? memchr(asked.start, '"', asked.length) : NULL;
    if (!key || !state.start) fail("a question without a name or a state: %.*s", (int)length, line);
    int key_length = (int)(past_string(key, asked.start + asked.length) - key);
    int size = snprintf(more, sizeof more, ",\"inputResponses\":{%.*s:" YES "},\"requestState\":%.*s", key_length, key,
                        (int)state.length, state.start);
    if (size < 0 || (size_t)size >= sizeof more) fail("a state that is too long: %.*s", (int)length, line);
    size_t call = call_of(id, line, length);
    write_all(session->out, answer, make_call(answer, call, call + total, more));
    return true;
}

static void take_answer(const char *line, size_t length, struct slice id, uint64_t time) {
    if (!member_of(line, length, options.echo ? "method" : "result").start) {
        fail("no result: %.*s", (int)length, line);
    }
    size_t number = call_of(id, line, length);
    if (answered >= options.warmup) latencies[answered - options.warmup] = time - sent_at[number];
    sent_at[number] = 0;
    answered++;
}

// The number of answers in the whole responses that are held.
static size_t take_responses(struct session *session) {
    size_t count = 0;
    uint64_t time = now();
    struct response response;
    while (session->held > 0 && take_response(session->bytes, session->held, &response)) {
        size_t offset = 0, before = count;
        struct slice message;
        while ((message = next_message(&response, &offset)).start) {
            struct slice id = member_of(message.start, message.length, "id");
            if (!id.start) continue;
            take_answer(message.start, message.length, id, time);
            count++;
        }
        if (count != before + 1) fail("no answer: %.*s", (int)response.length, session->bytes);
        session->held -= response.length;
        memmove(session->bytes, session->bytes + response.length, session->held);
    }
    return count;
}

// The number of answers among the whole lines that are held.
static size_t take_answers(struct session *session) {
    if (http.port) return take_responses(session);
    size_t count = 0;
    char *begin = session->bytes, *end = session->bytes + session->held, *newline;
    uint64_t time = now();
    while ((newline = memchr(begin, '\n', (size_t)(end - begin)))) {
        size_t length = (size_t)(newline - begin);
        // Notifications, such as the echoed one of the handshake, are not counted.
        struct slice id = member_of(begin, length, "id");
        if (id.start && !(options.answers && answer_question(session, begin, length, id))) {
            take_answer(begin, length, id, time);
            count++;
        }
        begin = newline + 1;
    }
    session->held = (size_t)(end - begin);
    memmove(session->bytes, begin, session->held);
    return count;
}

static const char *hello(void) {
    static char text[512];
    sprintf(text,
            "{\"jsonrpc\":\"2.0\",\"id\":\"handshake\",\"method\":\"initialize\",\"params\":{\"protocolVersion\":"
            "\"2025-11-25\",\"capabilities\":%s,\"clientInfo\":" CLIENT "}}\n",
            CAPABILITIES);
    return text;
}

static const char ready[] = "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}\n";

// Sends one POST and waits for its response, whose bytes stay in the session's buffer.
static struct response ask(struct session *session, const char *body) {
    char head[most_head_bytes];
    write_all(session->out, head, make_head(head, &session->http, strlen(body)));
    write_all(session->out, body, strlen(body));
    struct response response;
    while (session->held == 0 || !take_response(session->bytes, session->held, &response)) {
        if (!read_more(session)) fail("the server hung up during the handshake");
    }
    if (response.status / 100 != 2) fail("refused: %.*s", (int)session->held, session->bytes);
    session->held = 0;
    return response;
}

static void copy(char *to, size_t capacity, struct slice value) {
    if (value.length >= capacity) fail("too long: %.*s", (int)value.length, value.start);
    if (value.length > 0) memcpy(to, value.start, value.length);
    to[value.length] = 0;
}

static void shake_http_hands(struct session *session) {
    struct response response = ask(session, hello());
    size_t offset = 0;
    struct slice message = next_message(&response, &offset);
    struct slice result = member_of(message.start, message.length, "result");
    if (!result.start) fail("no answer to initialize: %.*s", (int)response.body.length, response.body.start);
    struct slice version = member_of(result.start, result.length, "protocolVersion");
    if (version.length < 2) fail("no protocolVersion: %.*s", (int)result.length, result.start);
    copy(session->http.key, sizeof session->http.key, field(response.head, "mcp-session-id"));
    copy(session->http.version, sizeof session->http.version, (struct slice){version.start + 1, version.length - 2});
    session->http.head_length = 0;
    ask(session, ready);
}

static void shake_hands(struct session *session) {
    if (options.modern) {
        if (http.port) strcpy(session->http.version, "2026-07-28");
        return;
    }
    if (http.port) return shake_http_hands(session);
    write_all(session->out, hello(), strlen(hello()));
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

static struct session connect_http(void) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)http.port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) < 0) {
        fail("port %d: %s", http.port, strerror(errno));
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return (struct session){.in = fd, .out = fd};
}

static struct session connect_session(void) {
    if (options.command) return spawn(options.command);
    return http.port ? connect_http() : connect_unix(options.unix_path);
}

// One more connection of a session.
static struct session connect_again(const struct session *session) {
    struct session another = connect_http();
    another.http = session->http;
    return another;
}

// Opens a GET stream and waits for its head.
static void listen_on(struct session *stream) {
    char head[most_head_bytes];
    write_all(stream->out, head, begin_head(head, &stream->http, false));
    while (stream->held == 0 || !memmem(stream->bytes, stream->held, "\r\n\r\n", 4)) {
        if (!read_more(stream)) fail("the server hung up instead of a GET stream");
    }
    if (atoi(stream->bytes + 9) != 200) fail("no GET stream: %.*s", (int)stream->held, stream->bytes);
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
        } else if (strcmp(option, "--http") == 0 && valued) {
            http.port = (int)number(argv[++i], 1, 65535, option);
        } else if (strcmp(option, "--path") == 0 && valued) {
            http.path = argv[++i];
        } else if (strcmp(option, "--token") == 0 && valued) {
            http.token = argv[++i];
        } else if (strcmp(option, "--streams") == 0) {
            options.streams = true;
        } else if (strcmp(option, "--modern") == 0) {
            options.modern = http.modern = true;
        } else if (strcmp(option, "--answer") == 0) {
            options.answers = true;
        } else {
            fail("'%s' is no option, or lacks its value; see the head of driver.c", option);
        }
    }
    bool child = options.command && options.command[0];
    if (child + (options.unix_path != NULL) + (http.port != 0) != 1) {
        fail("give one of '-- COMMAND', '--unix PATH' and '--http PORT'");
    }
    if (child && options.sessions > 1) fail("a child has one session; give '--unix PATH' or '--http PORT' for more");
    if (!child && options.pid == 0) fail("give '--pid PID' with '--unix PATH' or '--http PORT'");
    if (options.answers && http.port) fail("questions are not answered over HTTP: give '--unix PATH'");
    if (options.modern && options.streams) fail("the modern era has no GET streams");
    if (options.streams && !http.port) fail("only sessions over HTTP have streams: give '--http PORT'");
    if (strlen(http.path) + (http.token ? strlen(http.token) : 0) > most_head_bytes / 2) fail("path or token too long");
}

// Keeps every connection's calls in flight until all are answered.
static uint64_t run_calls(struct session *sessions, size_t count, size_t outstanding, uint64_t *cpu_before) {
    int poller = epoll_create1(EPOLL_CLOEXEC);
    for (size_t i = 0; i < count; i++) {
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = &sessions[i]};
        if (epoll_ctl(poller, EPOLL_CTL_ADD, sessions[i].in, &event) < 0) fail("epoll_ctl: %s", strerror(errno));
        send_calls(&sessions[i], outstanding);
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
            size_t taken = take_answers(session);
            if (taken > 0 && next_id < total) send_calls(session, taken);
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
    // Over HTTP there is a connection for each call at once, and one for the stream.
    size_t each = http.port ? options.outstanding : 1, connections = options.sessions * each;
    struct session *sessions = calloc(connections, sizeof *sessions), *streams = NULL;
    if (options.streams) streams = calloc(options.sessions, sizeof *streams);
    if (!sent_at || !latencies || !sessions || (options.streams && !streams)) fail("out of memory");

    uint64_t begin = now(), first_response = 0;
    for (size_t i = 0; i < connections; i++) {
        if (i % each > 0) {
            sessions[i] = connect_again(&sessions[i - 1]);
            continue;
        }
        sessions[i] = connect_session();
        shake_hands(&sessions[i]);
        if (i == 0) first_response = now() - begin;
        if (!options.streams) continue;
        streams[i / each] = connect_again(&sessions[i]);
        listen_on(&streams[i / each]);
    }
    long idle = resident_kb(options.pid);
    if (options.idle) {
        printf("{\"sessions\": %zu, \"rss_idle_kb\": %ld}\n", options.sessions, idle);
        return 0;
    }

    uint64_t cpu_before, start;
    start = run_calls(sessions, connections, http.port ? 1 : options.outstanding, &cpu_before);
    uint64_t elapsed = now() - start, cpu = cpu_time(options.pid) - cpu_before;
    long loaded = resident_kb(options.pid);
    qsort(latencies, options.calls, sizeof *latencies, by_size);
    double calls = (double)options.calls;
    printf("{\"first_response_ms\": %.3f, \"p50_us\": %.3f, \"p99_us\": %.3f, \"rate\": %.0f, "
           "\"cpu_us_per_call\": %.3f, \"rss_idle_kb\": %ld, \"rss_loaded_kb\": %ld}\n",
           (double)first_response / 1e6, (double)latencies[options.calls / 2] / 1e3,
           (double)latencies[options.calls * 99 / 100] / 1e3, calls / ((double)elapsed / 1e9),
           (double)cpu / 1e3 / calls, idle, loaded);

    for (size_t i = 0; i < connections; i++) close(sessions[i].out);
    int status = 0;
    if (options.command && waitpid(options.pid, &status, 0) == options.pid && status != 0) {
        fail("'%s' did not end cleanly: wait status %d", options.command[0], status);
    }
    return 0;
}
