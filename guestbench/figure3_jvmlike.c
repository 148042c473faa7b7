/*
 * Figure 3: what a Java machine adds to SciMark that a hypervisor can notice.
 * Every few milliseconds of work the machine code of the kernel is copied to
 * fresh pages that are then made executable, as a just-in-time compiler does,
 * and a heap that is filled by bumping a pointer gives all its pages back when
 * it is full, as a copying collector does. There is no Java in it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/bench.h"
#include "scimark_work.h"

enum {
    HEAP_BYTES = 32 << 20,
    OBJECT_BYTES = 64,
    RUN_FLOPS = 2000000,      /* between two installations of the code */
    FLOPS_PER_HEAP_BYTE = 16, /* 64 MB for each 10^9 operations */
};

/* The linker's names for the ends of each kernel's section. */
#define CODE(name) extern const char __start_code_##name[], __stop_code_##name[]
CODE(scimark_fft);
CODE(scimark_sor);
CODE(scimark_mc);
CODE(scimark_sparse);
CODE(scimark_lu);

static const struct code {
    const char *start, *end;
    scimark_kernel *kernel;
} codes[] = {
    [SCIMARK_FFT] = {__start_code_scimark_fft, __stop_code_scimark_fft, scimark_fft},
    [SCIMARK_SOR] = {__start_code_scimark_sor, __stop_code_scimark_sor, scimark_sor},
    [SCIMARK_MC] = {__start_code_scimark_mc, __stop_code_scimark_mc, scimark_mc},
    [SCIMARK_SPARSE] = {__start_code_scimark_sparse, __stop_code_scimark_sparse, scimark_sparse},
    [SCIMARK_LU] = {__start_code_scimark_lu, __stop_code_scimark_lu, scimark_lu},
};

static struct scimark_work work;
static uint64_t turns;    /* between two installations */
static size_t code_bytes; /* whole pages */
static char *heap;
static size_t heap_used;
static size_t heap_part; /* allocated with each installation */
static uint64_t collections;

/* New pages with a copy of the kernel's code; NULL with errno set. */
static char *install_code(const struct code *code)
{
    size_t size = (size_t)(code->end - code->start);
    char *pages =
        mmap(NULL, code_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED)
        return NULL;
    memcpy(pages, code->start, size);
    if (mprotect(pages, code_bytes, PROT_READ | PROT_EXEC) == 0)
        return pages;
    int error = errno;
    munmap(pages, code_bytes);
    errno = error;
    return NULL;
}

/* Each object begins with its own address and has a zeroed field behind it. */
static void allocate(struct bench_run *run)
{
    for (size_t left = heap_part; left >= OBJECT_BYTES; left -= OBJECT_BYTES) {
        if (heap_used + OBJECT_BYTES > HEAP_BYTES) {
            if (madvise(heap, HEAP_BYTES, MADV_DONTNEED) != 0)
                bench_fail(run, errno, "cannot give the heap's pages back");
            heap_used = 0;
            collections++;
        }
        char *volatile *object = (char *volatile *)(void *)(heap + heap_used);
        object[0] = heap + heap_used;
        object[1] = NULL;
        heap_used += OBJECT_BYTES;
    }
}

static void map_heap(struct bench_run *run)
{
    heap = mmap(NULL, HEAP_BYTES, PROT_READ | PROT_WRITE,
                MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (heap == MAP_FAILED)
        bench_fail(run, errno, "cannot map a heap of %d MiB", HEAP_BYTES >> 20);
}

static void jvmlike_setup(struct bench_run *run)
{
    enum scimark_which which = (enum scimark_which)run->bench->param;
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    const struct code *code = &codes[which];
    if (!scimark_make(&work, which, false))
        bench_fail(run, 0, "no memory for the data");
    map_heap(run);
    code_bytes = ((size_t)(code->end - code->start) + page - 1) / page * page;
    turns = (uint64_t)(RUN_FLOPS / work.flops) + 1;
    double flops = work.flops * (double)turns;
    heap_part = (size_t)(flops / FLOPS_PER_HEAP_BYTE) / OBJECT_BYTES * OBJECT_BYTES;
    run->ops = flops / 1e6;
    char *pages = install_code(code);
    if (!pages)
        bench_skip(run, "the kernel does not let written pages become code: %s", strerror(errno));
    munmap(pages, code_bytes);
    bench_fact_number(run, "code_bytes", (double)(code->end - code->start), 0);
    bench_fact_number(run, "heap_kib_per_iter", (double)heap_part / 1024, 3);
}

static void jvmlike_iter(struct bench_run *run, uint64_t n)
{
    const struct code *code = &codes[run->bench->param];
    for (; n > 0; n--) {
        char *pages = install_code(code);
        if (!pages)
            bench_fail(run, errno, "cannot install code");
        scimark_kernel *copy =
            (scimark_kernel *)(void *)(pages + ((const char *)(void *)code->kernel - code->start));
        copy(&work.s, turns);
        allocate(run);
        munmap(pages, code_bytes);
    }
}

/* The numbers are right, and every object that lives is where it was put. */
static void jvmlike_verify(struct bench_run *run)
{
    struct scimark_error error = {0, 0};
    if (!scimark_check(&work, run->done * turns, &error))
        bench_mismatch(run, error.expected, error.got);
    for (size_t at = 0; at < heap_used; at += OBJECT_BYTES) {
        char *const *object = (char *const *)(void *)(heap + at);
        if (object[0] != heap + at || object[1])
            bench_mismatch(run, (double)(uintptr_t)(heap + at), (double)(uintptr_t)object[0]);
    }
}

static void jvmlike_teardown(struct bench_run *run)
{
    if (run->result->status == RESULT_OK)
        bench_fact_number(run, "heap_collections", (double)collections, 0);
}

#define JVMLIKE(id, index)                                                                         \
    {                                                                                              \
        .name = "jvmlike." id, .table = "figure3", .unit = "MFLOPS", .flags = BENCH_SOURCE,        \
        .what = "scimark." id " with code made anew and a heap", .setup = jvmlike_setup,           \
        .iter = jvmlike_iter, .verify = jvmlike_verify, .teardown = jvmlike_teardown,              \
        .param = index                                                                             \
    }

static const struct bench jvmlike[] = {
    JVMLIKE("fft", SCIMARK_FFT),
    JVMLIKE("sor", SCIMARK_SOR),
    JVMLIKE("mc", SCIMARK_MC),
    JVMLIKE("sparse", SCIMARK_SPARSE),
    JVMLIKE("lu", SCIMARK_LU),
    {.name = "jvmlike.composite",
     .table = "figure3",
     .unit = "MFLOPS",
     .what = "mean of the five",
     .mean_of = "jvmlike.fft,jvmlike.sor,jvmlike.mc,jvmlike.sparse,jvmlike.lu"},
};

BENCH_TABLE(jvmlike);
