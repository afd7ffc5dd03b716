// Just enough JSON for programs that only talk to each other: the members of a well-formed object at its top level.
#ifndef BENCHMARKS_JSON_H
#define BENCHMARKS_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

// Bytes within a line; `start` is NULL when there are none.
struct slice {
    const char *start;
    size_t length;
};

static inline bool equals(struct slice slice, const char *text) {
    return slice.length == strlen(text) && memcmp(slice.start, text, slice.length) == 0;
}

// Just past the string that begins at `at`, which is its quote.
static inline const char *past_string(const char *at, const char *end) {
    for (at++; at < end && *at != '"'; at++) {
        if (*at == '\\') at++;
    }
    return at < end ? at + 1 : end;
}

static inline bool is_space(char byte) { return byte == ' ' || byte == '\t' || byte == '\r'; }

// Just past the value that begins at `at`.
static inline const char *past_value(const char *at, const char *end) {
    int depth = 0;
    while (at < end) {
        if (*at == '"') {
            at = past_string(at, end);
            if (depth == 0) return at;
            continue;
        }
        if (*at == '{' || *at == '[') depth++;
        if (*at == '}' || *at == ']') {
            if (depth == 0) return at;
            if (--depth == 0) return at + 1;
        }
        if (depth == 0 && (*at == ',' || is_space(*at))) return at;
        at++;
    }
    return end;
}

// The value of the top-level member `name` of the object in `line`, with its quotes; none when it is absent.
static inline struct slice member_of(const char *line, size_t length, const char *name) {
    const char *at = line, *end = line + length;
    size_t name_length = strlen(name);
    while (at < end && *at != '{') at++;
    for (at++; at < end; at++) {
        while (at < end && *at != '"' && *at != '}') at++;
        if (at >= end || *at == '}') break;
        const char *key = at + 1;
        at = past_string(at, end);
        size_t key_length = (size_t)(at - key) - 1;
        while (at < end && (*at == ':' || is_space(*at))) at++;
        const char *value = at;
        at = past_value(at, end);
        if (key_length == name_length && memcmp(key, name, name_length) == 0) {
            return (struct slice){value, (size_t)(at - value)};
        }
        while (at < end && *at != ',') {
            if (*at == '}') return (struct slice){NULL, 0};
            at++;
        }
    }
    return (struct slice){NULL, 0};
}

#endif
