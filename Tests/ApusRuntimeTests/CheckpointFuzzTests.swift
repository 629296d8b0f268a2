import ApusCore
import ApusGraph
import ApusRuntime
import Glibc
import Testing

/// Goal: whatever a job is, and whenever it is broken off, stopped and started again, its output is
/// that of a run that nobody disturbed.
///
/// Method: random graphs with checkpoints every few milliseconds, aborted or stopped at random
/// times
/// and gone on with from the newest checkpoint, at random parallelism, against a model.
@Suite("Random graphs with checkpoints", .serialized)
struct CheckpointFuzzTests {
    /// How barriers are aligned.
    enum Alignment: String, CaseIterable, CustomTestStringConvertible {
        case always
        case never
        case forAMoment
        var testDescription: String { rawValue }
        var timeout: Int64? {
            switch self {
            case .always: nil
            case .never: 0
            case .forAMoment: 500
            }
        }
    }

    /// What the environment asks for more of.
    private static let seedCount =
        Int(getenv("APUS_FUZZ").flatMap { String(cString: $0) } ?? "") ?? 12
    private static let seeds: [UInt64] = (1...UInt64(seedCount)).map { $0 &* 0x517c_c1b7 &+ 5 }

    /// Calls of sinks that fail in a way that passes.
    private struct Faults {
        let deliveries: Int
        let seals: Int

        init(using random: inout SplitMix64) {
            deliveries = Bool.random(using: &random) ? Int.random(in: 1...3, using: &random) : 0
            seals = Int.random(in: 0...3, using: &random) == 0 ? 1 : 0
        }

        func strike(_ targets: [OutboxTarget]) {
            for target in targets {
                target.fail(times: deliveries)
                target.failSealing(times: seals)
            }
        }
    }

    /// What has happened in all cases together: else they would prove nothing.
    private static let completeCount = Tally()
    private static let unalignedCount = Tally()

    private func tally(_ checkpoints: [CheckpointStatistics]) {
        let complete = checkpoints.filter { $0.outcome == .complete }
        Self.completeCount.add(complete.count)
        Self.unalignedCount.add(complete.count(where: \.isUnaligned))
    }

    @Test("goes on as if nothing had happened", arguments: seeds, Alignment.allCases)
    func goesOnAsIfNothingHadHappened(seed: UInt64, alignment: Alignment) throws {
        let context = "seed \(seed), \(alignment)"
        var random = SplitMix64(seed: seed ^ 0xfeed)
        let world = try CheckpointWorld(
            intervalMicroseconds: Int64.random(in: 500...8000, using: &random),
            alignmentTimeoutMicroseconds: alignment.timeout
        )
        // Sometimes so little memory that rows leave it all the time.
        if Bool.random(using: &random) { world.stateByteCount = 64 << 10 }
        var targets: [String: OutboxTarget] = [:]
        var expected: [String: [TestRecord]] = [:]
        var disturbances = Int.random(in: 1...4, using: &random)
        while true {
            var graph = try RandomGraph(seed: seed)
            graph.addSources(restingMicroseconds: 5000)
            for index in 0..<graph.number(1...6) { try graph.addOperator("n\(index)") }
            expected = graph.outputs
            for (index, port) in graph.outputs.keys.sorted().enumerated() {
                let target = targets[port] ?? OutboxTarget()
                targets[port] = target
                graph.job.addOutbox(
                    "out\(index)",
                    [port],
                    isParallel: graph.number(0...1) == 1,
                    target,
                    logFolder: world.logFolder
                )
            }
            graph.job.parallelism = Int.random(in: 1...4, using: &random)
            let action = disturbances == 0 ? 2 : Int.random(in: 0...1, using: &random)
            let delay = UInt32.random(in: 0...150_000, using: &random)
            let faults = Faults(using: &random)
            // What is left in the last process is delivered before the next one starts.
            for target in targets.values { target.fail(times: 0) }
            let (summary, all, notes) = try world.run(graph.job) { running in
                faults.strike(Array(targets.values))
                guard action < 2 else { return }
                usleep(delay)
                if action == 0 { running.run.abort() } else { running.run.stop() }
            }
            tally(all)
            if case .failed(let failure) = summary.end {
                Issue.record("\(context): \(failure) \(notes)")
                return
            }
            if summary.end == .finished { break }
            disturbances -= 1
        }
        for (port, target) in targets.sorted(by: { $0.key < $1.key }) {
            let found = target.values.sorted()
            let wanted = (expected[port] ?? []).map(\.value).sorted()
            #expect(
                found == wanted,
                "\(context), \(port): \(found.count) records, expected \(wanted.count)"
            )
            #expect(target.complaints.isEmpty, "\(context), \(port)")
        }
    }
}
