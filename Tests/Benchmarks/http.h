// Just enough HTTP/1.1 for a driver of MCP servers: the requests of Streamable HTTP, and whole responses.
#ifndef BENCHMARKS_HTTP_H
#define BENCHMARKS_HTTP_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "json.h"

enum { most_head_bytes = 1024 };

// Where the server is, and what every request to it names.
static struct {
    int port; // on 127.0.0.1; 0 when the server is no HTTP server
    const char *path, *token;
    bool modern; // every request says what it is: tools/call of echo
} http = {.path = "/mcp"};

struct http_session {
    char key[128], version[32]; // empty before the handshake
    char head[most_head_bytes];
    size_t head_length; // 0 when it has to be made
};

struct response {
    int status;
    struct slice head, body; // the body's chunks are joined
    bool is_stream;
    size_t length; // of all of it as it came
};

// The head of a POST without the number of its body's bytes, or the whole head of a GET.
static inline size_t begin_head(char *at, const struct http_session *session, bool posts) {
    char *start = at;
    at += sprintf(at, "%s %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nAccept: %stext/event-stream\r\n",
                  posts ? "POST" : "GET", http.path, http.port, posts ? "application/json, " : "");
    if (http.token) at += sprintf(at, "Authorization: Bearer %s\r\n", http.token);
    if (session->key[0]) at += sprintf(at, "Mcp-Session-Id: %s\r\n", session->key);
    if (session->version[0]) at += sprintf(at, "MCP-Protocol-Version: %s\r\n", session->version);
    if (http.modern) at += sprintf(at, "Mcp-Method: tools/call\r\nMcp-Name: echo\r\n");
    at += sprintf(at, posts ? "Content-Type: application/json\r\nContent-Length: " : "\r\n");
    return (size_t)(at - start);
}

// The head of a POST with so many bytes of body. What is the same every time is made once.
static inline size_t make_head(char *at, struct http_session *session, size_t body_bytes) {
    if (!session->head_length) session->head_length = begin_head(session->head, session, true);
    memcpy(at, session->head, session->head_length);
    return session->head_length + (size_t)sprintf(at + session->head_length, "%zu\r\n\r\n", body_bytes);
}

// The value of a field; its start is NULL when the head has none.
static inline struct slice field(struct slice head, const char *name) {
    size_t name_length = strlen(name);
    const char *line = head.start, *end = head.start + head.length;
    while ((line = memchr(line, '\n', (size_t)(end - line)))) {
        line++;
        if ((size_t)(end - line) <= name_length || line[name_length] != ':') continue;
        if (strncasecmp(line, name, name_length) != 0) continue;
        const char *value = line + name_length + 1;
        while (*value == ' ') value++;
        return (struct slice){value, strcspn(value, "\r")};
    }
    return (struct slice){NULL, 0};
}

// The number of bytes that chunks take with their end, and of the bytes in them; joins them when told to. 0 when the
// end has not come.
static inline size_t chunks(char *bytes, size_t held, size_t *joined, bool joins) {
    size_t at = 0;
    *joined = 0;
    for (;;) {
        char *newline = memchr(bytes + at, '\n', held - at);
        if (!newline) return 0;
        size_t size = strtoul(bytes + at, NULL, 16);
        at = (size_t)(newline + 1 - bytes);
        if (held - at < size + 2) return 0;
        if (joins) memmove(bytes + *joined, bytes + at, size);
        *joined += size;
        at += size + 2;
        if (size == 0) return at;
    }
}

// The first response in `bytes`. False while it is not whole.
static inline bool take_response(char *bytes, size_t held, struct response *response) {
    char *end = memmem(bytes, held, "\r\n\r\n", 4);
    if (!end) return false;
    char *body = end + 4;
    size_t left = held - (size_t)(body - bytes), joined;
    *response = (struct response){.status = atoi(bytes + 9), .head = {bytes, (size_t)(end + 2 - bytes)}};
    struct slice type = field(response->head, "content-type"), length = field(response->head, "content-length");
    response->is_stream = type.start && strncmp(type.start, "text/event-stream", 17) == 0;
    if (length.start) {
        size_t count = strtoul(length.start, NULL, 10);
        if (left < count) return false;
        response->body = (struct slice){body, count};
        response->length = (size_t)(body - bytes) + count;
    } else if (field(response->head, "transfer-encoding").start) {
        size_t whole = chunks(body, left, &joined, false);
        if (whole == 0) return false;
        chunks(body, whole, &joined, true);
        response->body = (struct slice){body, joined};
        response->length = (size_t)(body - bytes) + whole;
    } else {
        response->length = (size_t)(body - bytes);
    }
    return true;
}

// The next message of a response; its start is NULL behind the last one. `offset` begins with 0.
static inline struct slice next_message(const struct response *response, size_t *offset) {
    const char *start = response->body.start, *end = start + response->body.length;
    if (!response->is_stream) {
        if (*offset > 0 || response->body.length == 0) return (struct slice){NULL, 0};
        *offset = response->body.length;
        return response->body;
    }
    while (start + *offset < end) {
        const char *line = start + *offset, *newline = memchr(line, '\n', (size_t)(end - line));
        size_t length = newline ? (size_t)(newline - line) : (size_t)(end - line);
        *offset += length + 1;
        if (length > 7 && memcmp(line, "data: {", 7) == 0) return (struct slice){line + 6, length - 6};
    }
    return (struct slice){NULL, 0};
}

#endif
