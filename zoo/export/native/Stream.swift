import Foundation

/// States of the network by their names.
public typealias States = [String: [Float]]

/// What a person is doing now: a label, or nil where the network is not sure enough.
public struct Answer {
    public let seconds: Double
    public let label: String?
    public let probability: Double
    public let probabilities: [Double]
}

/// A signal without end: samples as they come in, answers out.
///
/// It follows `zoo.runtime.streaming` of pocket-zoo line by line, where the reasons are. Not for two threads at once.
public final class Stream {
    /// One step of the network: a frame and the states in, probabilities and the new states out.
    public typealias Step = ([Float], States) throws -> ([Float], States)

    /// Seconds without a sample after which the signal begins anew.
    private static let gap = 1.0

    private let step: Step
    private let period = Model.restart > 0 ? max(1, Model.restart / Model.frame) : 0
    private let copies: Int
    private let warmup = (Model.warmup + Model.frame - 1) / Model.frame
    private let forget = Model.smoothing > 0 ? exp(-Double(Model.frame) / Model.rate / Model.smoothing) : 0
    private var resampler = Resampler()
    private var frame: [Float] = []
    private var frames = 0
    private var states: [States?]
    private var ages: [Int]
    private var mean: [Double]?
    private var shown: Int?

    public init(step: @escaping Step) {
        self.step = step
        copies = period > 0 ? Model.copies : 1
        states = Array(repeating: nil, count: copies)
        ages = Array(repeating: 0, count: copies)
    }

    /// Forgets the signal.
    public func restart() {
        resampler = Resampler()
        frame = []
        frames = 0
        states = Array(repeating: nil, count: copies)
        ages = Array(repeating: 0, count: copies)
        mean = nil
        shown = nil
    }

    /// Takes a sample, in m/s^2 with Android's sign; one that is not later than the one before is left out.
    ///
    /// - Returns: The answers that are complete with it.
    public func push(seconds: Double, x: Double, y: Double, z: Double) throws -> [Answer] {
        guard [seconds, x, y, z].allSatisfy(\.isFinite) else { return [] }
        if let last = resampler.last {
            if seconds <= last { return [] }
            if seconds - last > Stream.gap { restart() }
        }
        var answers: [Answer] = []
        for (moment, row) in resampler.push(seconds: seconds, sample: [x, y, z]) {
            frame += row.map { Float($0) }
            if frame.count < Model.frame * Model.channels { continue }
            let probabilities = try read(frame)
            frame = []
            if let probabilities = probabilities { answers.append(answer(moment, probabilities)) }
        }
        return answers
    }

    /// Reads a frame into each state; probabilities of the oldest, or nil where none has read enough.
    private func read(_ frame: [Float]) throws -> [Float]? {
        var oldest = 0
        var answer: [Float]?
        for copy in 0..<copies {
            let since = frames - copy * period / copies
            if since == 0 || (since > 0 && period > 0 && since % period == 0) {
                states[copy] = Model.states.mapValues { Array(repeating: 0, count: $0) }
                ages[copy] = 0
            }
            guard let state = states[copy] else { continue }
            let (probabilities, next) = try step(frame, state)
            states[copy] = next
            ages[copy] += 1
            if ages[copy] >= oldest { (oldest, answer) = (ages[copy], probabilities) }
        }
        frames += 1
        return oldest >= warmup ? answer : nil
    }

    private func answer(_ seconds: Double, _ probabilities: [Float]) -> Answer {
        var now = probabilities.map { Double($0) }
        if let past = mean { now = zip(now, past).map { $0 + forget * ($1 - $0) } }
        let best = now.indices.reduce(0) { now[$1] > now[$0] ? $1 : $0 }
        var label = shown ?? best
        if now[best] - now[label] >= Model.margin { label = best }
        (mean, shown) = (now, label)
        let sure = now[label] >= Model.threshold
        return Answer(
            seconds: seconds, label: sure ? Model.labels[label] : nil, probability: now[sure ? label : best],
            probabilities: now)
    }
}

/// Samples of any rate and with jitter to rows of the model's rate.
struct Resampler {
    private(set) var last: Double?
    private var first = 0.0
    private var value: [Double] = []
    private var rows = 0
    private var interval: Double?
    private var area = [0.0, 0.0, 0.0]
    private var span = 0.0

    mutating func push(seconds: Double, sample: [Double]) -> [(Double, [Double])] {
        guard let previous = last else {
            (first, last, value, rows) = (seconds, seconds, sample, 1)
            return [(seconds, sample)]
        }
        let elapsed = seconds - previous
        let mean = interval.map { 0.9 * $0 + 0.1 * elapsed } ?? elapsed
        interval = mean
        var found: [(Double, [Double])] = []
        while true {
            let moment = first + Double(rows) / Model.rate
            if moment > seconds + 1e-9 { break }
            let from = last ?? moment
            let share = (moment - from) / (seconds - from)
            let at = zip(value, sample).map { $0 + share * ($1 - $0) }
            draw(to: at, moment)
            // Where samples come faster than four thirds of the model's rate, a row is their mean.
            found.append((moment, mean < 0.75 / Model.rate ? area.map { $0 / span } : at))
            (area, span) = ([0, 0, 0], 0)
            rows += 1
        }
        draw(to: sample, seconds)
        return found
    }

    /// Draws the line from the last point to this one, and adds what lies under it.
    private mutating func draw(to point: [Double], _ seconds: Double) {
        let width = seconds - (last ?? seconds)
        for axis in 0..<3 { area[axis] += width * (value[axis] + point[axis]) / 2 }
        span += width
        (last, value) = (seconds, point)
    }
}
