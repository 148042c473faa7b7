/* The data of SciMark's kernels and the checks of what the kernels make of them. */
#ifndef GUESTBENCH_SCIMARK_WORK_H
#define GUESTBENCH_SCIMARK_WORK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "scimark_kernels.h"

enum scimark_which { SCIMARK_FFT, SCIMARK_SOR, SCIMARK_MC, SCIMARK_SPARSE, SCIMARK_LU };

struct scimark_work {
    struct scimark s;
    enum scimark_which which;
    scimark_kernel *kernel;
    double flops;       /* of a turn, as SciMark counts them */
    double *original;   /* what x holds at the start of a sample */
    double *spare;      /* for the check */
    size_t bytes;       /* of all data */
    double before;      /* SOR: residual at the start of the sample */
    uint64_t turn_hits; /* Monte Carlo: what one turn must find */
};

/* An expectation that was not met; for the report. */
struct scimark_error {
    double expected, got;
};

/* Bytes of the data of a kernel in one of its two sizes. */
size_t scimark_bytes(enum scimark_which which, bool large);

/* Makes the data from SciMark's seed. Returns false if memory is short. */
bool scimark_make(struct scimark_work *work, enum scimark_which which, bool large);
void scimark_free(struct scimark_work *work);

/*
 * Checks the result of so many turns since the data were made or last checked,
 * and puts the data back to their start. FFT: they are the original again,
 * and a transform is what the definition says. SOR:
 * the residual fell, the border is untouched, and one more sweep is what a
 * plain one gives. Monte Carlo: the points are those of a plain generator (of
 * which pi follows within 3 sigma). Sparse: the product, added up by columns.
 * LU: L U v = P A v for a random v. Returns false with the error.
 */
bool scimark_check(struct scimark_work *work, uint64_t turns, struct scimark_error *error);

#endif
