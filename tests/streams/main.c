/* Follows streams by the protocol of golden.py, with the network `step` of it. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "zoo_stream.h"

/* The names are in model.c, and the program prints numbers. */
const char *const zoo_labels[ZOO_CLASSES] = {0};

static void answer(const float *frame, float *state, float *probabilities)
{
    const float signal = 0.9F * *state + fabsf(frame[0]) + fabsf(frame[ZOO_FRAME * ZOO_CHANNELS - 1]);
    double scores[ZOO_CLASSES], sum = 0.0;
    for (int i = 0; i < ZOO_CLASSES; ++i) {
        scores[i] = pow(fabs(sin((double)signal * (i + 1))), 8.0);
        sum += scores[i];
    }
    for (int i = 0; i < ZOO_CLASSES; ++i)
        probabilities[i] = (float)(scores[i] / sum);
    *state = signal;
}

#if ZOO_RECURRENT
void zoo_init(zoo_state *state)
{
    state->h_1[0] = 0.0F;
}

void zoo_step(const float *frame, zoo_state *state, float *probabilities)
{
    answer(frame, state->h_1, probabilities);
}
#else
void zoo_window(const float *window, float *probabilities)
{
    float state = 0.0F;
    answer(window, &state, probabilities);
}
#endif

static const char *const REASONS[ZOO_REASONS] = {
    "not finite", "beyond 160 m/s^2", "beyond 100 rad/s", "not later than the one before",
    "time stamps that no other confirms", "gaps",
};

static void show(const zoo_prediction *p, void *context)
{
    *(int *)context += 1;
    printf("%.17g %d %.17g", p->seconds, p->label < 0 ? -p->reason : p->label, (double)p->probability);
    for (int i = 0; i < ZOO_CLASSES; ++i)
        printf(" %.17g", (double)p->probabilities[i]);
    putchar('\n');
}

static void end(const zoo_stream *stream)
{
    for (int reason = 0; reason < ZOO_REASONS; ++reason)
        if (stream->skipped[reason])
            printf("dropped %u %s\n", (unsigned)stream->skipped[reason], REASONS[reason]);
    puts("end");
}

int main(void)
{
    static zoo_stream stream;
    char line[512];
    int streams = 0, shown = 0, completed = 0;
    while (fgets(line, sizeof line, stdin)) {
        if (!strncmp(line, "new", 3)) {
            if (streams++)
                end(&stream);
            zoo_stream_init(&stream);
            stream.on_prediction = show;
            stream.context = &shown;
            continue;
        }
        char *next = line;
        const double seconds = strtod(next, &next);
        float values[ZOO_CHANNELS];
        for (int i = 0; i < ZOO_CHANNELS; ++i)
            values[i] = (float)strtod(next, &next);
        completed += zoo_stream_push(&stream, seconds, values);
    }
    end(&stream);
    return completed != shown;
}
