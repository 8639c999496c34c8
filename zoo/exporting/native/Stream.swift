import Foundation

/// States of the network by their names.
public typealias States = [String: [Float]]

/// What a person is doing now: a label, or a reason for none: `not sure`, `something else` for the class of other
/// movements, or a fault of the signal, see `Signal`.
public struct Prediction {
    public let seconds: Double
    public let label: String?
    public let probability: Double
    public let probabilities: [Double]
    public let reason: String?
}

/// Continuous recognition: samples in as they arrive, predictions out.
///
/// A port of `zoo.runtime.streaming` of pocket-zoo, where the reasons are explained. Not thread-safe.
public final class Stream {
    /// Runs the network once: a frame and the states in, probabilities and the new states out.
    public typealias Step = ([Float], States) throws -> ([Float], States)

    /// Seconds without a sample after which the signal starts anew.
    private static let gap = 1.0

    /// m/s^2 per axis: phones measure up to 16 g.
    private static let limit = 160.0

    /// rad/s per axis: phones measure up to 70.
    private static let rotationLimit = 100.0

    /// Dropped samples by reason, and gaps.
    public private(set) var skipped: [String: Int] = [:]

    private let step: Step
    private let period = Model.restart > 0 ? max(1, Model.restart / Model.frame) : 0
    private let copies: Int
    private let warmup = (Model.warmup + Model.frame - 1) / Model.frame
    private var filter = Filter(groups: Model.groups, seconds: Double(Model.advance) / Model.rate)
    private var resampler = Resampler()
    private var signal = Signal()
    private var frame: [Float] = []
    private var frames = 0
    private var states: [States?]
    private var ages: [Int]
    private var shown: Int?
    private var pending: (Double, [Double])?

    public init(step: @escaping Step) {
        self.step = step
        copies = period > 0 ? Model.copies : 1
        states = Array(repeating: nil, count: copies)
        ages = Array(repeating: 0, count: copies)
    }

    /// Forgets the signal.
    public func restart() {
        pending = nil
        resampler = Resampler()
        signal = Signal()
        frame = []
        frames = 0
        states = Array(repeating: nil, count: copies)
        ages = Array(repeating: 0, count: copies)
        filter.restart()
        shown = nil
    }

    /// Adds a sample, in m/s^2 with Android's sign. Faulty ones are dropped and counted in `skipped`.
    ///
    /// - Returns: The predictions that it completes.
    public func push(seconds: Double, x: Double, y: Double, z: Double) throws -> [Prediction] {
        try push(seconds: seconds, sample: [x, y, z])
    }

    /// Adds a sample of all channels: acceleration along x, y, z; for a model with six, then rotation rate in rad/s.
    ///
    /// - Returns: The predictions that it completes.
    public func push(seconds: Double, sample: [Double]) throws -> [Prediction] {
        precondition(sample.count == Model.channels, "a sample of \(sample.count) values; expected \(Model.channels)")
        guard seconds.isFinite && sample.allSatisfy(\.isFinite) else { return drop("not finite") }
        guard sample.prefix(3).allSatisfy({ abs($0) <= Stream.limit }) else { return drop("beyond 160 m/s^2") }
        guard sample.dropFirst(3).allSatisfy({ abs($0) <= Stream.rotationLimit }) else { return drop("beyond 100 rad/s") }
        if let last = resampler.last {
            let elapsed = seconds - last
            guard elapsed > 0 && elapsed <= Stream.gap else { return try unexpected(seconds, sample, elapsed) }
            if pending != nil { dropPending() }
        }
        return try resampled(seconds, sample)
    }

    /// A sample whose time stamp does not follow the last one.
    private func unexpected(_ seconds: Double, _ value: [Double], _ elapsed: Double) throws -> [Prediction] {
        let before = pending
        let late = abs(elapsed) <= Stream.gap ? elapsed : before.map { seconds - $0.0 } ?? elapsed
        if late <= 0 && late >= -Stream.gap { return drop("not later than the one before") }
        if let before = before, late > 0 && late <= Stream.gap {
            // Two samples agree on the new time: it was a gap, or the clock was set.
            _ = drop("gaps")
            restart()
            return try resampled(before.0, before.1) + resampled(seconds, value)
        }
        if before != nil { dropPending() }
        pending = (seconds, value)
        return []
    }

    private func dropPending() {
        pending = nil
        _ = drop("time stamps that no other confirms")
    }

    private func drop(_ reason: String) -> [Prediction] {
        skipped[reason, default: 0] += 1
        return []
    }

    private func resampled(_ seconds: Double, _ value: [Double]) throws -> [Prediction] {
        var predictions: [Prediction] = []
        signal.push(seconds: seconds, sample: value)
        for (moment, row) in resampler.push(seconds: seconds, sample: value) {
            frame += row.map { Float($0) }
            if frame.count < Model.frame * Model.channels { continue }
            let probabilities = try read(frame)
            frame.removeFirst(Model.advance * Model.channels)
            if let probabilities = probabilities { predictions.append(prediction(moment, probabilities)) }
        }
        return predictions
    }

    /// Reads a frame into each state; probabilities of the oldest, or nil until one has read enough.
    private func read(_ frame: [Float]) throws -> [Float]? {
        var oldest = 0
        var found: [Float]?
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
            if ages[copy] >= oldest { (oldest, found) = (ages[copy], probabilities) }
        }
        frames += 1
        return oldest >= warmup ? found : nil
    }

    private func prediction(_ seconds: Double, _ answer: [Float]) -> Prediction {
        let now = filter.update(answer)
        let best = now.indices.reduce(0) { now[$1] > now[$0] ? $1 : $0 }
        var label = shown ?? best
        if now[best] - now[label] >= Model.margin { label = best }
        shown = label
        var reason = signal.fault
        if reason == nil && now[label] < Model.threshold { reason = "not sure" }
        if reason == nil && label == Model.other { reason = "something else" }
        return Prediction(
            seconds: seconds, label: reason == nil ? Model.labels[label] : nil,
            probability: now[reason == nil ? label : best], probabilities: now, reason: reason)
    }
}

/// Follows samples and says why they cannot be recognized, by the rules of `zoo.runtime.faults`.
struct Signal {
    /// Seconds without motion after which a phone may be at rest.
    private static let stretch = 5.0

    /// What only motion causes: a change of an axis in m/s^2, and a rotation rate in rad/s.
    private static let (motion, turning) = (0.3, 0.2)

    /// Most standard deviation of noise in m/s^2, and change of an axis from which samples are rounded.
    private static let (noise, roundedNoise, rounded) = (0.03, 0.06, 0.05)

    /// Change, and variance, of numbers that are equal but for the last bits.
    private static let rounding = 1e-10

    /// Correlation of successive samples below which a phone is at rest, and remains so.
    private static let (correlation, stillCorrelation) = (0.1, 0.25)

    /// Seconds between samples up to which their correlation is telling, and up to which activities are.
    private static let (fastest, slowest) = (1.0 / 45, 1.0 / 15)

    /// Mean magnitude of acceleration in m/s^2, and least length of its mean vector; time constant in seconds.
    private static let (least, most, leastGravity, memory) = (5.0, 25.0, 2.0, 1.0)

    /// Seconds that are searched for shaking, and between two searches.
    private static let (shaking, often) = (2.0, 0.5)

    /// Of shaking: least deviation in m/s^2, seconds after which it comes back and turns, correlation when back.
    private static let (strong, back, forth, repeated) = (6.0, (0.12, 0.28), 0.16, 0.5)

    /// `at rest` if no body moves the phone, `no signal`, `too slow`, `shaken`, or nil.
    private(set) var fault: String?

    private var first = 0.0
    private var last: Double?
    private var interval: Double?
    /// Of the last second: acceleration along x, y and z, and its magnitude.
    private var means: [Double] = []
    private var still = Still(start: 0, from: [], rests: false)
    /// Samples of the last seconds, which are searched for shaking, and when they were.
    private var recent: [(seconds: Double, axes: [Double])] = []
    private var searched = 0.0
    private var shaken = false

    /// Adds a sample, later than the previous one: seconds, m/s^2 along x, y, z, and perhaps rad/s about them.
    mutating func push(seconds: Double, sample: [Double]) {
        let axes = Array(sample.prefix(3))
        let now = axes + [Signal.length(axes)]
        if let last = last {
            let elapsed = seconds - last
            interval = interval.map { 0.9 * $0 + 0.1 * elapsed } ?? elapsed
            let share = 1 - exp(-elapsed / Signal.memory)
            means = zip(means, now).map { $0 + share * ($1 - $0) }
        } else {
            (first, searched, means) = (seconds, seconds, now)
        }
        last = seconds
        if sample.dropFirst(3).contains(where: { abs($0) > Signal.turning }) || !still.add(axes) {
            still = Still(start: seconds, from: axes, rests: false)
        } else if seconds - still.start >= Signal.stretch {
            still = Still(start: seconds, from: axes, rests: still.isNoise(interval))
        }
        if Model.steps == 1 { watchShaking(seconds, axes) }
        fault = shaken ? "shaken" : still.rests ? "at rest" : nil
        guard seconds - first >= 2 * Signal.memory else { return }
        let range = means[3] > Signal.least && means[3] < Signal.most
        if !range || Signal.length(means.prefix(3)) < Signal.leastGravity {
            fault = "no signal"
        } else if let interval = interval, interval > Signal.slowest {
            fault = "too slow"
        }
    }

    private static func length<Axes: Sequence>(_ axes: Axes) -> Double where Axes.Element == Double {
        axes.reduce(0) { $0 + $1 * $1 }.squareRoot()
    }

    /// Searches the last seconds, every now and then, for motion that goes back and forth faster than steps do.
    private mutating func watchShaking(_ seconds: Double, _ axes: [Double]) {
        recent.append((seconds, axes))
        if seconds - searched < Signal.often { return }
        searched = seconds
        recent.removeAll { $0.seconds < seconds - Signal.shaking }
        shaken = isShaken(seconds - recent[0].seconds)
    }

    private func isShaken(_ span: Double) -> Bool {
        let count = recent.count
        let moves = (0..<3).map { axis -> [Double] in
            let usual = recent.reduce(0) { $0 + $1.axes[axis] } / Double(count)
            return recent.map { $0.axes[axis] - usual }
        }
        // The mean product of samples and those some places later.
        func repeats(_ lag: Int) -> Double {
            moves.reduce(0) { zip($1, $1.dropFirst(lag)).reduce($0) { $0 + $1.0 * $1.1 } } / Double(count - lag)
        }
        let power = repeats(0)
        if span < Signal.shaking / 2 || power < Signal.strong * Signal.strong { return false }
        let spacing = span / Double(count - 1)
        var (back, forth) = (0.0, 0.0)
        var lag = 1
        while lag <= Int(Signal.back.1 / spacing + Signal.rounding) {
            let (seconds, share) = (Double(lag) * spacing, repeats(lag) / power)
            if seconds >= Signal.back.0 - Signal.rounding { back = max(back, share) }
            if seconds <= Signal.forth + Signal.rounding { forth = min(forth, share) }
            lag += 1
        }
        return back >= Signal.repeated && forth < 0
    }

    /// A stretch without motion: its first sample, to which the others are compared, and sums over these.
    private struct Still {
        let start: Double
        let from: [Double]
        let rests: Bool
        private var count = 0.0
        private var step = Double.infinity
        private var before = [0.0, 0, 0]
        private var sums = [0.0, 0, 0]
        private var squares = [0.0, 0, 0]
        private var products = [0.0, 0, 0]

        init(start: Double, from: [Double], rests: Bool) {
            (self.start, self.from, self.rests) = (start, from, rests)
        }

        /// Adds a sample, or returns false where the phone moves, or was not there before.
        mutating func add(_ axes: [Double]) -> Bool {
            let moves = zip(axes, from).map { $0 - $1 }
            if moves.isEmpty || moves.contains(where: { abs($0) > Signal.motion }) { return false }
            for (i, move) in moves.enumerated() {
                let change = abs(move - before[i])
                if change > Signal.rounding { step = min(step, change) }
                sums[i] += move
                squares[i] += move * move
                products[i] += move * before[i]
            }
            (before, count) = (moves, count + 1)
            return true
        }

        /// Whether it holds the noise of a sensor alone, or nothing at all.
        func isNoise(_ interval: Double?) -> Bool {
            let most = step < Signal.rounded ? Signal.noise : Signal.roundedNoise
            var (moving, correlation) = (0.0, 0.0)
            for i in 0..<3 {
                let squared = (sums[i] / count) * (sums[i] / count)
                let variance = squares[i] / count - squared
                if variance > most * most { return false }
                if variance <= Signal.rounding { continue }
                moving += 1
                correlation += (products[i] / count - squared) / variance
            }
            let limit = rests ? Signal.stillCorrelation : Signal.correlation
            return moving == 0 || (interval ?? .infinity) <= Signal.fastest && correlation / moving < limit
        }
    }
}

/// A group of labels, in which a filter follows which part is true.
struct Group {
    /// The part of each label, or -1.
    let part: [Int]

    /// How much a second of the network's answers counts.
    let evidence: Double

    /// Mean seconds for which each part lasts.
    let stay: [Double]
}

/// Filters the network's answers over time, as `zoo.runtime.filtering` explains: answers that are `seconds` apart.
struct Filter {
    /// Least share of a part in its group: no single answer counts as proof.
    private static let floor = 0.01

    /// Least belief in a part: no part is ever impossible.
    private static let least = 1e-30

    private let groups: [Group]
    private let seconds: Double
    private var beliefs: [[Double]] = []

    init(groups: [Group], seconds: Double) {
        (self.groups, self.seconds) = (groups, seconds)
        restart()
    }

    /// Forgets all answers.
    mutating func restart() {
        beliefs = groups.map { group in group.stay.map { $0 / group.stay.reduce(0, +) } }
    }

    /// Probabilities of the labels, given this answer and those before.
    mutating func update(_ answer: [Float]) -> [Double] {
        var found = Array(repeating: 1.0, count: answer.count)
        for (number, group) in groups.enumerated() {
            beliefs[number] = followed(group, beliefs[number], answer)
            for (i, part) in group.part.enumerated() where part >= 0 { found[i] *= beliefs[number][part] }
        }
        return found
    }

    private func followed(_ group: Group, _ before: [Double], _ answer: [Float]) -> [Double] {
        let gone = zip(before, group.stay).map { $0 * -expm1(-seconds / $1) }
        let left = gone.reduce(0, +)
        let belief = zip(before, gone).map { max($0 - $1 + (left - $1) / Double(before.count - 1), Filter.least) }
        var share = belief.map { _ in 0.0 }
        for (i, part) in group.part.enumerated() where part >= 0 { share[part] += Double(answer[i]) }
        let within = share.reduce(0, +)
        guard within > 0 else { return belief }
        share = share.map { max($0 / within, Filter.floor) }
        let best = share.max() ?? 1
        let weighed = zip(belief, share).map { $0 * pow($1 / best, group.evidence * seconds * within) }
        let sum = weighed.reduce(0, +)
        return weighed.map { $0 / sum }
    }
}

/// Converts samples of any rate, with jitter, to rows of the model's rate.
struct Resampler {
    private(set) var last: Double?
    private var first = 0.0
    private var value: [Double] = []
    private var rows = 0
    private var interval: Double?
    private var area = Array(repeating: 0.0, count: Model.channels)
    private var span = 0.0

    mutating func push(seconds: Double, sample: [Double]) -> [(Double, [Double])] {
        guard let start = last else {
            (first, last, value, rows) = (seconds, seconds, sample, 1)
            return [(seconds, sample)]
        }
        let from = value
        let elapsed = seconds - start
        let mean = interval.map { 0.9 * $0 + 0.1 * elapsed } ?? elapsed
        interval = mean
        var found: [(Double, [Double])] = []
        while true {
            let moment = first + Double(rows) / Model.rate
            if moment > seconds + 1e-9 { break }
            let share = min(1, (moment - start) / elapsed)
            let at = zip(from, sample).map { $0 + share * ($1 - $0) }
            integrate(to: at, moment)
            // Where samples arrive faster than four thirds of the model's rate, a row is their mean.
            found.append((moment, mean < 0.75 / Model.rate ? area.map { $0 / span } : at))
            (area, span) = (Array(repeating: 0, count: Model.channels), 0)
            rows += 1
        }
        integrate(to: sample, seconds)
        return found
    }

    /// Adds the area under the line from the last point to this one.
    private mutating func integrate(to point: [Double], _ seconds: Double) {
        let width = seconds - (last ?? seconds)
        for axis in area.indices { area[axis] += width * (value[axis] + point[axis]) / 2 }
        span += width
        (last, value) = (seconds, point)
    }
}
