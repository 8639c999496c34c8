/* A layer in integers: output = (factor * (input * weights)) / 2^shift + bias, weights[input][output]. States, of 15
   binary places, lose `drop` of them where a layer reads them next to its input. The cells of an LSTM have `places`. */
typedef struct {
    const int8_t *weights;
    const int32_t *factors, *bias;
    int inputs, outputs, shift, drop, places;
} zoo_layer;

static inline int16_t zoo_limited(int32_t value)
{
    return (int16_t)(value > 32767 ? 32767 : value < -32768 ? -32768 : value);
}

/* value / 2^places, rounded. Shifts of negative numbers keep their sign, with all compilers known. */
static inline int32_t zoo_shifted(int32_t value, int places)
{
    return places == 0 ? value : (value + (1 << (places - 1))) >> places;
}

static inline int16_t zoo_output(const zoo_layer *layer, int column, int32_t sum)
{
    const int64_t half = (int64_t)1 << (layer->shift - 1);
    const int64_t value = ((int64_t)layer->factors[column] * sum + half) >> layer->shift;
    const int64_t total = value + layer->bias[column];
    return (int16_t)(total > 32767 ? 32767 : total < -32768 ? -32768 : total);
}

/* Columns of a layer, eight at a time: each input is read once for eight sums, as many as a small processor has
   registers for. */
static void zoo_dense(const zoo_layer *layer, const int16_t *restrict input, int16_t *restrict output)
{
    const int16_t *end = input + layer->inputs;
    int start = 0;
    for (; start + 8 <= layer->outputs; start += 8) {
        const int8_t *restrict weights = layer->weights + start;
        int32_t a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0;
        for (const int16_t *in = input; in < end; ++in, weights += layer->outputs) {
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
            output[start + j] = zoo_output(layer, start + j, sums[j]);
    }
    for (; start < layer->outputs; ++start) {
        const int8_t *restrict weights = layer->weights + start;
        int32_t sum = 0;
        for (const int16_t *in = input; in < end; ++in, weights += layer->outputs)
            sum += *in * weights[0];
        output[start] = zoo_output(layer, start, sum);
    }
}

static void zoo_copy(int16_t *restrict to, const int16_t *restrict from, int count)
{
    for (int i = 0; i < count; ++i)
        to[i] = from[i];
}

static void zoo_zero(int16_t *values, int count)
{
    for (int i = 0; i < count; ++i)
        values[i] = 0;
}

static void zoo_relu(int16_t *values, int count)
{
    for (int i = 0; i < count; ++i)
        values[i] = values[i] > 0 ? values[i] : 0;
}

static void zoo_leaky_relu(int16_t *values, int count)
{
    for (int i = 0; i < count; ++i)
        values[i] = values[i] > 0 ? values[i] : (int16_t)zoo_shifted(6554 * values[i], 15);
}

/* A value of a table between -8 and 8, from 12 binary places to 15. */
static inline int32_t zoo_sigmoid_of(int16_t value)
{
    const int32_t place = value + 32768;
    const int32_t low = zoo_sigmoid_table[place >> 8], high = zoo_sigmoid_table[(place >> 8) + 1];
    return low + zoo_shifted((high - low) * (place & 255), 8);
}

static void zoo_sigmoid(int16_t *values, int count)
{
    for (int i = 0; i < count; ++i)
        values[i] = (int16_t)zoo_sigmoid_of(values[i]);
}

/* From 13 binary places to 15: tanh(x) = 2 sigmoid(2 x) - 1, and 2 x of 12 places is x of 13. */
static void zoo_tanh(int16_t *values, int count)
{
    for (int i = 0; i < count; ++i)
        values[i] = (int16_t)(2 * zoo_sigmoid_of(values[i]) - 32768);
}

/* Probabilities, in units of 2^-15, of logits of 10 binary places. */
static void zoo_softmax(const int16_t *restrict logits, uint16_t *restrict probabilities, int count)
{
    int32_t largest = logits[0];
    uint32_t sum = 0;
    for (int i = 1; i < count; ++i)
        largest = logits[i] > largest ? logits[i] : largest;
    for (int i = 0; i < count; ++i) {
        const int32_t below = largest - logits[i];
        int32_t power = 0;
        if (below < 8192) {
            const int32_t high = zoo_exp_table[below >> 5], low = zoo_exp_table[(below >> 5) + 1];
            power = high - zoo_shifted((high - low) * (below & 31), 5);
        }
        probabilities[i] = (uint16_t)power;
        sum += (uint32_t)power;
    }
    for (int i = 0; i < count; ++i)
        probabilities[i] = (uint16_t)((probabilities[i] * (uint32_t)32768 + sum / 2) / sum);
}

/* Puts the state behind the input of a layer. */
static void zoo_append(const zoo_layer *layer, int16_t *restrict read, const int16_t *restrict h, int units)
{
    for (int j = 0; j < units; ++j)
        read[layer->inputs - units + j] = (int16_t)zoo_shifted(h[j], layer->drop);
}

/* h <- tanh(x W + h U + b). `read` holds x, and room for h after it. */
static void zoo_simple_rnn(const zoo_layer *cell, int16_t *restrict read, int16_t *restrict h)
{
    zoo_append(cell, read, h, cell->outputs);
    zoo_dense(cell, read, h);
    zoo_tanh(h, cell->outputs);
}

/* c <- f c + i tanh(...), h <- o tanh(c). `gates` has room for i, f, o and the candidate. */
static void zoo_lstm(const zoo_layer *cell, int16_t *restrict read, int16_t *restrict gates, int16_t *restrict h,
                     int16_t *restrict c)
{
    const int units = cell->outputs / 4;
    const int16_t *restrict i = gates, *restrict f = gates + units, *restrict o = gates + 2 * units;
    int16_t *restrict candidate = gates + 3 * units;
    zoo_append(cell, read, h, units);
    zoo_dense(cell, read, gates);
    zoo_sigmoid(gates, 3 * units);
    zoo_tanh(candidate, units);
    for (int j = 0; j < units; ++j) {
        const int32_t kept = zoo_shifted(f[j] * c[j], 15);
        c[j] = zoo_limited(kept + zoo_shifted(i[j] * candidate[j], 30 - cell->places));
        /* 13 binary places, as tanh reads them. */
        h[j] = cell->places > 13 ? (int16_t)zoo_shifted(c[j], cell->places - 13)
                                 : zoo_limited(c[j] * (1 << (13 - cell->places)));
    }
    zoo_tanh(h, units);
    for (int j = 0; j < units; ++j)
        h[j] = (int16_t)zoo_shifted(o[j] * h[j], 15);
}

/* h <- z h + (1 - z) tanh(x W + (r h) U + b). `gates` has room for z, r and the candidate. */
static void zoo_gru(const zoo_layer *cell, const zoo_layer *reset, int16_t *restrict read, int16_t *restrict gates,
                    int16_t *restrict h)
{
    const int units = reset->outputs;
    const int16_t *restrict z = gates, *restrict r = gates + units;
    int16_t *restrict candidate = gates + 2 * units;
    zoo_append(cell, read, h, units);
    zoo_dense(cell, read, gates);
    zoo_sigmoid(gates, 2 * units);
    for (int j = 0; j < units; ++j)
        read[reset->inputs - units + j] = (int16_t)zoo_shifted(zoo_shifted(r[j] * h[j], 15), reset->drop);
    zoo_dense(reset, read, candidate);
    zoo_tanh(candidate, units);
    for (int j = 0; j < units; ++j)
        h[j] = (int16_t)(candidate[j] + zoo_shifted(z[j] * (h[j] - candidate[j]), 15));
}
