import CoreMotion
import Foundation
import TensorFlowLite

/// Listens to the accelerometer, and to the gyroscope if the model reads it, and recognizes what the phone's owner is doing.
public final class ActivityRecognizer {
    /// m/s^2 in one g, negative: iOS counts gravity downwards.
    private static let scale = -9.80665

    private let motion = CMMotionManager()
    private let queue = OperationQueue()
    private let runner: SignatureRunner
    private let onPrediction: (Prediction) -> Void
    private lazy var stream = Stream { [unowned self] in try self.step(frame: $0, states: $1) }

    /// - Parameter onPrediction: Called with each prediction, on a queue of its own.
    public init(onPrediction: @escaping (Prediction) -> Void) throws {
        guard let path = Bundle.main.path(forResource: Model.file, ofType: nil) else {
            throw CocoaError(.fileNoSuchFile)
        }
        runner = try Interpreter(modelPath: path).signatureRunner(with: Model.signature)
        self.onPrediction = onPrediction
        queue.maxConcurrentOperationCount = 1
    }

    /// Starts listening; false where the phone lacks a sensor.
    public func start() -> Bool {
        let turns = Model.channels > 3
        guard motion.isAccelerometerAvailable && (!turns || motion.isGyroAvailable) else { return false }
        queue.addOperation { self.stream.restart() }
        motion.accelerometerUpdateInterval = 1 / Model.rate
        if turns {
            motion.gyroUpdateInterval = 1 / Model.rate
            motion.startGyroUpdates()
        }
        motion.startAccelerometerUpdates(to: queue) { [weak self] data, _ in
            guard let self = self, let data = data else { return }
            let (a, scale) = (data.acceleration, ActivityRecognizer.scale)
            var sample = [scale * a.x, scale * a.y, scale * a.z]
            if turns {
                // Rotation rate has the same sign on both systems.
                guard let w = self.motion.gyroData?.rotationRate else { return }
                sample += [w.x, w.y, w.z]
            }
            let predictions = try? self.stream.push(seconds: data.timestamp, sample: sample)
            predictions?.forEach(self.onPrediction)
        }
        return true
    }

    public func stop() {
        motion.stopAccelerometerUpdates()
        motion.stopGyroUpdates()
    }

    private func step(frame: [Float], states: States) throws -> ([Float], States) {
        var inputs = states.mapValues(data)
        inputs[Model.input] = data(frame)
        try runner.invoke(with: inputs)
        let next = try Model.states.keys.map { ($0, try numbers($0)) }
        return (try numbers("probabilities"), Dictionary(uniqueKeysWithValues: next))
    }

    private func data(_ numbers: [Float]) -> Data {
        numbers.withUnsafeBufferPointer { Data(buffer: $0) }
    }

    private func numbers(_ output: String) throws -> [Float] {
        try runner.output(named: output).data.withUnsafeBytes { Array($0.bindMemory(to: Float.self)) }
    }
}
