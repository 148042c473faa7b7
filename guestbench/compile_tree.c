#define _GNU_SOURCE
#include "compile_tree.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "core/random.h"

enum { STEPS = 6, HEADER_LINES = 12 };

/* A step of a generated function and what it computes. */
static uint32_t step(FILE *out, int kind, uint32_t a, uint32_t x)
{
    switch (kind) {
    case 0: fprintf(out, "    x = x * %uu + %uu;\n", a | 1, a >> 7); return x * (a | 1) + (a >> 7);
    case 1: fprintf(out, "    x ^= x >> %u;\n", a % 15 + 1); return x ^ x >> (a % 15 + 1);
    case 2:
        fprintf(out, "    x = x << %u | x >> %u;\n", a % 31 + 1, 31 - a % 31);
        return x << (a % 31 + 1) | x >> (31 - a % 31);
    case 3:
        fprintf(out, "    if (x & %uu)\n        x -= %uu;\n    else\n        x += %uu;\n",
                1u << a % 32, a >> 3, a >> 5);
        return x & 1u << a % 32 ? x - (a >> 3) : x + (a >> 5);
    default:
        fprintf(out, "    for (int i = 0; i < %u; i++)\n        x += x >> 3 ^ %uu;\n", a % 7, a);
        for (uint32_t i = 0; i < a % 7; i++)
            x += x >> 3 ^ a;
        return x;
    }
}

static uint32_t write_function(FILE *out, uint64_t *random, int file, int index, uint32_t x)
{
    fprintf(out, "\nstatic unsigned part_%d_%d(unsigned x)\n{\n", file, index);
    for (int i = 0; i < STEPS; i++) {
        int kind = (int)random_below(random, 5);
        x = step(out, kind, (uint32_t)(random_next(random) >> 32), x);
    }
    fprintf(out, "    return x;\n}\n");
    return x;
}

/* 25 to 60 headers, none twice: every k-th from a start, k without a common factor with their number. */
static void write_includes(FILE *out, struct tree *tree, uint64_t *random)
{
    int count = TREE_INCLUDES_LEAST +
                (int)random_below(random, TREE_INCLUDES_MOST - TREE_INCLUDES_LEAST + 1);
    int at = (int)random_below(random, (uint32_t)tree->headers);
    for (int i = 0; i < count; i++) {
        fprintf(out, "#include <header%04d.h>\n", at);
        at = (at + 1) % tree->headers;
    }
    tree->include_count += (uint64_t)count;
}

static int finish_file(FILE *out, struct tree *tree)
{
    long bytes = ftell(out);
    bool good = !ferror(out);
    tree->bytes += bytes > 0 ? (uint64_t)bytes : 0;
    return fclose(out) == 0 && good ? 0 : -1;
}

/* One source: functions and an entry that runs them one after another. */
static int write_source(struct tree *tree, int file)
{
    uint64_t random = tree->seed + 1000003u * (uint64_t)(file + 1);
    char path[TREE_PATH_MAX];
    tree_source_path(file, path);
    FILE *out = fopen(path, "we");
    if (!out)
        return -1;
    write_includes(out, tree, &random);
    uint32_t x = tree->result;
    for (int i = 0; i < TREE_FUNCTIONS; i++)
        x = write_function(out, &random, file, i, x);
    fprintf(out, "\nunsigned entry_%d(unsigned x)\n{\n", file);
    for (int i = 0; i < TREE_FUNCTIONS; i++)
        fprintf(out, "    x = part_%d_%d(x);\n", file, i);
    fprintf(out, "    return x;\n}\n");
    tree->result = x;
    return finish_file(out, tree);
}

/* Header i lies in the last directories of the -I path more often than not: most look-ups miss. */
static int write_header(struct tree *tree, int i)
{
    char path[TREE_PATH_MAX];
    snprintf(path, sizeof path, "include%d/header%04d.h", i % TREE_HEADER_DIRS, i);
    FILE *out = fopen(path, "we");
    if (!out)
        return -1;
    fprintf(out, "#ifndef HEADER%04d_H\n#define HEADER%04d_H\n\n", i, i);
    for (int line = 0; line < HEADER_LINES; line++)
        fprintf(out,
                "#define LIMIT_%d_%d %d\n"
                "struct item_%d_%d { struct item_%d_%d *next; unsigned state, count[%d]; };\n"
                "extern unsigned handle_%d_%d(struct item_%d_%d *item, unsigned flags);\n",
                i, line, i + line, i, line, i, line, 4 + line, i, line, i, line);
    fprintf(out, "\n#endif\n");
    return finish_file(out, tree);
}

/* Starts without a C library; the two ABIs differ in how the kernel is called. */
static const char start_text[] =
    "\nstatic unsigned run(void);\n"
    "static void digits(unsigned value, char *text)\n{\n"
    "    for (int i = 7; i >= 0; i--, value >>= 4)\n"
    "        text[i] = \"0123456789abcdef\"[value & 15];\n    text[8] = '\\n';\n}\n"
    "static long call(long number, long a, long b, long c)\n{\n    long result;\n"
    "#ifdef __x86_64__\n"
    "    __asm__ volatile(\"syscall\" : \"=a\"(result)\n"
    "                     : \"0\"(number), \"D\"(a), \"S\"(b), \"d\"(c)\n"
    "                     : \"rcx\", \"r11\", \"memory\");\n"
    "#else\n"
    "    __asm__ volatile(\"int $0x80\" : \"=a\"(result)\n"
    "                     : \"0\"(number), \"b\"(a), \"c\"(b), \"d\"(c) : \"memory\");\n"
    "#endif\n    return result;\n}\n"
    "void _start(void)\n{\n    char text[9];\n    digits(run(), text);\n"
    "#ifdef __x86_64__\n"
    "    call(1, 1, (long)text, 9);\n    call(60, 0, 0, 0);\n"
    "#else\n"
    "    call(4, 1, (long)text, 9);\n    call(1, 0, 0, 0);\n"
    "#endif\n    for (;;)\n        ;\n}\n";

static int write_main(struct tree *tree, uint32_t first)
{
    FILE *out = fopen("main.c", "we");
    if (!out)
        return -1;
    for (int i = 0; i < tree->files; i++)
        fprintf(out, "extern unsigned entry_%d(unsigned x);\n", i);
    fputs(start_text, out);
    fprintf(out, "static unsigned run(void)\n{\n    unsigned x = %uu;\n", first);
    for (int i = 0; i < tree->files; i++)
        fprintf(out, "    x = entry_%d(x);\n", i);
    fprintf(out, "    return x;\n}\n");
    return finish_file(out, tree);
}

static int make_directory(const char *format, int number)
{
    char path[TREE_PATH_MAX];
    snprintf(path, sizeof path, format, number);
    return mkdir(path, 0755) == 0 || errno == EEXIST ? 0 : -1;
}

void tree_source_path(int file, char path[TREE_PATH_MAX])
{
    snprintf(path, TREE_PATH_MAX, "part%02d/file%04d.c", file / TREE_PER_DIR, file);
}

void tree_object_path(int file, char path[TREE_PATH_MAX])
{
    snprintf(path, TREE_PATH_MAX, "part%02d/file%04d.o", file / TREE_PER_DIR, file);
}

int tree_make(struct tree *tree, int files, uint64_t seed)
{
    const uint32_t first = 1;
    int headers = files / 5;
    *tree = (struct tree){.files = files, .seed = seed, .result = first};
    tree->headers = headers > TREE_INCLUDES_MOST ? headers : TREE_INCLUDES_MOST;
    for (int i = 0; i < TREE_HEADER_DIRS; i++) {
        if (make_directory("include%d", i) != 0)
            return -1;
    }
    for (int i = 0; i < tree->headers; i++) {
        if (write_header(tree, i) != 0)
            return -1;
    }
    for (int i = 0; i < files; i++) {
        if ((i % TREE_PER_DIR == 0 && make_directory("part%02d", i / TREE_PER_DIR) != 0) ||
            write_source(tree, i) != 0)
            return -1;
    }
    return write_main(tree, first);
}
