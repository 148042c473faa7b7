/*
 * Table 2: Neural Net (Nbench): a network of 35, 8 and 8 units is trained by
 * back-propagation to tell ten letters, until it errs by less than 0.1. All
 * trainings begin with the same weights, so that they are of one length.
 */
#include <math.h>
#include <string.h>

#include "core/bench.h"
#include "nbench_random.h"

enum { ROWS = 7, COLUMNS = 5, INPUTS = ROWS * COLUMNS, HIDDEN = 8, OUTPUTS = 8, PATTERNS = 10 };
enum { MOST_PASSES = 50000 };
#define LEARNING_RATE 0.09
#define MOMENTUM 0.09
#define STOP_ERROR 0.1

/* A to J, a row as five bits. */
static const uint8_t letters[PATTERNS][ROWS] = {
    {0x04, 0x0A, 0x11, 0x11, 0x1F, 0x11, 0x11}, {0x1E, 0x11, 0x11, 0x1E, 0x11, 0x11, 0x1E},
    {0x0E, 0x11, 0x10, 0x10, 0x10, 0x11, 0x0E}, {0x1E, 0x11, 0x11, 0x11, 0x11, 0x11, 0x1E},
    {0x1F, 0x10, 0x10, 0x1E, 0x10, 0x10, 0x1F}, {0x1F, 0x10, 0x10, 0x1E, 0x10, 0x10, 0x10},
    {0x0E, 0x11, 0x10, 0x17, 0x11, 0x11, 0x0E}, {0x11, 0x11, 0x11, 0x1F, 0x11, 0x11, 0x11},
    {0x0E, 0x04, 0x04, 0x04, 0x04, 0x04, 0x0E}, {0x07, 0x02, 0x02, 0x02, 0x02, 0x12, 0x0C},
};

static double inputs[PATTERNS][INPUTS], targets[PATTERNS][OUTPUTS];

static struct network {
    double to_hidden[HIDDEN][INPUTS], to_output[OUTPUTS][HIDDEN];
    double hidden_change[HIDDEN][INPUTS], output_change[OUTPUTS][HIDDEN];
    double hidden[HIDDEN], output[OUTPUTS];
} network;
static int passes, first_passes;

/* 0.1 and 0.9 for the bits of a picture and of an ASCII code: a sigmoid reaches neither 0 nor 1. */
static double level(unsigned bits, int bit)
{
    return bits >> bit & 1 ? 0.9 : 0.1;
}

static void network_setup(struct bench_run *run)
{
    (void)run;
    for (int p = 0; p < PATTERNS; p++) {
        for (int i = 0; i < INPUTS; i++)
            inputs[p][i] = level(letters[p][i / COLUMNS], COLUMNS - 1 - i % COLUMNS);
        for (int i = 0; i < OUTPUTS; i++)
            targets[p][i] = level((unsigned)('A' + p), OUTPUTS - 1 - i);
    }
}

static void randomize(double *weights, size_t n, struct nbench_random *random)
{
    for (size_t i = 0; i < n; i++)
        weights[i] = (nbench_random_below(random, 100000) / 100000.0 - 0.5) / 2;
}

static double sigmoid(double x)
{
    return 1 / (1 + exp(-x));
}

static void forward(const double *input)
{
    for (int h = 0; h < HIDDEN; h++) {
        double sum = 0;
        for (int i = 0; i < INPUTS; i++)
            sum += network.to_hidden[h][i] * input[i];
        network.hidden[h] = sigmoid(sum);
    }
    for (int o = 0; o < OUTPUTS; o++) {
        double sum = 0;
        for (int h = 0; h < HIDDEN; h++)
            sum += network.to_output[o][h] * network.hidden[h];
        network.output[o] = sigmoid(sum);
    }
}

static void change(double *weight, double *last, double delta)
{
    *last = LEARNING_RATE * delta + MOMENTUM * *last;
    *weight += *last;
}

static void backward(const double *input, const double *target)
{
    double output_delta[OUTPUTS], hidden_delta[HIDDEN] = {0};
    for (int o = 0; o < OUTPUTS; o++) {
        double value = network.output[o];
        output_delta[o] = (target[o] - value) * value * (1 - value);
        for (int h = 0; h < HIDDEN; h++)
            hidden_delta[h] += output_delta[o] * network.to_output[o][h];
    }
    for (int h = 0; h < HIDDEN; h++) {
        hidden_delta[h] *= network.hidden[h] * (1 - network.hidden[h]);
        for (int o = 0; o < OUTPUTS; o++)
            change(&network.to_output[o][h], &network.output_change[o][h],
                   output_delta[o] * network.hidden[h]);
        for (int i = 0; i < INPUTS; i++)
            change(&network.to_hidden[h][i], &network.hidden_change[h][i],
                   hidden_delta[h] * input[i]);
    }
}

/* The worst error of any output for a pattern, of the last forward pass. */
static double worst_error(const double *target)
{
    double worst = 0;
    for (int o = 0; o < OUTPUTS; o++)
        worst = fmax(worst, fabs(target[o] - network.output[o]));
    return worst;
}

static void network_iter(struct bench_run *run, uint64_t n)
{
    (void)run;
    for (; n > 0; n--) {
        struct nbench_random random = NBENCH_RANDOM_START;
        double worst = 1;
        memset(&network, 0, sizeof network);
        randomize(&network.to_hidden[0][0], HIDDEN * INPUTS, &random);
        randomize(&network.to_output[0][0], OUTPUTS * HIDDEN, &random);
        for (passes = 0; worst >= STOP_ERROR && passes < MOST_PASSES; passes++) {
            worst = 0;
            for (int p = 0; p < PATTERNS; p++) {
                forward(inputs[p]);
                worst = fmax(worst, worst_error(targets[p]));
                backward(inputs[p], targets[p]);
            }
        }
    }
}

/* It knows its letters, and needed as many passes as before. */
static void network_verify(struct bench_run *run)
{
    if (first_passes == 0) {
        first_passes = passes;
        bench_fact_number(run, "training_passes", passes, 0);
    }
    if (passes != first_passes)
        bench_mismatch(run, first_passes, passes);
    for (int p = 0; p < PATTERNS; p++) {
        forward(inputs[p]);
        if (!(worst_error(targets[p]) < 1.1 * STOP_ERROR))
            bench_mismatch(run, 0, worst_error(targets[p]));
    }
    passes = 0;
}

static const struct bench neural[] = {
    {.name = "nbench.neural_net",
     .table = "2",
     .unit = "trainings/s",
     .what = "trainings of a neural network to tell ten letters",
     .flags = BENCH_EXTRA,
     .ops = 1,
     .setup = network_setup,
     .iter = network_iter,
     .verify = network_verify},
};

BENCH_TABLE(neural);
