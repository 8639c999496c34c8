/* Feeds any bytes to the stream in C, as samples of a double and three floats: a target of libFuzzer.

       zoo export activity_gru_pocket --formats c99_int8 --to pocket
       clang -g -O1 -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all -Ipocket/c99_int8 \
           tests/hostile/stream.c pocket/c99_int8/model.c pocket/c99_int8/zoo_stream.c -lm -o stream
       ./stream -max_total_time=600 */
#include <math.h>
#include <string.h>

#include "zoo_stream.h"

static void check(int holds)
{
    if (!holds)
        __builtin_trap();
}

static void look(const zoo_prediction *prediction, void *context)
{
    int *predictions = context;
    float sum = 0.0F;
    check(isfinite(prediction->seconds));
    check(prediction->label >= -1 && prediction->label < ZOO_CLASSES);
    for (int i = 0; i < ZOO_CLASSES; ++i) {
        check(prediction->probabilities[i] >= 0.0F && prediction->probabilities[i] <= 1.0F + 1e-5F);
        sum += prediction->probabilities[i];
    }
    check(fabsf(sum - 1.0F) < 1e-4F);
    *predictions += 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static zoo_stream stream;
    uint32_t samples = 0, dropped = 0;
    int predictions = 0, seen = 0;
    zoo_stream_init(&stream);
    stream.on_prediction = look;
    stream.context = &seen;
    for (; size >= sizeof(double) + 3 * sizeof(float); ++samples) {
        double seconds;
        float sample[3];
        memcpy(&seconds, data, sizeof seconds);
        memcpy(sample, data + sizeof seconds, sizeof sample);
        data += sizeof seconds + sizeof sample;
        size -= sizeof seconds + sizeof sample;
        const int completed = zoo_stream_push(&stream, seconds, sample);
        /* Samples are at most a second apart, and one confirms the one before. */
        check(completed >= 0 && completed <= (int)ZOO_RATE + 2);
        predictions += completed;
        check(stream.filled >= 0 && stream.filled < ZOO_FRAME * ZOO_CHANNELS);
    }
    for (int reason = 0; reason < ZOO_GAPS; ++reason)
        dropped += stream.skipped[reason];
    check(predictions == seen);
    check(dropped <= samples);
    return 0;
}
