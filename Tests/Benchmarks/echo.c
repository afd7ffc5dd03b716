// A small MCP server on stdio that answers as fast as C can, one write per message.
//
//   echo [--log FILE] [--batch] [--reflect] [--stay] [--modern] [--ask] [--result-bytes N]
//
// It answers initialize, ping, tools/list and tools/call; any other request gets -32601. The id is echoed exactly as
// it came. A tools/call is answered with about 300 bytes. With --log every received line is appended to FILE before
// it is answered, so FILE proves what has arrived. With --batch the answers to one read leave in one write. With
// --reflect a tools/call is answered with its own params as structuredContent, so that a crossed answer shows. With
// --stay it does not end at the end of its input, so that it is an orphan unless somebody ends it. With --modern it
// speaks revision 2026-07-28 and nothing else. With --ask the client is asked a question during each tools/call.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "json.h"

static int log_fd = -1;
static bool batching, reflecting, staying, modern, asking;
static char *out;
static size_t out_length, out_capacity;
static char *payload;

static void die(const char *what) {
    fprintf(stderr, "echo: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void write_all(int fd, const char *bytes, size_t length) {
    while (length > 0) {
        ssize_t written = write(fd, bytes, length);
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) die("write");
        bytes += written;
        length -= (size_t)written;
    }
}

static void flush_out(void) {
    write_all(1, out, out_length);
    out_length = 0;
}

static void append(const char *bytes, size_t length) {
    if (out_length + length > out_capacity) {
        out_capacity = (out_length + length) * 2;
        out = realloc(out, out_capacity);
        if (!out) die("realloc");
    }
    memcpy(out + out_length, bytes, length);
    out_length += length;
}

static void append_text(const char *text) { append(text, strlen(text)); }

static void begin_answer(struct slice id) {
    append_text("{\"jsonrpc\":\"2.0\",\"id\":");
    append(id.start, id.length);
}

static void end_answer(void) {
    append_text("}\n");
    if (!batching) flush_out();
}

static void answer(struct slice id, const char *member, const char *value) {
    begin_answer(id);
    append_text(",\"");
    append_text(member);
    append_text("\":");
    append_text(value);
    end_answer();
}

static void reflect(struct slice id, struct slice params) {
    begin_answer(id);
    append_text(",\"result\":{\"content\":[],\"structuredContent\":");
    append(params.start, params.length);
    append_text("}");
    end_answer();
}

#define TOOL(name) "{\"name\":\"" name "\",\"description\":\"echo\",\"inputSchema\":{\"type\":\"object\"}}"

// What every modern result has: its type, and who the server is.
#define COMPLETE "\"resultType\":\"complete\",\"_meta\":{\"io.modelcontextprotocol/serverInfo\":" SERVER "}"
#define NOT_KEPT "\"ttlMs\":0,\"cacheScope\":\"private\""
#define SERVER "{\"name\":\"echo\",\"version\":\"1\"}"
#define QUESTION "\"method\":\"elicitation/create\",\"params\":{\"message\":\"Sure?\",\"requestedSchema\":" SCHEMA "}"
#define SCHEMA "{\"type\":\"object\",\"properties\":{\"sure\":{\"type\":\"boolean\"}}}"

// In the legacy era a question has the id of its call, so that nothing need be kept.
static void ask(struct slice id) {
    if (modern) {
        answer(id, "result",
               "{\"resultType\":\"input_required\",\"requestState\":\"asked\",\"inputRequests\":"
               "{\"sure\":{" QUESTION "}}}");
    } else {
        begin_answer(id);
        append_text("," QUESTION);
        end_answer();
    }
}

// Whether the client has yet to be asked.
static bool is_question_due(const char *line, size_t length) {
    struct slice params = member_of(line, length, "params");
    return asking && !(modern && member_of(params.start, params.length, "inputResponses").start);
}

static void handle_modern(struct slice id, struct slice method) {
    if (equals(method, "\"server/discover\"")) {
        answer(id, "result",
               "{\"supportedVersions\":[\"2026-07-28\"],\"capabilities\":{\"tools\":{}}," NOT_KEPT "," COMPLETE "}");
    } else if (equals(method, "\"tools/list\"")) {
        answer(id, "result", "{\"tools\":[" TOOL("echo") "," TOOL("danger") "]," NOT_KEPT "," COMPLETE "}");
    } else if (equals(method, "\"initialize\"")) {
        answer(id, "error",
               "{\"code\":-32022,\"message\":\"unsupported protocol version\",\"data\":"
               "{\"supported\":[\"2026-07-28\"]}}");
    } else {
        answer(id, "error", "{\"code\":-32601,\"message\":\"method not found\"}");
    }
}

static void handle(const char *line, size_t length) {
    if (log_fd >= 0) write_all(log_fd, line, length + 1);
    struct slice id = member_of(line, length, "id");
    struct slice method = member_of(line, length, "method");
    if (id.start && asking && member_of(line, length, "result").start) answer(id, "result", payload);
    if (!id.start || !method.start) return;
    if (equals(method, "\"tools/call\"") && reflecting) {
        reflect(id, member_of(line, length, "params"));
    } else if (equals(method, "\"tools/call\"") && is_question_due(line, length)) {
        ask(id);
    } else if (equals(method, "\"tools/call\"")) {
        answer(id, "result", payload);
    } else if (modern) {
        handle_modern(id, method);
    } else if (equals(method, "\"initialize\"")) {
        answer(id, "result",
               "{\"protocolVersion\":\"2025-11-25\",\"capabilities\":{\"tools\":{}},"
               "\"serverInfo\":{\"name\":\"echo\",\"version\":\"1\"}}");
    } else if (equals(method, "\"tools/list\"")) {
        answer(id, "result", "{\"tools\":[" TOOL("echo") "," TOOL("danger") "]}");
    } else if (equals(method, "\"ping\"")) {
        answer(id, "result", "{}");
    } else {
        answer(id, "error", "{\"code\":-32601,\"message\":\"method not found\"}");
    }
}

// The whole response line has about `bytes` bytes; a modern one has what its era demands besides.
static void make_payload(size_t bytes) {
    static const char head[] = "{\"content\":[{\"type\":\"text\",\"text\":\"";
    static const char tail[] = "\"}],\"isError\":false}", modern_tail[] = "\"}],\"isError\":false," COMPLETE "}";
    size_t around = sizeof head + sizeof tail + 34;
    size_t filler = bytes > around ? bytes - around : 0;
    payload = malloc(sizeof head + sizeof modern_tail + filler);
    if (!payload) die("malloc");
    char *end = payload;
    end = mempcpy(end, head, sizeof head - 1);
    memset(end, 'x', filler);
    strcpy(end + filler, modern ? modern_tail : tail);
}

int main(int argc, char **argv) {
    size_t result_bytes = 300;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--batch") == 0) {
            batching = true;
        } else if (strcmp(argv[i], "--reflect") == 0) {
            reflecting = true;
        } else if (strcmp(argv[i], "--stay") == 0) {
            staying = true;
        } else if (strcmp(argv[i], "--modern") == 0) {
            modern = true;
        } else if (strcmp(argv[i], "--ask") == 0) {
            asking = true;
        } else if (strcmp(argv[i], "--log") == 0 && i + 1 < argc) {
            log_fd = open(argv[++i], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
            if (log_fd < 0) die(argv[i]);
        } else if (strcmp(argv[i], "--result-bytes") == 0 && i + 1 < argc) {
            result_bytes = strtoul(argv[++i], NULL, 10);
        } else {
            fprintf(stderr, "echo: '%s' is no option; see the head of echo.c\n", argv[i]);
            return 2;
        }
    }
    make_payload(result_bytes);
    size_t capacity = 1 << 16, held = 0, searched = 0;
    char *buffer = malloc(capacity);
    if (!buffer) die("malloc");
    for (;;) {
        if (held == capacity) {
            capacity *= 2;
            buffer = realloc(buffer, capacity);
            if (!buffer) die("realloc");
        }
        ssize_t got = read(0, buffer + held, capacity - held);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) die("read");
        if (got == 0) {
            while (staying) pause();
            return 0;
        }
        held += (size_t)got;
        size_t begin = 0;
        char *newline;
        while ((newline = memchr(buffer + searched, '\n', held - searched))) {
            size_t end = (size_t)(newline - buffer);
            handle(buffer + begin, end - begin);
            begin = searched = end + 1;
        }
        if (batching && out_length > 0) flush_out();
        memmove(buffer, buffer + begin, held - begin);
        held -= begin;
        searched = held;
    }
}
