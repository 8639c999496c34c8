typedef float zoo_weight, zoo_input, zoo_sum;

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

static inline float zoo_output(const zoo_layer *layer, int column, float sum)
{
    return layer->bias[column] + sum;
}

static void zoo_product(const zoo_layer *layer, const zoo_input *restrict input, float *restrict output);

static void zoo_dense(const zoo_layer *layer, const float *restrict input, float *restrict output)
{
    zoo_product(layer, input, output);
}
