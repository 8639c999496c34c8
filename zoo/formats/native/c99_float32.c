typedef float zoo_weight;

/* A layer: output = input * weights + bias, weights[input][output]. */
typedef struct {
    const zoo_weight *weights;
    const float *bias;
    int inputs, outputs;
} zoo_layer;

static inline float zoo_scaled(const zoo_layer *layer, int column, float sum)
{
    (void)layer;
    (void)column;
    return sum;
}

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
                sum[j] += input[i] * weights[j];
        for (int j = 0; j < width; ++j)
            output[start + j] = layer->bias[start + j] + sum[j];
    }
    return start;
}

static void zoo_dense(const zoo_layer *layer, const float *restrict input, float *restrict output)
{
    const int most = zoo_columns(layer, input, output, 0, 32);
    zoo_columns(layer, input, output, zoo_columns(layer, input, output, most, 8), 1);
}
#else
/* Columns of a layer, eight at a time: each input is read once for eight sums, as many as a small processor has
   registers for. */
static void zoo_dense(const zoo_layer *layer, const float *restrict input, float *restrict output)
{
    const float *end = input + layer->inputs;
    int start = 0;
    for (; start + 8 <= layer->outputs; start += 8) {
        const zoo_weight *restrict weights = layer->weights + start;
        float a = 0.0F, b = 0.0F, c = 0.0F, d = 0.0F, e = 0.0F, f = 0.0F, g = 0.0F, h = 0.0F;
        for (const float *in = input; in < end; ++in, weights += layer->outputs) {
            const float value = *in;
            a += value * weights[0];
            b += value * weights[1];
            c += value * weights[2];
            d += value * weights[3];
            e += value * weights[4];
            f += value * weights[5];
            g += value * weights[6];
            h += value * weights[7];
        }
        const float sums[8] = {a, b, c, d, e, f, g, h};
        for (int j = 0; j < 8; ++j)
            output[start + j] = layer->bias[start + j] + sums[j];
    }
    for (; start < layer->outputs; ++start) {
        const zoo_weight *restrict weights = layer->weights + start;
        float sum = 0.0F;
        for (const float *in = input; in < end; ++in, weights += layer->outputs)
            sum += *in * weights[0];
        output[start] = layer->bias[start] + sum;
    }
}
#endif
