/* Limits values to [-limit, limit], and NaN to -limit. Apart from what follows, so that compilers vectorize both. */
static void zoo_limit(float *values, int count, float limit)
{
    for (int i = 0; i < count; ++i) {
        const float above = values[i] > -limit ? values[i] : -limit;
        values[i] = above < limit ? above : limit;
    }
}

/* exp(x) for |x| <= 87, with a relative error below 1e-7: 2^k times a polynomial of the rest (Cephes). */
static inline float zoo_exp(float x)
{
    const int k = (int)(x * 1.44269504F + 128.5F) - 128;
    const float r = (x - (float)k * 0.693359375F) + (float)k * 2.12194440e-4F;
    float sum = 1.9875691500e-4F;
    sum = sum * r + 1.3981999507e-3F;
    sum = sum * r + 8.3334519073e-3F;
    sum = sum * r + 4.1665795894e-2F;
    sum = sum * r + 1.6666665459e-1F;
    sum = sum * r + 5.0000001201e-1F;
    sum = sum * r * r + r + 1.0F;
    const union {
        int32_t bits;
        float value;
    } power = {(k + 127) * 8388608};
    return sum * power.value;
}

static void zoo_sigmoid(float *values, int count)
{
    zoo_limit(values, count, 80.0F);
    for (int i = 0; i < count; ++i)
        values[i] = 1.0F / (1.0F + zoo_exp(-values[i]));
}

static void zoo_tanh(float *values, int count)
{
    zoo_limit(values, count, 40.0F);
    for (int i = 0; i < count; ++i)
        values[i] = 1.0F - 2.0F / (1.0F + zoo_exp(2.0F * values[i]));
}

static void zoo_silu(float *values, int count)
{
    for (int i = 0; i < count; ++i) {
        float share = values[i];
        zoo_limit(&share, 1, 80.0F);
        values[i] /= 1.0F + zoo_exp(-share);
    }
}

static void zoo_relu(float *values, int count)
{
    for (int i = 0; i < count; ++i)
        values[i] = values[i] > 0.0F ? values[i] : 0.0F;
}

static void zoo_relu6(float *values, int count)
{
    for (int i = 0; i < count; ++i) {
        const float above = values[i] > 0.0F ? values[i] : 0.0F;
        values[i] = above < 6.0F ? above : 6.0F;
    }
}

static void zoo_leaky_relu(float *values, int count)
{
    for (int i = 0; i < count; ++i)
        values[i] = values[i] > 0.0F ? values[i] : 0.2F * values[i];
}

static void zoo_elu(float *values, int count)
{
    for (int i = 0; i < count; ++i) {
        float below = values[i];
        zoo_limit(&below, 1, 80.0F);
        values[i] = values[i] > 0.0F ? values[i] : zoo_exp(below) - 1.0F;
    }
}

static void zoo_softsign(float *values, int count)
{
    for (int i = 0; i < count; ++i)
        values[i] /= 1.0F + (values[i] > 0.0F ? values[i] : -values[i]);
}

/* Probabilities of logits. */
static void zoo_softmax(float *values, int count)
{
    float largest = values[0], sum = 0.0F;
    for (int i = 1; i < count; ++i)
        largest = values[i] > largest ? values[i] : largest;
    for (int i = 0; i < count; ++i)
        values[i] -= largest;
    zoo_limit(values, count, 80.0F);
    for (int i = 0; i < count; ++i) {
        values[i] = zoo_exp(values[i]);
        sum += values[i];
    }
    for (int i = 0; i < count; ++i)
        values[i] /= sum;
}

static void zoo_copy(float *restrict to, const float *restrict from, int count)
{
    for (int i = 0; i < count; ++i)
        to[i] = from[i];
}

static void zoo_zero(float *values, int count)
{
    for (int i = 0; i < count; ++i)
        values[i] = 0.0F;
}

/* h <- tanh(x W + h U + b). `read` holds x, and room for h after it. */
static void zoo_simple_rnn(const zoo_layer *cell, float *restrict read, float *restrict h)
{
    const int units = cell->outputs;
    zoo_copy(read + cell->inputs - units, h, units);
    zoo_dense(cell, read, h);
    zoo_tanh(h, units);
}

/* c <- f c + i tanh(...), h <- o tanh(c). `gates` has room for i, f, o and the candidate. */
static void zoo_lstm(const zoo_layer *cell, float *restrict read, float *restrict gates, float *restrict h,
                     float *restrict c)
{
    const int units = cell->outputs / 4;
    const float *restrict i = gates, *restrict f = gates + units, *restrict o = gates + 2 * units;
    float *restrict candidate = gates + 3 * units;
    zoo_copy(read + cell->inputs - units, h, units);
    zoo_dense(cell, read, gates);
    zoo_sigmoid(gates, 3 * units);
    zoo_tanh(candidate, units);
    for (int j = 0; j < units; ++j) {
        c[j] = f[j] * c[j] + i[j] * candidate[j];
        h[j] = c[j];
    }
    zoo_tanh(h, units);
    for (int j = 0; j < units; ++j)
        h[j] *= o[j];
}

/* h <- z h + (1 - z) tanh(x W + (r h) U + b). `gates` has room for z, r and the candidate. */
static void zoo_gru(const zoo_layer *cell, const zoo_layer *reset, float *restrict read, float *restrict gates,
                    float *restrict h)
{
    const int units = reset->outputs;
    const float *restrict z = gates, *restrict r = gates + units;
    float *restrict candidate = gates + 2 * units, *restrict old = read + reset->inputs - units;
    zoo_copy(old, h, units);
    zoo_dense(cell, read, gates);
    zoo_sigmoid(gates, 2 * units);
    for (int j = 0; j < units; ++j)
        old[j] = r[j] * h[j];
    zoo_dense(reset, read, candidate);
    zoo_tanh(candidate, units);
    for (int j = 0; j < units; ++j)
        h[j] = candidate[j] + z[j] * (h[j] - candidate[j]);
}

/* A row of a table: one of the inputs is 1, and all others are 0. */
static void zoo_row(const zoo_layer *layer, int input, float *restrict output)
{
    for (int j = 0; j < layer->outputs; ++j)
        output[j] = zoo_scaled(layer, j, (float)layer->weights[input * layer->outputs + j]);
}

/* One filter for each channel, over as many rows as it has inputs. */
static void zoo_depthwise(const zoo_layer *layer, const float *restrict rows, float *restrict output)
{
    const zoo_weight *restrict weights = layer->weights;
    for (int j = 0; j < layer->outputs; ++j)
        output[j] = 0.0F;
    for (int i = 0; i < layer->inputs; ++i, rows += layer->outputs, weights += layer->outputs)
        for (int j = 0; j < layer->outputs; ++j)
            output[j] += rows[j] * (float)weights[j];
    for (int j = 0; j < layer->outputs; ++j)
        output[j] = zoo_scaled(layer, j, output[j]);
}

/* Appends a row to the rows that a filter waits for, and returns whether they are complete. Below 0, rows are skipped. */
static int zoo_push(float *restrict rows, int *restrict filled, const float *restrict row, const zoo_layer *filter)
{
    if (*filled >= 0)
        zoo_copy(rows + *filled * filter->outputs, row, filter->outputs);
    *filled += 1;
    return *filled == filter->inputs;
}

/* Drops two rows: the stride of a filter. */
static void zoo_advance_two(float *rows, int *filled, const zoo_layer *filter)
{
    for (int i = 2 * filter->outputs; i < *filled * filter->outputs; ++i)
        rows[i - 2 * filter->outputs] = rows[i];
    *filled -= 2;
}
