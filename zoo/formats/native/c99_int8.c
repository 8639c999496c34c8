typedef int8_t zoo_weight;

/* A layer: output = scale * (input * weights) + bias, weights[input][output], one scale for each output. */
typedef struct {
    const zoo_weight *weights;
    const float *scales, *bias;
    int inputs, outputs;
} zoo_layer;

static inline float zoo_output(const zoo_layer *layer, int column, float sum)
{
    return layer->bias[column] + layer->scales[column] * sum;
}
