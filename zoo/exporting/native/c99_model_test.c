/* Runs a golden vector of Keras: the first thing to run on a new target. */
#include <stdio.h>

#include "model.h"

$input

$expected

int main(void)
{
    float largest = 0.0F;
    float found[$size];
    $call;
    for (int i = 0; i < $size; ++i) {
        const float signed_difference = found[i] - expected[i];
        const float difference = signed_difference < 0.0F ? -signed_difference : signed_difference;
        largest = difference > largest ? difference : largest;
    }
    printf("largest difference from Keras: %.2g\n", (double)largest);
    return largest > ${limit}F;
}
