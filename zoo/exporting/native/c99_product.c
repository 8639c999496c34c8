#if defined(__SSE2__) || defined(__ARM_NEON) || defined(__wasm_simd128__)
/* Columns of input * weights, `width` at a time, a constant of each caller: compilers turn the sums into vectors, if they
   inline the function. An addition waits for the one before: with AVX, there are registers for two sums a column. */
__attribute__((always_inline))
static inline int zoo_columns(const zoo_layer *layer, const zoo_input *restrict input, float *restrict output,
                              int start, int width)
{
    for (; start + width <= layer->outputs; start += width) {
        const zoo_weight *restrict weights = layer->weights + start;
        zoo_sum sum[32], other[32];
        int i = 0;
        for (int j = 0; j < width; ++j)
            sum[j] = other[j] = 0;
#ifdef __AVX__
        for (; i + 1 < layer->inputs; i += 2) {
            for (int j = 0; j < width; ++j)
                sum[j] += input[i] * weights[j];
            weights += layer->outputs;
            for (int j = 0; j < width; ++j)
                other[j] += input[i + 1] * weights[j];
            weights += layer->outputs;
        }
#endif
        for (; i < layer->inputs; ++i, weights += layer->outputs)
            for (int j = 0; j < width; ++j)
                sum[j] += input[i] * weights[j];
        for (int j = 0; j < width; ++j)
            output[start + j] = zoo_output(layer, start + j, sum[j] + other[j]);
    }
    return start;
}

static void zoo_product(const zoo_layer *layer, const zoo_input *restrict input, float *restrict output)
{
    const int most = zoo_columns(layer, input, output, 0, 32);
    zoo_columns(layer, input, output, zoo_columns(layer, input, output, most, 8), 1);
}
#else
/* Columns of input * weights, eight at a time: each input is read once for eight sums, as many as a small processor has
   registers for. */
static void zoo_product(const zoo_layer *layer, const zoo_input *restrict input, float *restrict output)
{
    const zoo_input *end = input + layer->inputs;
    int start = 0;
    for (; start + 8 <= layer->outputs; start += 8) {
        const zoo_weight *restrict weights = layer->weights + start;
        zoo_sum a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0;
        for (const zoo_input *in = input; in < end; ++in, weights += layer->outputs) {
            const zoo_sum value = *in;
            a += value * weights[0];
            b += value * weights[1];
            c += value * weights[2];
            d += value * weights[3];
            e += value * weights[4];
            f += value * weights[5];
            g += value * weights[6];
            h += value * weights[7];
        }
        const zoo_sum sums[8] = {a, b, c, d, e, f, g, h};
        for (int j = 0; j < 8; ++j)
            output[start + j] = zoo_output(layer, start + j, sums[j]);
    }
    for (; start < layer->outputs; ++start) {
        const zoo_weight *restrict weights = layer->weights + start;
        zoo_sum sum = 0;
        for (const zoo_input *in = input; in < end; ++in, weights += layer->outputs)
            sum += *in * weights[0];
        output[start] = zoo_output(layer, start, sum);
    }
}
#endif
