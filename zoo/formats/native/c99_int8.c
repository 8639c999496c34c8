typedef int8_t zoo_weight;

/* A layer: output = scale * (input * weights) + bias, weights[input][output], with a scale for each output. */
typedef struct {
    const zoo_weight *weights;
    const float *scales, *bias;
    int inputs, outputs;
} zoo_layer;

static inline float zoo_scaled(const zoo_layer *layer, int column, float sum)
{
    return layer->scales[column] * sum;
}

/* Rounds the inputs of a layer to 16 bits, so that the largest sum of products fits into 32. Returns the unit. */
static float zoo_round(const float *restrict input, int16_t *restrict rounded, int count)
{
    const float most = count > 516 ? 16909320.0F / (float)count : 32767.0F;
    float largest = 1e-30F;
    for (int i = 0; i < count; ++i) {
        const float size = input[i] > 0.0F ? input[i] : -input[i];
        largest = size > largest ? size : largest;
    }
    for (int i = 0; i < count; ++i) {
        float value = input[i] * (most / largest);
        value = value > -most ? value : -most;
        value = value < most ? value : most;
        rounded[i] = (int16_t)(value + (value < 0.0F ? -0.5F : 0.5F));
    }
    return largest / most;
}

static inline float zoo_output(const zoo_layer *layer, int column, int32_t sum, float unit)
{
    return layer->bias[column] + layer->scales[column] * unit * (float)sum;
}

#if defined(__SSE2__) || defined(__ARM_NEON) || defined(__wasm_simd128__)
/* Columns of a layer, `width` at a time, a constant of each caller: compilers turn the sums into vectors. */
static inline int zoo_columns(const zoo_layer *layer, const int16_t *restrict input, float unit,
                              float *restrict output, int start, int width)
{
    for (; start + width <= layer->outputs; start += width) {
        const zoo_weight *restrict weights = layer->weights + start;
        int32_t sum[32] = {0};
        for (int i = 0; i < layer->inputs; ++i, weights += layer->outputs)
            for (int j = 0; j < width; ++j)
                sum[j] += input[i] * weights[j];
        for (int j = 0; j < width; ++j)
            output[start + j] = zoo_output(layer, start + j, sum[j], unit);
    }
    return start;
}

static void zoo_dense(const zoo_layer *layer, const float *restrict input, float *restrict output)
{
    int16_t rounded[ZOO_MOST_INPUTS];
    const float unit = zoo_round(input, rounded, layer->inputs);
    const int most = zoo_columns(layer, rounded, unit, output, 0, 32);
    zoo_columns(layer, rounded, unit, output, zoo_columns(layer, rounded, unit, output, most, 8), 1);
}
#else
/* Columns of a layer, eight at a time: each input is read once for eight sums, as many as a small processor has
   registers for. */
static void zoo_dense(const zoo_layer *layer, const float *restrict input, float *restrict output)
{
    int16_t rounded[ZOO_MOST_INPUTS];
    const float unit = zoo_round(input, rounded, layer->inputs);
    const int16_t *end = rounded + layer->inputs;
    int start = 0;
    for (; start + 8 <= layer->outputs; start += 8) {
        const zoo_weight *restrict weights = layer->weights + start;
        int32_t a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0;
        for (const int16_t *in = rounded; in < end; ++in, weights += layer->outputs) {
            const int32_t value = *in;
            a += value * weights[0];
            b += value * weights[1];
            c += value * weights[2];
            d += value * weights[3];
            e += value * weights[4];
            f += value * weights[5];
            g += value * weights[6];
            h += value * weights[7];
        }
        const int32_t sums[8] = {a, b, c, d, e, f, g, h};
        for (int j = 0; j < 8; ++j)
            output[start + j] = zoo_output(layer, start + j, sums[j], unit);
    }
    for (; start < layer->outputs; ++start) {
        const zoo_weight *restrict weights = layer->weights + start;
        int32_t sum = 0;
        for (const int16_t *in = rounded; in < end; ++in, weights += layer->outputs)
            sum += *in * weights[0];
        output[start] = zoo_output(layer, start, sum, unit);
    }
}
#endif
