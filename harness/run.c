#include "run.h"
#include "child.h"
#include "demux.h"
#include "host_cpu.h"
#include "progress.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

struct run {
    struct outset *out;
    const struct limits *limits;
    struct run_result *result;
    struct stream stream;
    struct buf log_line;
    struct demux demux;
    bool mixed;   // the log comes on the console
    char *hv_end; // `end=` of the hypervisor's last record
    struct progress progress;
    int console, log, monitor, signals; // our ends
    pid_t pid;
    bool ended;
    int wait_status;
    double started_s, heard_s;
};

static int to_tap(void *self, const char *line, size_t len)
{
    return outset_write(((struct run *)self)->out, out_tap, line, len);
}

static int to_console(void *self, const char *line, size_t len)
{
    return outset_write(((struct run *)self)->out, out_console, line, len);
}

static void on_point(void *self, const struct stream *stream)
{
    struct run *run = self;
    progress_show(&run->progress, stream->points, stream->plan, stream->last_point);
}

// One line of the log port. A line that is no record is text for people; where the machine ends
// because of bad input, the last one before the end names it.
static int take_log_line(struct run *run, const char *line, size_t len)
{
    struct run_result *result = run->result;
    int rc = outset_write(run->out, out_log, line, len);
    static const char end[] = "@hv end end=";
    bool record = !strncmp(line, "@hv ", 4);
    if (!strncmp(line, end, sizeof(end) - 1)) {
        free(run->hv_end);
        run->hv_end = xstrndup(line + sizeof(end) - 1, strcspn(line + sizeof(end) - 1, " \n"));
    }
    if (record && !rc)
        rc = outset_write(run->out, out_records, line, len);
    size_t text = strcspn(line, "\n");
    if (!text)
        return rc;
    free(result->last_log);
    result->last_log = xstrndup(line, text);
    if (!record) {
        free(result->config_line);
        result->config_line = xstrndup(line, text);
    }
    return rc;
}

static int take_log(struct run *run, const char *data, size_t len)
{
    struct buf *line = &run->log_line;
    for (size_t i = 0; i < len; i++) {
        if (data[i] != '\r')
            buf_add(line, data[i] ? &data[i] : "?", 1);
        if (data[i] != '\n')
            continue;
        int rc = take_log_line(run, line->data, line->len);
        line->len = 0;
        if (rc)
            return rc;
    }
    return 0;
}

static int take_mixed(struct run *run, const char *data, size_t len)
{
    struct buf console = {0}, log = {0};
    demux_take(&run->demux, data, len, &console, &log);
    int rc = console.len ? stream_take(&run->stream, console.data, console.len) : 0;
    if (!rc && log.len)
        rc = take_log(run, log.data, log.len);
    buf_free(&console);
    buf_free(&log);
    return rc;
}

// Reads one wire. Closes it at its end.
static int hear(struct run *run, int *fd)
{
    char block[16384];
    ssize_t n = read(*fd, block, sizeof(block));
    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return 0;
    if (n <= 0) {
        close(*fd);
        *fd = -1;
        return 0;
    }
    run->heard_s = now_s();
    if (run->mixed)
        return take_mixed(run, block, (size_t)n);
    return fd == &run->console ? stream_take(&run->stream, block, (size_t)n)
                               : take_log(run, block, (size_t)n);
}

static void take_signal(struct run *run)
{
    struct signalfd_siginfo info;
    if (read(run->signals, &info, sizeof(info)) != sizeof(info))
        return;
    if (info.ssi_signo != SIGCHLD)
        run->result->stop = stop_signal;
    else if (waitpid(run->pid, &run->wait_status, WNOHANG) == run->pid)
        run->ended = true;
}

static void check_limits(struct run *run)
{
    double now = now_s();
    if (run->limits->silence_s > 0 && now - run->heard_s > run->limits->silence_s)
        run->result->stop = stop_silence;
    else if (run->limits->total_s > 0 && now - run->started_s > run->limits->total_s)
        run->result->stop = stop_total;
}

// Listens for one turn; false when nothing came within `timeout_ms`.
static bool listen_once(struct run *run, int timeout_ms)
{
    struct pollfd fds[3] = {{.fd = run->console, .events = POLLIN},
                            {.fd = run->log, .events = POLLIN},
                            {.fd = run->signals, .events = POLLIN}};
    if (poll(fds, 3, timeout_ms) <= 0)
        return false;
    if (fds[0].revents && hear(run, &run->console))
        run->result->stop = stop_output;
    if (fds[1].revents && hear(run, &run->log))
        run->result->stop = stop_output;
    if (fds[2].revents)
        take_signal(run);
    return fds[0].revents || fds[1].revents;
}

// A machine that is only listened to has ended when its files have, or when all was said; the record
// of the hypervisor's end comes after the TAP.
static void overhear(struct run *run, enum side side)
{
    enum { last_words_s = 10 };
    struct run_result *result = run->result;
    while ((run->console >= 0 || run->log >= 0) && result->stop == stop_none) {
        listen_once(run, 250);
        progress_tick(&run->progress);
        bool complete = stream_complete(&run->stream);
        double quiet_s = now_s() - run->heard_s;
        if (complete && (run->hv_end || quiet_s > (side == side_hvm ? last_words_s : 2)))
            break;
        if (result->stop == stop_none)
            check_limits(run);
    }
}

static void supervise(struct run *run, const struct engine *engine)
{
    struct run_result *result = run->result;
    while (!run->ended && result->stop == stop_none) {
        listen_once(run, 250);
        progress_tick(&run->progress);
        if (result->stop == stop_none)
            check_limits(run);
    }
    if (!run->ended && (result->stop == stop_silence || result->stop == stop_total) &&
        engine->where)
        result->where = engine->where(run->pid, run->monitor);
    if (!run->ended)
        run->wait_status = child_stop(run->pid, 2);
    // What was sent before the end is still in the sockets.
    while ((run->console >= 0 || run->log >= 0) && result->stop != stop_output &&
           listen_once(run, 0))
        ;
}

static void block_signals(sigset_t *old, int *fd)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGCHLD);
    sigprocmask(SIG_BLOCK, &set, old);
    signal(SIGPIPE, SIG_IGN);
    *fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static void wire(const struct engine *engine, int *ours, int *theirs)
{
    int pair[2];
    if (engine->pipes ? pipe2(pair, O_CLOEXEC)
                      : socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
        die(2, "cannot make the machine's ports: %s", strerror(errno));
    *ours = pair[0];
    *theirs = pair[1];
}

static int start(struct run *run, const struct engine *engine, struct job *job)
{
    struct words argv = {0};
    wire(engine, &run->console, &job->wires.console);
    wire(engine, &run->log, &job->wires.log);
    wire(engine, &run->monitor, &job->wires.monitor);
    const int keep[] = {job->wires.console, job->wires.log, job->wires.monitor};
    int rc = engine->command(job, &argv);
    if (!rc) {
        char *command = words_join(&argv);
        struct buf fact = {0};
        facts_print(&fact, "command", command);
        rc = outset_write(run->out, out_facts, fact.data, fact.len);
        buf_free(&fact);
        free(command);
    }
    if (!rc) {
        cpu_set_t cpu;
        bool one = engine->one_cpu && job->exact && host_cpu_claim(&cpu);
        run->pid = child_start(&(struct child_spec){.argv = &argv,
                                                    .dir = job->dir,
                                                    .keep = keep,
                                                    .n_keep = 3,
                                                    .cpus = one ? &cpu : NULL,
                                                    .output = run->out->fd[out_engine]});
        rc = run->pid < 0 ? -1 : 0;
        if (rc)
            say("cannot start %s: %s", argv.word[0], strerror(errno));
    }
    for (size_t i = 0; i < 3; i++)
        close(keep[i]);
    words_free(&argv);
    return rc;
}

// Last lines without a line feed.
static void take_rest(struct run *run)
{
    struct buf *line = &run->log_line;
    if (run->result->stop != stop_output &&
        (stream_end(&run->stream) || (line->len && take_log_line(run, line->data, line->len))))
        run->result->stop = stop_output;
}

// What the engine left tells how it ended.
static void judge(struct run *run, const struct engine *engine, const struct job *job)
{
    struct run_result *result = run->result;
    take_rest(run);
    result->ending = engine->ending(&(struct remains){.side = job->side,
                                                      .wait_status = run->wait_status,
                                                      .complete = stream_complete(&run->stream),
                                                      .dir = job->dir,
                                                      .hv_end = run->hv_end});
    if (result->where)
        free(result->ending.report);
    else
        result->where = result->ending.report;
    result->ending.report = NULL;
}

static void fill_result(struct run *run)
{
    struct run_result *result = run->result;
    const struct stream *stream = &run->stream;
    result->wall_s = now_s() - run->started_s;
    result->plan = stream->plan;
    result->points = stream->points;
    result->not_ok = stream->not_ok;
    result->complete = stream_complete(stream);
    strcpy(result->last_point, stream->last_point);
    strcpy(result->last_console, stream->last_console);
}

void run_machine(const struct engine *engine, struct job *job, struct outset *out,
                 const struct limits *limits, bool quiet, struct run_result *result)
{
    struct run run = {.out = out, .limits = limits, .result = result};
    run.stream =
        (struct stream){.tap = to_tap, .console = to_console, .point = on_point, .self = &run};
    *result = (struct run_result){0};
    sigset_t old;
    block_signals(&old, &run.signals);
    run.started_s = run.heard_s = now_s();
    progress_begin(&run.progress, job->guest->name, side_name(job->side), quiet);
    run.console = run.log = run.monitor = -1;
    if (engine->open ? engine->open(job, &run.console, &run.log) : start(&run, engine, job)) {
        result->stop = stop_start;
    } else if (engine->open) {
        run.mixed = run.log < 0 && job->side == side_hvm;
        overhear(&run, job->side);
        judge(&run, engine, job);
    } else {
        supervise(&run, engine);
        judge(&run, engine, job);
    }
    progress_end(&run.progress);
    fill_result(&run);
    const int ours[] = {run.console, run.log, run.monitor, run.signals};
    for (size_t i = 0; i < sizeof(ours) / sizeof(*ours); i++)
        if (ours[i] >= 0)
            close(ours[i]);
    stream_free(&run.stream);
    buf_free(&run.log_line);
    free(run.hv_end);
    sigprocmask(SIG_SETMASK, &old, NULL);
}

void run_result_free(struct run_result *result)
{
    free(result->last_log);
    free(result->config_line);
    free(result->where);
    *result = (struct run_result){0};
}
