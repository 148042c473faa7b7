/*
 * Table 7: string_rtns (AIM9): conversions, character classes and strings by
 * musl. Compiled without builtins, so that each routine is a call.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/bench.h"

enum { LOOPS = 100, SWEPT = 1023, GROWN = 1024, PREDICATES = 11 };

static const char piece[] = "eighteen letters: "; /* 18 of them */
enum { PIECE = sizeof piece - 1, PIECES = (GROWN - 1) / PIECE };

static const double number = 1234.5;
static const long integer = -7654321;
static const time_t moment = 31536000;
static const char moment_text[] = "Fri Jan  1 00:00:00 1971\n";

static struct results {
    double atof, strtod;
    long atol, atoi, strtol;
    unsigned long classes;  /* how many characters were of the classes, in all loops */
    unsigned long compared; /* how often the grown strings were equal, in all loops */
    size_t cat, ncat, copied, cspn, pbrk, rchr, spn, str;
    int coll;
    char moment[32];
} results;

static unsigned char swept[SWEPT];
static char grown[GROWN], twin[GROWN];

static void string_setup(struct bench_run *run)
{
    (void)run;
    setenv("TZ", "UTC0", 1); /* ctime reads no files of time zones */
    tzset();
    for (int i = 0; i < SWEPT; i++)
        swept[i] = (unsigned char)(i % 128);
}

static void convert(void)
{
    char text[32];
    sprintf(text, "%g", number);
    results.atof = atof(text);
    results.strtod = strtod(text, NULL);
    sprintf(text, "%ld", integer);
    results.atol = atol(text);
    results.atoi = atoi(text);
    results.strtol = strtol(text, NULL, 10);
}

__attribute__((noipa)) void string_classes(void);

void string_classes(void)
{
    unsigned long classes = 0;
    for (int i = 0; i < SWEPT; i++) {
        int c = swept[i];
        classes += (isalnum)(c) != 0;
        classes += (isalpha)(c) != 0;
        classes += (iscntrl)(c) != 0;
        classes += (isdigit)(c) != 0;
        classes += (isgraph)(c) != 0;
        classes += (islower)(c) != 0;
        classes += (isprint)(c) != 0;
        classes += (ispunct)(c) != 0;
        classes += (isspace)(c) != 0;
        classes += (isupper)(c) != 0;
        classes += (isxdigit)(c) != 0;
    }
    results.classes += classes;
}

static size_t grow(char *(*append)(char *, const char *, size_t))
{
    grown[0] = twin[0] = '\0';
    for (size_t i = 0; i < PIECES; i++) {
        append(grown, piece, PIECE);
        append(twin, piece, PIECE);
        results.compared += strcmp(grown, twin) == 0;
    }
    return strlen(grown);
}

static char *append_all(char *to, const char *from, size_t n)
{
    (void)n;
    return strcat(to, from);
}

static void compare_and_find(void)
{
    char copy[PIECE + 1];
    strcpy(results.moment, ctime(&moment));
    strncpy(copy, piece, sizeof copy);
    results.copied = strlen(copy);
    results.coll = strcoll(copy, piece);
    results.cspn = strcspn(grown, ":");
    results.pbrk = (size_t)(strpbrk(grown, "tg") - grown);
    results.rchr = (size_t)(strrchr(grown, ':') - grown);
    results.spn = strspn(grown, "eighteen");
    results.str = (size_t)(strstr(grown, "letters") - grown);
}

static void string_iter(struct bench_run *run, uint64_t n)
{
    (void)run;
    for (uint64_t i = n * LOOPS; i > 0; i--) {
        convert();
        string_classes();
        results.cat = grow(append_all);
        results.ncat = grow(strncat);
        compare_and_find();
    }
}

static void expect(struct bench_run *run, double expected, double got)
{
    if (expected != got)
        bench_mismatch(run, expected, got);
}

/* The sizes of the ASCII classes, in the order of string_classes; control characters and DEL. */
static unsigned long classes_of_128(void)
{
    const unsigned sizes[PREDICATES] = {62, 52, 33, 10, 94, 26, 95, 32, 6, 26, 22};
    unsigned long sum = 0;
    for (int i = 0; i < PREDICATES; i++)
        sum += sizes[i];
    return sum;
}

static void string_verify(struct bench_run *run)
{
    double loops = (double)run->done * LOOPS;
    /* eight times 0 to 127, but for the last DEL, which is only a control character */
    expect(run, loops * (double)(8 * classes_of_128() - 1), (double)results.classes);
    expect(run, loops * 2 * PIECES, (double)results.compared);
    expect(run, number, results.atof);
    expect(run, number, results.strtod);
    expect(run, (double)integer, (double)results.atol);
    expect(run, (double)integer, (double)results.atoi);
    expect(run, (double)integer, (double)results.strtol);
    expect(run, PIECE * PIECES, (double)results.cat);
    expect(run, PIECE * PIECES, (double)results.ncat);
    expect(run, PIECE, (double)results.copied);
    expect(run, 0, results.coll);
    expect(run, 16, (double)results.cspn);
    expect(run, 2, (double)results.pbrk);
    expect(run, PIECE * PIECES - 2, (double)results.rchr);
    expect(run, 8, (double)results.spn);
    expect(run, 9, (double)results.str);
    if (strcmp(results.moment, moment_text) != 0)
        bench_fail(run, 0, "ctime returned '%.24s'", results.moment);
    results = (struct results){0};
}

static const struct bench strings[] = {
    {.name = "aim9.string_rtns",
     .table = "7",
     .unit = "loops/s",
     .what = "conversions, character classes and string functions",
     .ops = LOOPS,
     .setup = string_setup,
     .iter = string_iter,
     .verify = string_verify},
};

BENCH_TABLE(strings);
