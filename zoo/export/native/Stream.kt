package pocketzoo

import kotlin.math.exp

/** States of the network by their names. */
typealias States = Map<String, FloatArray>

/** What a person is doing now: a label, or null where the network is not sure enough. */
class Answer(val seconds: Double, val label: String?, val probability: Double, val probabilities: DoubleArray)

/**
 * A signal without end: samples as they come in, answers out.
 *
 * It follows `zoo.runtime.streaming` of pocket-zoo line by line, where the reasons are. Not for two threads at once.
 *
 * @param step One step of the network: a frame and the states in, probabilities and the new states out.
 */
class Stream(private val step: (FloatArray, States) -> Pair<FloatArray, States>) {
    private val resampler = Resampler()
    private val frame = FloatArray(Model.FRAME * Model.CHANNELS)
    private val period = if (Model.RESTART > 0) maxOf(1, Model.RESTART / Model.FRAME) else 0
    private val copies = if (period > 0) Model.COPIES else 1
    private val warmup = (Model.WARMUP + Model.FRAME - 1) / Model.FRAME
    private val forget = if (Model.SMOOTHING > 0) exp(-Model.FRAME / Model.RATE / Model.SMOOTHING) else 0.0
    private var filled = 0
    private var frames = 0
    private val states = arrayOfNulls<States>(copies)
    private val ages = IntArray(copies)
    private var mean: DoubleArray? = null
    private var shown = -1

    /** Forgets the signal. */
    fun restart() {
        resampler.restart()
        filled = 0
        frames = 0
        states.fill(null)
        ages.fill(0)
        mean = null
        shown = -1
    }

    /**
     * Takes a sample, in m/s^2 with Android's sign; one that is not later than the one before is left out.
     *
     * @return The answers that are complete with it.
     */
    fun push(seconds: Double, x: Float, y: Float, z: Float): List<Answer> {
        val value = doubleArrayOf(x.toDouble(), y.toDouble(), z.toDouble())
        if (seconds <= resampler.last || value.any { it.isNaN() || it.isInfinite() }) return emptyList()
        if (seconds - resampler.last > GAP) restart()
        val answers = ArrayList<Answer>()
        for ((moment, row) in resampler.push(seconds, value)) {
            for (number in row) frame[filled++] = number.toFloat()
            if (filled < frame.size) continue
            filled = 0
            read()?.let { answers.add(answer(moment, it)) }
        }
        return answers
    }

    /** Reads the frame into each state; probabilities of the oldest, or null where none has read enough. */
    private fun read(): FloatArray? {
        var oldest = 0
        var answer: FloatArray? = null
        for (copy in 0 until copies) {
            val since = frames - copy * period / copies
            if (since == 0 || since > 0 && period > 0 && since % period == 0) {
                states[copy] = Model.STATES.mapValues { FloatArray(it.value) }
                ages[copy] = 0
            }
            val state = states[copy] ?: continue
            val (probabilities, next) = step(frame, state)
            states[copy] = next
            ages[copy] += 1
            if (ages[copy] >= oldest) {
                oldest = ages[copy]
                answer = probabilities
            }
        }
        frames += 1
        return if (oldest >= warmup) answer else null
    }

    private fun answer(seconds: Double, probabilities: FloatArray): Answer {
        val past = mean
        val now = DoubleArray(probabilities.size) { i ->
            val p = probabilities[i].toDouble()
            if (past == null) p else p + forget * (past[i] - p)
        }
        var best = 0
        for (i in now.indices) if (now[i] > now[best]) best = i
        if (shown < 0 || now[best] - now[shown] >= Model.MARGIN) shown = best
        mean = now
        val sure = now[shown] >= Model.THRESHOLD
        return Answer(seconds, if (sure) Model.LABELS[shown] else null, now[if (sure) shown else best], now)
    }

    private companion object {
        /** Seconds without a sample after which the signal begins anew. */
        const val GAP = 1.0
    }
}

/** Samples of any rate and with jitter to rows of the model's rate. */
private class Resampler {
    var last = Double.NaN
        private set
    private var first = Double.NaN
    private var value = DoubleArray(3)
    private var rows = 0
    private var interval = Double.NaN
    private var area = DoubleArray(3)
    private var span = 0.0

    fun restart() {
        first = Double.NaN
        last = Double.NaN
        interval = Double.NaN
        area = DoubleArray(3)
        span = 0.0
    }

    fun push(seconds: Double, sample: DoubleArray): List<Pair<Double, DoubleArray>> {
        if (first.isNaN()) {
            first = seconds
            last = seconds
            value = sample
            rows = 1
            return listOf(Pair(seconds, sample))
        }
        val elapsed = seconds - last
        interval = if (interval.isNaN()) elapsed else 0.9 * interval + 0.1 * elapsed
        val found = ArrayList<Pair<Double, DoubleArray>>()
        while (true) {
            val moment = first + rows / Model.RATE
            if (moment > seconds + 1e-9) break
            val share = (moment - last) / (seconds - last)
            val at = DoubleArray(3) { value[it] + share * (sample[it] - value[it]) }
            draw(moment, at)
            // Where samples come faster than four thirds of the model's rate, a row is their mean.
            found.add(Pair(moment, if (interval < 0.75 / Model.RATE) DoubleArray(3) { area[it] / span } else at))
            area = DoubleArray(3)
            span = 0.0
            rows += 1
        }
        draw(seconds, sample)
        return found
    }

    /** Draws the line from the last point to this one, and adds what lies under it. */
    private fun draw(seconds: Double, to: DoubleArray) {
        val width = seconds - last
        for (axis in 0..2) area[axis] += width * (value[axis] + to[axis]) / 2
        span += width
        last = seconds
        value = to
    }
}
