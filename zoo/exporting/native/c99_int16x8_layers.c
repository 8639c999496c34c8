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
