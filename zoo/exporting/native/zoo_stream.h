/* Continuous recognition: samples of any rate in, as they arrive, and labels out. Needs model.h, model.c and math.h.

   A port of `zoo.runtime.streaming` of pocket-zoo, where the reasons are explained, without the rules for a phone that
   is at rest or shaken. A stream is a variable of the caller; several may run at a time, each in one thread. */
#ifndef ZOO_STREAM_H
#define ZOO_STREAM_H

#include "model.h"

/* Numbers of the stream. Where the network answers the same, probabilities are those of `zoo.runtime` to 1e-4; with
   double, to 1e-6. */
#ifndef ZOO_REAL
#define ZOO_REAL float
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* Why samples are dropped; a gap is a time without samples, after which the stream starts again. */
enum {
    ZOO_NOT_FINITE,
    ZOO_BEYOND_160_M_S2,
    ZOO_BEYOND_100_RAD_S,
    ZOO_NOT_LATER,
    ZOO_TIME_NOT_CONFIRMED,
    ZOO_GAPS,
    ZOO_REASONS
};

typedef struct {
    double seconds;                      /* time of the last row, on the clock of the samples */
    int label;                           /* a number of zoo_labels, or -1: not sure */
    ZOO_REAL probability;                /* of the label, or of the most probable class without one */
    ZOO_REAL probabilities[ZOO_CLASSES]; /* given the signal so far */
} zoo_prediction;

/* Parallel states, their restarts staggered. */
enum { ZOO_STATES = ZOO_RESTART > 0 ? ZOO_COPIES : 1 };

typedef struct {
    zoo_prediction prediction;     /* the last one */
    uint32_t skipped[ZOO_REASONS]; /* dropped samples by reason, and gaps */
    /* Called with each prediction, if set: a sample that arrives late completes several. */
    void (*on_prediction)(const zoo_prediction *prediction, void *context);
    void *context;

    /* Private. */
    double first, last, rows, interval, pending_time;
    ZOO_REAL value[ZOO_CHANNELS], pending[ZOO_CHANNELS], area[ZOO_CHANNELS], span;
    ZOO_REAL beliefs[ZOO_GROUPS][ZOO_PARTS]; /* how probable each part of each group of labels is */
    float frame[ZOO_FRAME * ZOO_CHANNELS];
    int filled, frames, shown, has_pending;
    int ages[ZOO_STATES];
#if ZOO_RECURRENT
    zoo_state states[ZOO_STATES];
#endif
} zoo_stream;

/* Sets a stream to its start. */
void zoo_stream_init(zoo_stream *stream);

/* Forgets the signal, and nothing else. */
void zoo_stream_restart(zoo_stream *stream);

/* Adds a sample of ZOO_CHANNELS values, with its time in seconds on any clock: acceleration in m/s^2; for a model with
   six channels, then rotation rate in rad/s. Faulty samples are dropped and counted in `skipped`. Returns the number of
   predictions that the sample completes. */
int zoo_stream_push(zoo_stream *stream, double seconds, const float *sample);

#ifdef __cplusplus
}
#endif

#endif
