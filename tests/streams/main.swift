// Follows streams by the protocol of golden.py, with the network `step` of it.
import Foundation

let reasons = ["not sure", "something else", "at rest", "no signal", "too slow", "shaken"]

func follow() -> Stream {
    return Stream { frame, states in
        let signal = Float(0.9) * (states["h_1"]?[0] ?? 0) + abs(frame[0]) + abs(frame.last!)
        let scores = (1...Model.labels.count).map { pow(abs(sin(Double(signal) * Double($0))), 8) }
        let sum = scores.reduce(0, +)
        return (scores.map { Float($0 / sum) }, states.mapValues { _ in Array(repeating: signal, count: 32) })
    }
}

func end(_ stream: Stream) {
    for (reason, count) in stream.skipped { print("dropped", count, reason) }
    print("end")
}

var stream: Stream?
while let line = readLine() {
    if line == "new" {
        if let stream = stream { end(stream) }
        stream = follow()
        continue
    }
    let numbers = line.split(separator: " ").map { Double($0)! }
    for p in try stream!.push(seconds: numbers[0], sample: Array(numbers.dropFirst())) {
        let label = p.label.map { Model.labels.firstIndex(of: $0)! } ?? -1 - reasons.firstIndex(of: p.reason!)!
        print(p.seconds, label, p.probability, p.probabilities.map { String($0) }.joined(separator: " "))
    }
}
end(stream!)
