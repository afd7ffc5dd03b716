// What a gateway costs at least: starts the upstream and passes whole lines both ways with poll(2), looking at nothing.
//
//   relay COMMAND [ARGUMENT…]
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

// One direction: what was read and not yet written.
struct way {
    int from, to;
    char *bytes;
    size_t capacity, begin, end; // bytes[begin..<end] is held
    size_t lines_end;            // bytes[begin..<lines_end] is whole lines
    bool ended;
};

static void die(const char *what) {
    fprintf(stderr, "relay: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void fill(struct way *way) {
    if (way->begin == way->end) way->begin = way->end = way->lines_end = 0;
    if (way->end == way->capacity && way->begin > 0) {
        memmove(way->bytes, way->bytes + way->begin, way->end - way->begin);
        way->end -= way->begin;
        way->lines_end -= way->begin;
        way->begin = 0;
    }
    if (way->end == way->capacity) {
        way->capacity *= 2;
        way->bytes = realloc(way->bytes, way->capacity);
        if (!way->bytes) die("realloc");
    }
    ssize_t got = read(way->from, way->bytes + way->end, way->capacity - way->end);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got <= 0) {
        way->ended = true;
        return;
    }
    char *newline = memrchr(way->bytes + way->end, '\n', (size_t)got);
    way->end += (size_t)got;
    if (newline) way->lines_end = (size_t)(newline - way->bytes) + 1;
}

static void drain(struct way *way) {
    while (way->begin < way->lines_end) {
        ssize_t written = write(way->to, way->bytes + way->begin, way->lines_end - way->begin);
        if (written < 0 && errno == EAGAIN) return;
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) {
            way->ended = true;
            return;
        }
        way->begin += (size_t)written;
    }
}

static struct way make_way(int from, int to) {
    struct way way = {.from = from, .to = to, .capacity = 1 << 16};
    way.bytes = malloc(way.capacity);
    if (!way.bytes) die("malloc");
    fcntl(from, F_SETFL, fcntl(from, F_GETFL) | O_NONBLOCK);
    fcntl(to, F_SETFL, fcntl(to, F_GETFL) | O_NONBLOCK);
    return way;
}

int main(int argc, char **argv) {
    if (argc < 2) {
        fprintf(stderr, "relay: no command; usage: relay COMMAND [ARGUMENT...]\n");
        return 2;
    }
    int in[2], out[2];
    if (pipe2(in, O_CLOEXEC) < 0 || pipe2(out, O_CLOEXEC) < 0) die("pipe2");
    pid_t child = fork();
    if (child < 0) die("fork");
    if (child == 0) {
        dup2(in[0], 0);
        dup2(out[1], 1);
        execvp(argv[1], argv + 1);
        die(argv[1]);
    }
    close(in[0]);
    close(out[1]);
    struct way up = make_way(0, in[1]), down = make_way(out[0], 1);
    while (!down.ended) {
        struct pollfd fds[4] = {
            {.fd = up.ended ? -1 : up.from, .events = POLLIN},
            {.fd = down.from, .events = POLLIN},
            {.fd = up.begin < up.lines_end ? up.to : -1, .events = POLLOUT},
            {.fd = down.begin < down.lines_end ? down.to : -1, .events = POLLOUT},
        };
        if (poll(fds, 4, -1) < 0 && errno != EINTR) die("poll");
        if (fds[0].revents) fill(&up);
        if (fds[1].revents) fill(&down);
        drain(&up);
        drain(&down);
        if (up.ended && up.to >= 0 && up.begin == up.lines_end) {
            close(up.to);
            up.to = -1;
        }
    }
    waitpid(child, NULL, 0);
    return 0;
}
