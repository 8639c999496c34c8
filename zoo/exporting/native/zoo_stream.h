/* Continuous recognition: samples of any rate in, as they arrive, and labels out. Needs model.h, model.c and math.h.

   A port of `zoo.runtime.streaming` of pocket-zoo, where the reasons are explained. A stream is a variable of the
   caller; several may run at a time, each in one thread. */
#ifndef ZOO_STREAM_H
#define ZOO_STREAM_H

#include "model.h"

/* Numbers of the stream. Where the network answers the same, probabilities are those of `zoo.runtime` to 1e-4; with
   double, to 1e-6. */
#ifndef ZOO_REAL
#define ZOO_REAL float
#endif

/* Samples that are searched for shaking, 20 bytes each: two seconds at 64 Hz. Set twice the rate of a faster sensor, or 0
   where nobody would shake it. */
#ifndef ZOO_RECENT
#define ZOO_RECENT (128 * ZOO_STEPS)
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

/* Why there is no label: its probability is too low, the class of other movements is recognized, no body moves the board,
   values are not acceleration with gravity in m/s^2, there are fewer than 15 a second, or a hand shakes it. */
enum { ZOO_LABELED, ZOO_NOT_SURE, ZOO_SOMETHING_ELSE, ZOO_AT_REST, ZOO_NO_SIGNAL, ZOO_TOO_SLOW, ZOO_SHAKEN };

typedef struct {
    double seconds;                      /* time of the last row, on the clock of the samples */
    int label;                           /* a number of zoo_labels, or -1 */
    int reason;                          /* ZOO_LABELED, or why there is no label */
    ZOO_REAL probability;                /* of the label, or of the most probable class without one */
    ZOO_REAL probabilities[ZOO_CLASSES]; /* given the signal so far */
} zoo_prediction;

/* A stretch without motion: when it began, its first sample, to which the others are compared, and sums over these. In
   doubles, since a variance is a small difference of large sums. */
typedef struct {
    double start, count, from[3], before[3], sums[3], squares[3], products[3], step;
    int rests;
} zoo_still;

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
    zoo_still still;
    ZOO_REAL means[4]; /* of the last second: acceleration along x, y and z, and its magnitude */
    int fault, is_shaken;
#if ZOO_RECENT
    double recent_seconds[ZOO_RECENT], searched;
    ZOO_REAL recent[ZOO_RECENT][3]; /* a ring of samples */
    int oldest, count;
#endif
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

/* The label of a prediction, or the reason for none, such as "at rest". */
const char *zoo_text(const zoo_prediction *prediction);

#ifdef __cplusplus
}
#endif

#endif
