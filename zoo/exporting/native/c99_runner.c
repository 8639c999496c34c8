#define _POSIX_C_SOURCE 199309L
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#include "model.h"

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

int main(void)
{
$declarations
    while ($reads) {
        double seconds = now();
        $call;
        seconds = now() - seconds;
$writes
        fwrite(&seconds, sizeof seconds, 1, stdout);
    }
    return 0;
}
