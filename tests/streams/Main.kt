// Follows streams by the protocol of golden.py, with the network `step` of it.
package pocketzoo

import kotlin.math.abs
import kotlin.math.pow
import kotlin.math.sin

val REASONS = listOf("not sure", "something else", "at rest", "no signal", "too slow", "shaken")

fun follow() = Stream { frame, states ->
    val signal = 0.9f * (states["h_1"]?.get(0) ?: 0f) + abs(frame[0]) + abs(frame.last())
    val scores = DoubleArray(Model.LABELS.size) { abs(sin(signal.toDouble() * (it + 1))).pow(8) }
    val sum = scores.sum()
    Pair(FloatArray(scores.size) { (scores[it] / sum).toFloat() }, states.mapValues { FloatArray(32) { signal } })
}

fun end(stream: Stream) {
    for ((reason, count) in stream.skipped) println("dropped $count $reason")
    println("end")
}

fun main() {
    var stream: Stream? = null
    for (line in generateSequence(::readLine)) {
        val current = stream
        if (line == "new") {
            if (current != null) end(current)
            stream = follow()
            continue
        }
        val numbers = line.split(" ").map { it.toDouble() }
        val values = FloatArray(numbers.size - 1) { numbers[it + 1].toFloat() }
        for (p in current!!.push(numbers[0], *values)) {
            val label = if (p.label == null) -1 - REASONS.indexOf(p.reason) else Model.LABELS.indexOf(p.label)
            println("${p.seconds} $label ${p.probability} ${p.probabilities.joinToString(" ")}")
        }
    }
    end(stream!!)
}
