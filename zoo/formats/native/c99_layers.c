#if defined(__SSE2__) || defined(__ARM_NEON) || defined(__wasm_simd128__)
/* Columns of a layer, `width` at a time, a constant of each caller: compilers turn the sums into vectors. */
static inline int zoo_columns(const zoo_layer *layer, const float *restrict input, float *restrict output, int start,
                              int width)
{
    for (; start + width <= layer->outputs; start += width) {
        const zoo_weight *restrict weights = layer->weights + start;
        float sum[32] = {0.0F};
        for (int i = 0; i < layer->inputs; ++i, weights += layer->outputs)
            for (int j = 0; j < width; ++j)
                sum[j] += input[i] * (float)weights[j];
        for (int j = 0; j < width; ++j)
            output[start + j] = zoo_output(layer, start + j, sum[j]);
    }
    return start;
}

static void zoo_dense(const zoo_layer *layer, const float *restrict input, float *restrict output)
{
    const int most = zoo_columns(layer, input, output, 0, 32);
    zoo_columns(layer, input, output, zoo_columns(layer, input, output, most, 8), 1);
}
#else
/* Columns of a layer, four at a time: each input is read once for four sums, which stay in registers. */
static void zoo_dense(const zoo_layer *layer, const float *restrict input, float *restrict output)
{
    int start = 0;
    for (; start + 4 <= layer->outputs; start += 4) {
        const zoo_weight *restrict weights = layer->weights + start;
        float a = 0.0F, b = 0.0F, c = 0.0F, d = 0.0F;
        for (int i = 0; i < layer->inputs; ++i, weights += layer->outputs) {
            const float value = input[i];
            a += value * (float)weights[0];
            b += value * (float)weights[1];
            c += value * (float)weights[2];
            d += value * (float)weights[3];
        }
        output[start] = zoo_output(layer, start, a);
        output[start + 1] = zoo_output(layer, start + 1, b);
        output[start + 2] = zoo_output(layer, start + 2, c);
        output[start + 3] = zoo_output(layer, start + 3, d);
    }
    for (; start < layer->outputs; ++start) {
        const zoo_weight *restrict weights = layer->weights + start;
        float sum = 0.0F;
        for (int i = 0; i < layer->inputs; ++i, weights += layer->outputs)
            sum += input[i] * (float)weights[0];
        output[start] = zoo_output(layer, start, sum);
    }
}
#endif

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
