#include "zoo_stream.h"

#include <math.h>

/* Seconds without a sample after which the stream restarts. */
#define GAP 1.0

/* Limits of acceleration in m/s^2 and of rotation rate in rad/s: phones measure up to 16 g and 70 rad/s. */
#define LIMIT 160.0F
#define ROTATION_LIMIT 100.0F

/* Frames after which a state restarts; 0 for never. */
#define PERIOD (ZOO_RESTART == 0 ? 0 : ZOO_RESTART < ZOO_FRAME ? 1 : ZOO_RESTART / ZOO_FRAME)

/* Frames that a state reads before it answers. */
#define WARMUP ((ZOO_WARMUP + ZOO_FRAME - 1) / ZOO_FRAME)

/* Least share of a part in its group: no single answer counts as proof. */
#define FLOOR 0.01F

/* Least belief in a part: no part is ever impossible. */
#define LEAST 1e-30F

/* Seconds without motion after which a phone may be at rest, and what only motion causes: a change of an axis in m/s^2,
   and a rotation rate in rad/s. */
#define STRETCH 5.0
#define MOTION 0.3
#define TURNING 0.2F

/* Most standard deviation of noise in m/s^2, and change of an axis from which samples are rounded. */
#define NOISE 0.03
#define ROUNDED_NOISE 0.06
#define ROUNDED 0.05

/* Change, and variance, of numbers that are equal but for the last bits. */
#define ROUNDING 1e-10

/* Correlation of successive samples below which a phone is at rest, and remains so. */
#define CORRELATION 0.1
#define STILL_CORRELATION 0.25

/* Seconds between samples up to which their correlation is telling, and up to which activities are. */
#define FASTEST (1.0 / 45.0)
#define SLOWEST (1.0 / 15.0)

/* Mean magnitude of acceleration in m/s^2, and least length of its mean vector; time constant of means in seconds. */
#define LEAST_MAGNITUDE 5
#define MOST_MAGNITUDE 25
#define LEAST_GRAVITY 2
#define MEMORY 1.0

/* Seconds that are searched for shaking, and between two searches. */
#define SHAKING 2.0
#define OFTEN 0.5

/* Of shaking: least deviation in m/s^2, seconds after which it comes back and turns, correlation when back. */
#define STRONG 6
#define BACK_FIRST 0.12
#define BACK_LAST 0.28
#define FORTH 0.16
#define REPEATED 0.5F

/* A group of labels, in which a filter follows which part is true. */
static const struct {
    float evidence;          /* of an answer */
    int count;               /* of parts */
    float leave[ZOO_PARTS];  /* probability that a part ends from one answer to the next */
    float start[ZOO_PARTS];  /* probability of a part before the first answer */
    short part[ZOO_CLASSES]; /* of each label, or -1 */
} groups[ZOO_GROUPS] = ZOO_GROUP_TABLE;

static int drop(zoo_stream *stream, int reason)
{
    stream->skipped[reason] += 1;
    return 0;
}

static void drop_pending(zoo_stream *stream)
{
    if (stream->has_pending)
        drop(stream, ZOO_TIME_NOT_CONFIRMED);
    stream->has_pending = 0;
}

void zoo_stream_restart(zoo_stream *stream)
{
    stream->first = stream->last = stream->interval = (double)NAN;
    stream->rows = 0.0;
    stream->span = 0;
    for (int i = 0; i < ZOO_CHANNELS; ++i)
        stream->area[i] = 0;
    stream->filled = stream->frames = stream->has_pending = 0;
    stream->shown = -1;
    stream->fault = stream->is_shaken = 0;
#if ZOO_RECENT
    stream->oldest = stream->count = 0;
#endif
    for (int i = 0; i < ZOO_GROUPS; ++i)
        for (int k = 0; k < groups[i].count; ++k)
            stream->beliefs[i][k] = (ZOO_REAL)groups[i].start[k];
    for (int copy = 0; copy < ZOO_STATES; ++copy)
        stream->ages[copy] = -1;
}

void zoo_stream_init(zoo_stream *stream)
{
    for (int reason = 0; reason < ZOO_REASONS; ++reason)
        stream->skipped[reason] = 0;
    for (int i = 0; i < ZOO_CLASSES; ++i)
        stream->prediction.probabilities[i] = 0;
    stream->prediction.seconds = 0.0;
    stream->prediction.probability = 0;
    stream->prediction.label = -1;
    stream->prediction.reason = ZOO_NOT_SURE;
    stream->on_prediction = 0;
    stream->context = 0;
    zoo_stream_restart(stream);
}

/* Runs the network on the frame, with each state. Returns whether the oldest has read enough to answer. */
static int read_frame(zoo_stream *stream, float *probabilities)
{
    int oldest = 0;
    for (int copy = 0; copy < ZOO_STATES; ++copy) {
        const int since = stream->frames - copy * PERIOD / ZOO_STATES;
        int *age = &stream->ages[copy];
        float found[ZOO_CLASSES];
        if (since == 0 || (since > 0 && PERIOD > 0 && since % (PERIOD + !PERIOD) == 0)) {
#if ZOO_RECURRENT
            zoo_init(&stream->states[copy]);
#endif
            *age = 0;
        }
        if (*age < 0)
            continue;
#if ZOO_RECURRENT
        zoo_step(stream->frame, &stream->states[copy], found);
#else
        zoo_window(stream->frame, found);
#endif
        /* A state that never restarts does not count its age for ever. */
        if (PERIOD > 0 || *age <= WARMUP)
            *age += 1;
        if (*age >= oldest) {
            oldest = *age;
            for (int i = 0; i < ZOO_CLASSES; ++i)
                probabilities[i] = found[i];
        }
    }
    stream->frames += 1;
    if (stream->frames >= 2 * PERIOD)
        stream->frames = PERIOD > 0 ? stream->frames - PERIOD : 1;
    return oldest >= WARMUP;
}

/* base to the power of exponent: processors for floats alone need no function of doubles. */
static ZOO_REAL power(ZOO_REAL base, ZOO_REAL exponent)
{
    if (sizeof(ZOO_REAL) == sizeof(float))
        return (ZOO_REAL)powf((float)base, (float)exponent);
    return (ZOO_REAL)pow((double)base, (double)exponent);
}

/* Follows which part of a group is true: the forward filter of a hidden Markov model. */
static void follow(int group, ZOO_REAL *belief, const float *answer)
{
    const int count = groups[group].count;
    ZOO_REAL share[ZOO_PARTS], left = 0, within = 0, best = 0, sum = 0;
    for (int k = 0; k < count; ++k) {
        left += belief[k] * (ZOO_REAL)groups[group].leave[k];
        share[k] = 0;
    }
    for (int k = 0; k < count; ++k) {
        const ZOO_REAL gone = belief[k] * (ZOO_REAL)groups[group].leave[k];
        belief[k] += (left - gone) / (ZOO_REAL)(count - 1) - gone;
        belief[k] = belief[k] > (ZOO_REAL)LEAST ? belief[k] : (ZOO_REAL)LEAST;
    }
    for (int i = 0; i < ZOO_CLASSES; ++i)
        if (groups[group].part[i] >= 0) {
            share[groups[group].part[i]] += (ZOO_REAL)answer[i];
            within += (ZOO_REAL)answer[i];
        }
    if (!(within > 0))
        return;
    for (int k = 0; k < count; ++k) {
        share[k] = share[k] / within > (ZOO_REAL)FLOOR ? share[k] / within : (ZOO_REAL)FLOOR;
        best = share[k] > best ? share[k] : best;
    }
    for (int k = 0; k < count; ++k) {
        belief[k] *= power(share[k] / best, (ZOO_REAL)groups[group].evidence * within);
        sum += belief[k];
    }
    for (int k = 0; k < count; ++k)
        belief[k] /= sum;
}

static void predict(zoo_stream *stream, double seconds, const float *answer)
{
    zoo_prediction *now = &stream->prediction;
    int best = 0;
    for (int i = 0; i < ZOO_CLASSES; ++i)
        now->probabilities[i] = 1;
    for (int group = 0; group < ZOO_GROUPS; ++group) {
        follow(group, stream->beliefs[group], answer);
        for (int i = 0; i < ZOO_CLASSES; ++i)
            if (groups[group].part[i] >= 0)
                now->probabilities[i] *= stream->beliefs[group][groups[group].part[i]];
    }
    for (int i = 1; i < ZOO_CLASSES; ++i)
        if (now->probabilities[i] > now->probabilities[best])
            best = i;
    if (stream->shown < 0 || now->probabilities[best] - now->probabilities[stream->shown] >= (ZOO_REAL)ZOO_MARGIN)
        stream->shown = best;
    now->seconds = seconds;
    now->reason = stream->fault;
    if (!now->reason && now->probabilities[stream->shown] < (ZOO_REAL)ZOO_THRESHOLD)
        now->reason = ZOO_NOT_SURE;
    if (!now->reason && stream->shown == ZOO_OTHER)
        now->reason = ZOO_SOMETHING_ELSE;
    now->label = now->reason ? -1 : stream->shown;
    now->probability = now->probabilities[now->label < 0 ? best : now->label];
    if (stream->on_prediction)
        stream->on_prediction(now, stream->context);
}

/* Adds a row at the rate of the model. Returns the number of predictions. */
static int add_row(zoo_stream *stream, double seconds, const ZOO_REAL *row)
{
    float probabilities[ZOO_CLASSES];
    const int size = ZOO_FRAME * ZOO_CHANNELS, advance = ZOO_ADVANCE * ZOO_CHANNELS;
    for (int i = 0; i < ZOO_CHANNELS; ++i)
        stream->frame[stream->filled++] = (float)row[i];
    if (stream->filled < size)
        return 0;
    const int answers = read_frame(stream, probabilities);
    for (int i = advance; i < size; ++i)
        stream->frame[i - advance] = stream->frame[i];
    stream->filled -= advance;
    if (answers)
        predict(stream, seconds, probabilities);
    return answers;
}

/* Adds the area under the line from the last point to this one. */
static void integrate(zoo_stream *stream, double seconds, const ZOO_REAL *to)
{
    const ZOO_REAL width = (ZOO_REAL)(seconds - stream->last), half = width / 2;
    for (int i = 0; i < ZOO_CHANNELS; ++i) {
        stream->area[i] += half * (stream->value[i] + to[i]);
        stream->value[i] = to[i];
    }
    stream->span += width;
    stream->last = seconds;
}

/* Begins a stretch without motion. */
static void begin_still(zoo_stream *stream, double seconds, const ZOO_REAL *sample, int rests)
{
    const zoo_still begun = {
        .start = seconds, .from = {(double)sample[0], (double)sample[1], (double)sample[2]}, .step = HUGE_VAL, .rests = rests
    };
    stream->still = begun;
}

/* Adds a sample to the stretch. Returns whether the phone moves, which ends it. */
static int moves(zoo_still *still, const ZOO_REAL *sample)
{
    double move[3];
    for (int i = 0; i < 3; ++i) {
        move[i] = (double)sample[i] - still->from[i];
        if (fabs(move[i]) > MOTION)
            return 1;
    }
    for (int i = 0; i < 3; ++i) {
        const double change = fabs(move[i] - still->before[i]);
        if (change > ROUNDING && change < still->step)
            still->step = change;
        still->sums[i] += move[i];
        still->squares[i] += move[i] * move[i];
        still->products[i] += move[i] * still->before[i];
        still->before[i] = move[i];
    }
    still->count += 1.0;
    return 0;
}

/* Whether the stretch holds the noise of a sensor alone, or nothing at all. */
static int is_noise(const zoo_still *still, double interval)
{
    const double most = still->step < ROUNDED ? NOISE : ROUNDED_NOISE;
    double moving = 0.0, correlation = 0.0;
    for (int i = 0; i < 3; ++i) {
        const double mean = still->sums[i] / still->count, squared = mean * mean;
        const double variance = still->squares[i] / still->count - squared;
        if (variance > most * most)
            return 0;
        if (variance <= ROUNDING)
            continue;
        moving += 1.0;
        correlation += (still->products[i] / still->count - squared) / variance;
    }
    if (moving == 0.0)
        return 1;
    return interval <= FASTEST && correlation / moving < (still->rests ? STILL_CORRELATION : CORRELATION);
}

#if ZOO_RECENT
/* The mean product of the recent samples and those some places later, about their means. */
static ZOO_REAL repeats(const zoo_stream *stream, const ZOO_REAL *means, int lag)
{
    ZOO_REAL sum = 0;
    for (int i = lag; i < stream->count; ++i) {
        const ZOO_REAL *now = stream->recent[(stream->oldest + i) % ZOO_RECENT];
        const ZOO_REAL *before = stream->recent[(stream->oldest + i - lag) % ZOO_RECENT];
        for (int axis = 0; axis < 3; ++axis)
            sum += (now[axis] - means[axis]) * (before[axis] - means[axis]);
    }
    return sum / (ZOO_REAL)(stream->count - lag);
}

/* Whether the recent samples go back and forth faster than steps do, over some seconds. */
static int is_shaken(const zoo_stream *stream, double span)
{
    ZOO_REAL means[3] = {0}, back = 0, forth = 0;
    for (int i = 0; i < stream->count; ++i)
        for (int axis = 0; axis < 3; ++axis)
            means[axis] += stream->recent[(stream->oldest + i) % ZOO_RECENT][axis] / (ZOO_REAL)stream->count;
    const ZOO_REAL power = repeats(stream, means, 0);
    if (span < SHAKING / 2 || power < STRONG * STRONG)
        return 0;
    const double spacing = span / (stream->count - 1);
    for (int lag = 1; lag <= (int)(BACK_LAST / spacing + ROUNDING); ++lag) {
        const ZOO_REAL share = repeats(stream, means, lag) / power;
        if (lag * spacing >= BACK_FIRST - ROUNDING && share > back)
            back = share;
        if (lag * spacing <= FORTH + ROUNDING && share < forth)
            forth = share;
    }
    return back >= (ZOO_REAL)REPEATED && forth < 0;
}

/* Searches the last seconds, every now and then, for shaking. */
static void watch_shaking(zoo_stream *stream, double seconds, const ZOO_REAL *sample)
{
    if (stream->count == 0)
        stream->searched = seconds;
    if (stream->count == ZOO_RECENT)
        stream->oldest = (stream->oldest + 1) % ZOO_RECENT;
    else
        stream->count += 1;
    const int newest = (stream->oldest + stream->count - 1) % ZOO_RECENT;
    stream->recent_seconds[newest] = seconds;
    for (int axis = 0; axis < 3; ++axis)
        stream->recent[newest][axis] = sample[axis];
    if (seconds - stream->searched < OFTEN)
        return;
    stream->searched = seconds;
    for (; stream->recent_seconds[stream->oldest] < seconds - SHAKING; stream->count -= 1)
        stream->oldest = (stream->oldest + 1) % ZOO_RECENT;
    stream->is_shaken = is_shaken(stream, seconds - stream->recent_seconds[stream->oldest]);
}
#endif

/* Finds out, from the first sample on, why the signal cannot be recognized: see `zoo.runtime.faults`. */
static void judge(zoo_stream *stream, double seconds, const ZOO_REAL *sample)
{
    const int is_first = isnan(stream->first);
    const ZOO_REAL squared = sample[0] * sample[0] + sample[1] * sample[1] + sample[2] * sample[2];
    const ZOO_REAL now[4] = {sample[0], sample[1], sample[2], power(squared, (ZOO_REAL)0.5)};
    const ZOO_REAL kept = is_first ? 0 : power((ZOO_REAL)2.718281828459045, (ZOO_REAL)((stream->last - seconds) / MEMORY));
    const ZOO_REAL *mean = stream->means;
    int turns = 0;
    for (int i = 0; i < 4; ++i)
        stream->means[i] = is_first ? now[i] : now[i] + kept * (mean[i] - now[i]);
    for (int i = 3; i < ZOO_CHANNELS; ++i)
        turns = turns || sample[i] > (ZOO_REAL)TURNING || sample[i] < -(ZOO_REAL)TURNING;
    if (is_first || turns || moves(&stream->still, sample))
        begin_still(stream, seconds, sample, 0);
    else if (seconds - stream->still.start >= STRETCH)
        begin_still(stream, seconds, sample, is_noise(&stream->still, stream->interval));
#if ZOO_RECENT
    watch_shaking(stream, seconds, sample);
#endif
    stream->fault = stream->is_shaken ? ZOO_SHAKEN : stream->still.rests ? ZOO_AT_REST : 0;
    if (is_first || seconds - stream->first < 2 * MEMORY)
        return;
    if (!(mean[3] > LEAST_MAGNITUDE && mean[3] < MOST_MAGNITUDE)
        || mean[0] * mean[0] + mean[1] * mean[1] + mean[2] * mean[2] < LEAST_GRAVITY * LEAST_GRAVITY)
        stream->fault = ZOO_NO_SIGNAL;
    else if (stream->interval > SLOWEST)
        stream->fault = ZOO_TOO_SLOW;
}

/* Reads a sample whose time follows the last one: rows at the rate of the model, between it and the last sample. */
static int read_sample(zoo_stream *stream, double seconds, const ZOO_REAL *sample)
{
    int predictions = 0;
    if (isnan(stream->first)) {
        judge(stream, seconds, sample);
        stream->first = stream->last = seconds;
        stream->rows = 1.0;
        for (int i = 0; i < ZOO_CHANNELS; ++i)
            stream->value[i] = sample[i];
        return add_row(stream, seconds, sample);
    }
    const double start = stream->last, elapsed = seconds - start;
    ZOO_REAL from[ZOO_CHANNELS];
    for (int i = 0; i < ZOO_CHANNELS; ++i)
        from[i] = stream->value[i];
    stream->interval = isnan(stream->interval) ? elapsed : 0.9 * stream->interval + 0.1 * elapsed;
    judge(stream, seconds, sample);
    for (;;) {
        const double moment = stream->first + stream->rows / ZOO_RATE;
        ZOO_REAL row[ZOO_CHANNELS];
        if (moment > seconds + 1e-9)
            break;
        const ZOO_REAL share = moment < seconds ? (ZOO_REAL)((moment - start) / elapsed) : 1;
        for (int i = 0; i < ZOO_CHANNELS; ++i)
            row[i] = from[i] + share * (sample[i] - from[i]);
        integrate(stream, moment, row);
        /* Where samples arrive faster than four thirds of the rate of the model, a row is their mean. */
        for (int i = 0; i < ZOO_CHANNELS; ++i) {
            if (stream->interval < 0.75 / ZOO_RATE)
                row[i] = stream->area[i] / stream->span;
            stream->area[i] = 0;
        }
        stream->span = 0;
        stream->rows += 1.0;
        predictions += add_row(stream, moment, row);
    }
    integrate(stream, seconds, sample);
    return predictions;
}

/* Handles a sample whose time is not within a second after that of the last one. */
static int unexpected(zoo_stream *stream, double seconds, const ZOO_REAL *sample, double elapsed)
{
    const int far = stream->has_pending && fabs(elapsed) > GAP;
    const double late = far ? seconds - stream->pending_time : elapsed;
    if (-GAP <= late && late <= 0.0)
        return drop(stream, ZOO_NOT_LATER);
    if (stream->has_pending && late <= GAP && late > 0.0) {
        /* Two samples agree on the new time, so there was a gap or the clock was set. */
        const double before = stream->pending_time;
        drop(stream, ZOO_GAPS);
        zoo_stream_restart(stream);
        const int predictions = read_sample(stream, before, stream->pending);
        return predictions + read_sample(stream, seconds, sample);
    }
    drop_pending(stream);
    stream->has_pending = 1;
    stream->pending_time = seconds;
    for (int i = 0; i < ZOO_CHANNELS; ++i)
        stream->pending[i] = sample[i];
    return 0;
}

int zoo_stream_push(zoo_stream *stream, double seconds, const float *sample)
{
    ZOO_REAL values[ZOO_CHANNELS];
    int finite = isfinite(seconds) != 0;
    for (int i = 0; i < ZOO_CHANNELS; ++i) {
        finite = finite && isfinite(sample[i]);
        values[i] = (ZOO_REAL)sample[i];
    }
    if (!finite)
        return drop(stream, ZOO_NOT_FINITE);
    for (int i = 0; i < ZOO_CHANNELS; ++i)
        if (fabsf(sample[i]) > (i < 3 ? LIMIT : ROTATION_LIMIT))
            return drop(stream, i < 3 ? ZOO_BEYOND_160_M_S2 : ZOO_BEYOND_100_RAD_S);
    const double elapsed = seconds - stream->last;
    if (isnan(elapsed))
        return read_sample(stream, seconds, values);
    if (elapsed <= 0.0 || elapsed > GAP)
        return unexpected(stream, seconds, values, elapsed);
    drop_pending(stream);
    return read_sample(stream, seconds, values);
}

const char *zoo_text(const zoo_prediction *prediction)
{
    static const char *const reasons[] = {"", "not sure", "something else", "at rest", "no signal", "too slow", "shaken"};
    return prediction->label < 0 ? reasons[prediction->reason] : zoo_labels[prediction->label];
}
