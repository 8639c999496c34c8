typedef float zoo_weight, zoo_input, zoo_sum, zoo_value;

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
