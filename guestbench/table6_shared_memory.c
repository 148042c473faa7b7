/*
 * Table 6: shared_memory (AIM9): a message is copied into a System V segment
 * and out again, each time under a semaphore.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/sem.h>
#include <sys/shm.h>

#include "ipc_messages.h"

enum { ROUNDS = 100 };

union semun { /* semctl(2) leaves its definition to the caller */
    int val;
    struct semid_ds *buf;
    unsigned short *array;
};

static int segment = -1, semaphore = -1;
static char *memory;

static void remove_objects(void)
{
    if (memory)
        shmdt(memory);
    if (segment >= 0)
        shmctl(segment, IPC_RMID, NULL);
    if (semaphore >= 0)
        semctl(semaphore, 0, IPC_RMID);
    memory = NULL;
    segment = semaphore = -1;
}

/* A private key, where AIM9 takes its process id and may meet another's segment. */
static void make_objects(struct bench_run *run)
{
    union semun one = {.val = 1};
    segment = shmget(IPC_PRIVATE, MESSAGE_MOST, IPC_CREAT | 0600);
    if (segment < 0 && errno == ENOSYS)
        bench_skip(run, "the kernel has no System V IPC");
    if (segment < 0)
        bench_fail(run, errno, "shmget failed");
    semaphore = semget(IPC_PRIVATE, 1, IPC_CREAT | 0600);
    if (semaphore < 0)
        bench_fail(run, errno, "semget failed");
    void *at = shmat(segment, NULL, 0);
    if (at == (void *)-1)
        bench_fail(run, errno, "shmat failed");
    memory = at;
    if (semctl(semaphore, 0, SETVAL, one) != 0)
        bench_fail(run, errno, "semctl failed");
}

static inline void move_semaphore(struct bench_run *run, short by)
{
    struct sembuf step = {.sem_op = by};
    while (semop(semaphore, &step, 1) != 0) {
        if (errno != EINTR)
            bench_fail(run, errno, "semop failed");
    }
}

static void copy_rounds(struct bench_run *run)
{
    for (int round = 0; round < ROUNDS; round++) {
        move_semaphore(run, -1);
        memcpy(memory, message_out, MESSAGE_MOST);
        move_semaphore(run, 1);
        move_semaphore(run, -1);
        memcpy(message_in, memory, MESSAGE_MOST);
        move_semaphore(run, 1);
    }
}

static void shared_setup(struct bench_run *run)
{
    message_prepare(run);
    make_objects(run);
    remove_objects();
}

static void shared_iter(struct bench_run *run, uint64_t n)
{
    for (; n > 0; n--) {
        make_objects(run);
        copy_rounds(run);
        remove_objects();
    }
}

static void shared_steady_setup(struct bench_run *run)
{
    message_prepare(run);
    make_objects(run);
}

static void shared_steady_iter(struct bench_run *run, uint64_t n)
{
    for (; n > 0; n--)
        copy_rounds(run);
}

static void shared_verify(struct bench_run *run)
{
    for (int i = 0; i < MESSAGE_MOST; i++) {
        if (message_in[i] != message_out[i])
            bench_mismatch(run, message_out[i], message_in[i]);
    }
    memset(message_in, 0, sizeof message_in);
}

static void shared_teardown(struct bench_run *run)
{
    (void)run;
    remove_objects();
}

static const struct bench shared[] = {
    {.name = "aim9.shared_memory",
     .table = "6",
     .unit = "ops/s",
     .what = "copies into and out of a shared segment, four semaphore calls each",
     .needs = "SysV-IPC",
     .ops = ROUNDS,
     .setup = shared_setup,
     .iter = shared_iter,
     .verify = shared_verify,
     .teardown = shared_teardown},
    {.name = "aim9.shared_memory_steady",
     .table = "6",
     .unit = "ops/s",
     .what = "the same, the segment made once",
     .needs = "SysV-IPC",
     .ops = ROUNDS,
     .setup = shared_steady_setup,
     .iter = shared_steady_iter,
     .verify = shared_verify,
     .teardown = shared_teardown},
};

BENCH_TABLE(shared);
