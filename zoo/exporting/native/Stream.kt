package pocketzoo

import kotlin.math.abs
import kotlin.math.exp
import kotlin.math.expm1
import kotlin.math.floor
import kotlin.math.pow
import kotlin.math.sqrt

/** States of the network by their names. */
typealias States = Map<String, FloatArray>

/**
 * What a person is doing now: a label, or a reason for none: `not sure`, `something else` for the class of other movements,
 * or a fault of the signal, see [Signal].
 */
class Prediction(
    val seconds: Double, val label: String?, val probability: Double, val probabilities: DoubleArray, val reason: String?
)

/**
 * Continuous recognition: samples in as they arrive, predictions out.
 *
 * A port of `zoo.runtime.streaming` of pocket-zoo, where the reasons are explained. Not thread-safe.
 *
 * @param step Runs the network once: a frame and the states in, probabilities and the new states out.
 */
class Stream(private val step: (FloatArray, States) -> Pair<FloatArray, States>) {
    /** Dropped samples by reason, and gaps. */
    val skipped: Map<String, Int> get() = counts
    private val counts = LinkedHashMap<String, Int>()
    private val resampler = Resampler()
    private var signal = Signal()
    private val frame = FloatArray(Model.FRAME * Model.CHANNELS)
    private val period = if (Model.RESTART > 0) maxOf(1, Model.RESTART / Model.FRAME) else 0
    private val copies = if (period > 0) Model.COPIES else 1
    private val warmup = (Model.WARMUP + Model.FRAME - 1) / Model.FRAME
    private val filter = Filter(Model.GROUPS, Model.ADVANCE / Model.RATE)
    private var filled = 0
    private var frames = 0
    private val states = arrayOfNulls<States>(copies)
    private val ages = IntArray(copies)
    private var shown = -1
    private var pending: Pair<Double, DoubleArray>? = null

    /** Forgets the signal. */
    fun restart() {
        pending = null
        resampler.restart()
        signal = Signal()
        filled = 0
        frames = 0
        states.fill(null)
        ages.fill(0)
        filter.restart()
        shown = -1
    }

    /**
     * Adds a sample: acceleration along x, y, z in m/s^2 with Android's sign; for a model with six channels, then rotation
     * rate about x, y, z in rad/s. Faulty ones are dropped and counted in `skipped`.
     *
     * @return The predictions that it completes.
     */
    fun push(seconds: Double, vararg sample: Float): List<Prediction> {
        require(sample.size == Model.CHANNELS) { "a sample of ${sample.size} values; expected ${Model.CHANNELS}" }
        val value = DoubleArray(sample.size) { sample[it].toDouble() }
        if ((value + seconds).any { it.isNaN() || it.isInfinite() }) return drop("not finite")
        if (value.take(3).any { abs(it) > LIMIT }) return drop("beyond 160 m/s^2")
        if (value.drop(3).any { abs(it) > ROTATION_LIMIT }) return drop("beyond 100 rad/s")
        val elapsed = seconds - resampler.last
        if (elapsed > 0 && elapsed <= GAP) {
            if (pending != null) dropPending()
        } else if (!elapsed.isNaN()) {
            return unexpected(seconds, value, elapsed)
        }
        return resampled(seconds, value)
    }

    /** A sample whose time stamp does not follow the last one. */
    private fun unexpected(seconds: Double, value: DoubleArray, elapsed: Double): List<Prediction> {
        val before = pending
        val late = if (abs(elapsed) <= GAP || before == null) elapsed else seconds - before.first
        if (late <= 0 && late >= -GAP) return drop("not later than the one before")
        if (before != null && late > 0 && late <= GAP) {
            // Two samples agree on the new time: it was a gap, or the clock was set.
            drop("gaps")
            restart()
            return resampled(before.first, before.second) + resampled(seconds, value)
        }
        if (before != null) dropPending()
        pending = Pair(seconds, value)
        return emptyList()
    }

    private fun dropPending() {
        pending = null
        drop("time stamps that no other confirms")
    }

    private fun drop(reason: String): List<Prediction> {
        counts[reason] = (counts[reason] ?: 0) + 1
        return emptyList()
    }

    private fun resampled(seconds: Double, value: DoubleArray): List<Prediction> {
        val predictions = ArrayList<Prediction>()
        signal.push(seconds, value)
        for ((moment, row) in resampler.push(seconds, value)) {
            for (number in row) frame[filled++] = number.toFloat()
            if (filled < frame.size) continue
            val probabilities = read()
            val advance = Model.ADVANCE * Model.CHANNELS
            frame.copyInto(frame, 0, advance, frame.size)
            filled -= advance
            if (probabilities != null) predictions.add(prediction(moment, probabilities))
        }
        return predictions
    }

    /** Reads the frame into each state; probabilities of the oldest, or null until one has read enough. */
    private fun read(): FloatArray? {
        var oldest = 0
        var found: FloatArray? = null
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
                found = probabilities
            }
        }
        frames += 1
        return if (oldest >= warmup) found else null
    }

    private fun prediction(seconds: Double, answer: FloatArray): Prediction {
        val now = filter.update(answer)
        var best = 0
        for (i in now.indices) if (now[i] > now[best]) best = i
        if (shown < 0 || now[best] - now[shown] >= Model.MARGIN) shown = best
        val reason = signal.fault ?: when {
            now[shown] < Model.THRESHOLD -> "not sure"
            shown == Model.OTHER -> "something else"
            else -> return Prediction(seconds, Model.LABELS[shown], now[shown], now, null)
        }
        return Prediction(seconds, null, now[best], now, reason)
    }

    private companion object {
        /** Seconds without a sample after which the signal starts anew. */
        const val GAP = 1.0

        /** m/s^2 per axis: phones measure up to 16 g. */
        const val LIMIT = 160.0

        /** rad/s per axis: phones measure up to 70. */
        const val ROTATION_LIMIT = 100.0
    }
}

/** Follows samples and says why they cannot be recognized, by the rules of `zoo.runtime.faults`. */
class Signal {
    /** `at rest` if no body moves the phone, `no signal`, `too slow`, `shaken`, or null. */
    var fault: String? = null
        private set
    private var first = Double.NaN
    private var last = Double.NaN
    private var interval = Double.NaN

    /** Of the last second: acceleration along x, y and z, and its magnitude. */
    private val means = DoubleArray(4)
    private var still = Still(Double.NaN, DoubleArray(3) { Double.NaN }, false)

    /** Time and acceleration of the last seconds, which are searched for shaking, and when they were. */
    private val recent = ArrayList<DoubleArray>()
    private var searched = Double.NaN
    private var shaken = false

    /** Adds a sample, later than the previous one: seconds, m/s^2 along x, y, z, and perhaps rad/s about them. */
    fun push(seconds: Double, sample: DoubleArray) {
        val (x, y, z) = sample
        val now = doubleArrayOf(x, y, z, sqrt(x * x + y * y + z * z))
        val elapsed = seconds - last
        val share = if (elapsed.isNaN()) 1.0 else 1 - exp(-elapsed / MEMORY)
        for (i in means.indices) means[i] += share * (now[i] - means[i])
        if (elapsed.isNaN()) {
            first = seconds
            searched = seconds
        } else {
            interval = if (interval.isNaN()) elapsed else 0.9 * interval + 0.1 * elapsed
        }
        last = seconds
        if (sample.drop(3).any { abs(it) > TURNING } || !still.add(now)) {
            still = Still(seconds, now, false)
        } else if (seconds - still.start >= STRETCH) {
            still = Still(seconds, now, still.isNoise(interval))
        }
        if (Model.STEPS == 1) watchShaking(seconds, now)
        val (a, b, c, magnitude) = means
        val judged = seconds - first >= 2 * MEMORY
        fault = when {
            judged && !(magnitude > LEAST && magnitude < MOST) -> "no signal"
            judged && sqrt(a * a + b * b + c * c) < LEAST_GRAVITY -> "no signal"
            judged && interval > SLOWEST -> "too slow"
            shaken -> "shaken"
            still.rests -> "at rest"
            else -> null
        }
    }

    /** Searches the last seconds, every now and then, for motion that goes back and forth faster than steps do. */
    private fun watchShaking(seconds: Double, now: DoubleArray) {
        recent.add(doubleArrayOf(seconds, now[0], now[1], now[2]))
        if (seconds - searched < OFTEN) return
        searched = seconds
        recent.removeAll { it[0] < seconds - SHAKING }
        shaken = isShaken(seconds - recent[0][0], recent.size)
    }

    private fun isShaken(span: Double, count: Int): Boolean {
        val moves = (1..3).map { axis ->
            val usual = recent.map { it[axis] }.sum() / count
            DoubleArray(count) { recent[it][axis] - usual }
        }
        // The mean product of samples and those some places later.
        fun repeats(lag: Int) = moves.map { each -> (lag until count).map { each[it] * each[it - lag] }.sum() }.sum() / (count - lag)
        val power = repeats(0)
        if (span < SHAKING / 2 || power < STRONG * STRONG) return false
        val spacing = span / (count - 1)
        var back = 0.0
        var forth = 0.0
        for (lag in 1..floor(BACK_LAST / spacing + ROUNDING).toInt()) {
            val share = repeats(lag) / power
            if (lag * spacing >= BACK_FIRST - ROUNDING) back = maxOf(back, share)
            if (lag * spacing <= FORTH + ROUNDING) forth = minOf(forth, share)
        }
        return back >= REPEATED && forth < 0
    }

    /** A stretch without motion: its first sample, to which the others are compared, and sums over these. */
    private class Still(val start: Double, private val from: DoubleArray, val rests: Boolean) {
        private var count = 0
        private var step = Double.POSITIVE_INFINITY
        private val before = DoubleArray(3)
        private val sums = DoubleArray(3)
        private val squares = DoubleArray(3)
        private val products = DoubleArray(3)

        /** Adds a sample, or returns false where the phone moves. */
        fun add(now: DoubleArray): Boolean {
            if ((0..2).any { !(abs(now[it] - from[it]) <= MOTION) }) return false
            for (i in 0..2) {
                val move = now[i] - from[i]
                val change = abs(move - before[i])
                if (change > ROUNDING) step = minOf(step, change)
                sums[i] += move
                squares[i] += move * move
                products[i] += move * before[i]
                before[i] = move
            }
            count += 1
            return true
        }

        /** Whether it holds the noise of a sensor alone, or nothing at all. */
        fun isNoise(interval: Double): Boolean {
            val most = if (step < ROUNDED) NOISE else ROUNDED_NOISE
            var moving = 0
            var correlation = 0.0
            for (i in 0..2) {
                val squared = (sums[i] / count).pow(2)
                val variance = squares[i] / count - squared
                if (variance > most * most) return false
                if (variance <= ROUNDING) continue
                moving += 1
                correlation += (products[i] / count - squared) / variance
            }
            val limit = if (rests) STILL_CORRELATION else CORRELATION
            return moving == 0 || interval <= FASTEST && correlation / moving < limit
        }
    }

    private companion object {
        /** Seconds without motion after which a phone may be at rest. */
        const val STRETCH = 5.0

        /** What only motion causes: a change of an axis in m/s^2, and a rotation rate in rad/s. */
        const val MOTION = 0.3
        const val TURNING = 0.2

        /** Most standard deviation of noise in m/s^2, and change of an axis from which samples are rounded. */
        const val NOISE = 0.03
        const val ROUNDED_NOISE = 0.06
        const val ROUNDED = 0.05

        /** Change, and variance, of numbers that are equal but for the last bits. */
        const val ROUNDING = 1e-10

        /** Correlation of successive samples below which a phone is at rest, and remains so. */
        const val CORRELATION = 0.1
        const val STILL_CORRELATION = 0.25

        /** Seconds between samples up to which their correlation is telling, and up to which activities are. */
        const val FASTEST = 1.0 / 45
        const val SLOWEST = 1.0 / 15

        /** Mean magnitude of acceleration in m/s^2, and least length of its mean vector; time constant in seconds. */
        const val LEAST = 5.0
        const val MOST = 25.0
        const val LEAST_GRAVITY = 2.0
        const val MEMORY = 1.0

        /** Seconds that are searched for shaking, and between two searches. */
        const val SHAKING = 2.0
        const val OFTEN = 0.5

        /** Of shaking: least deviation in m/s^2, seconds after which it comes back and turns, correlation when back. */
        const val STRONG = 6.0
        const val BACK_FIRST = 0.12
        const val BACK_LAST = 0.28
        const val FORTH = 0.16
        const val REPEATED = 0.5
    }
}

/**
 * A group of labels, in which a filter follows which part is true.
 *
 * @param part The part of each label, or -1.
 * @param evidence How much a second of the network's answers counts.
 * @param stay Mean seconds for which each part lasts.
 */
class Group(val part: IntArray, val evidence: Double, val stay: DoubleArray)

/** Filters the network's answers over time, as `zoo.runtime.filtering` explains: answers that are `seconds` apart. */
class Filter(private val groups: Array<Group>, private val seconds: Double) {
    private var beliefs = emptyList<DoubleArray>()

    init {
        restart()
    }

    /** Forgets all answers. */
    fun restart() {
        beliefs = groups.map { group -> DoubleArray(group.stay.size) { group.stay[it] / group.stay.sum() } }
    }

    /** Probabilities of the labels, given this answer and those before. */
    fun update(answer: FloatArray): DoubleArray {
        val found = DoubleArray(answer.size) { 1.0 }
        for ((group, belief) in groups.zip(beliefs)) {
            follow(group, belief, answer)
            for (i in found.indices) if (group.part[i] >= 0) found[i] *= belief[group.part[i]]
        }
        return found
    }

    private fun follow(group: Group, belief: DoubleArray, answer: FloatArray) {
        val gone = DoubleArray(belief.size) { belief[it] * -expm1(-seconds / group.stay[it]) }
        val left = gone.sum()
        for (k in belief.indices) belief[k] = maxOf(belief[k] - gone[k] + (left - gone[k]) / (belief.size - 1), LEAST)
        val share = DoubleArray(belief.size)
        for (i in answer.indices) if (group.part[i] >= 0) share[group.part[i]] += answer[i].toDouble()
        val within = share.sum()
        if (!(within > 0)) return
        for (k in share.indices) share[k] = maxOf(share[k] / within, FLOOR)
        val best = share.fold(0.0) { most, each -> maxOf(most, each) }
        for (k in belief.indices) belief[k] *= (share[k] / best).pow(group.evidence * seconds * within)
        val sum = belief.sum()
        for (k in belief.indices) belief[k] /= sum
    }

    private companion object {
        /** Least share of a part in its group: no single answer counts as proof. */
        const val FLOOR = 0.01

        /** Least belief in a part: no part is ever impossible. */
        const val LEAST = 1e-30
    }
}

/** Converts samples of any rate, with jitter, to rows of the model's rate. */
private class Resampler {
    var last = Double.NaN
        private set
    private var first = Double.NaN
    private var value = DoubleArray(Model.CHANNELS)
    private var rows = 0
    private var interval = Double.NaN
    private var area = DoubleArray(Model.CHANNELS)
    private var span = 0.0

    fun restart() {
        first = Double.NaN
        last = Double.NaN
        interval = Double.NaN
        area = DoubleArray(Model.CHANNELS)
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
        val start = last
        val from = value
        val elapsed = seconds - start
        interval = if (interval.isNaN()) elapsed else 0.9 * interval + 0.1 * elapsed
        val found = ArrayList<Pair<Double, DoubleArray>>()
        while (true) {
            val moment = first + rows / Model.RATE
            if (moment > seconds + 1e-9) break
            val share = minOf(1.0, (moment - start) / elapsed)
            val at = DoubleArray(Model.CHANNELS) { from[it] + share * (sample[it] - from[it]) }
            integrate(moment, at)
            // Where samples arrive faster than four thirds of the model's rate, a row is their mean.
            found.add(Pair(moment, if (interval < 0.75 / Model.RATE) DoubleArray(Model.CHANNELS) { area[it] / span } else at))
            area = DoubleArray(Model.CHANNELS)
            span = 0.0
            rows += 1
        }
        integrate(seconds, sample)
        return found
    }

    /** Adds the area under the line from the last point to this one. */
    private fun integrate(seconds: Double, to: DoubleArray) {
        val width = seconds - last
        for (axis in area.indices) area[axis] += width * (value[axis] + to[axis]) / 2
        span += width
        last = seconds
        value = to
    }
}
