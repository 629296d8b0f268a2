import ApusCore
import ApusGraph
import ApusRuntime
import Foundation
import Glibc
import Testing

/// Goal: aggregates of a real plugin are what a fold of the same records gives, whatever happens
/// to the job.
///
/// Method: a job is broken off and gone on with at random, at another parallelism each time, with
/// so little memory that rows leave it; every result that it emits is compared.
@Suite("Aggregates in a job", .serialized)
struct AggregateTests {
    /// What `totals` emits, written down once more.
    private static func totals(_ records: [TestRecord]) -> [String] {
        var seen: [String: [Int]] = [:]
        return records.compactMap { record in
            guard let key = Model.prefix(record.value), let number = Model.number(record.value)
            else { return nil }
            seen[key, default: []].append(number)
            let all = seen[key] ?? []
            let sum = all.reduce(0, +)
            let mean = String(format: "%.6f", Double(sum) / Double(all.count))
            return "\(key):\(all.count):\(sum):\(all.min() ?? 0):\(all.max() ?? 0):\(mean)"
        }
    }

    @Test("every result is that of a fold", arguments: [1, 2, 3, 4] as [UInt64])
    func everyResultIsThatOfAFold(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let world = try CheckpointWorld(intervalMicroseconds: 2000)
        world.stateByteCount = 64 << 10
        let target = OutboxTarget()
        let records = Sample.numbers(20_000, keyCount: 3000, seed: seed)
        var disturbances = 3
        while true {
            var job = try TestJob(parallelism: Int.random(in: 1...4, using: &random))
            let steps = records.enumerated().flatMap { index, record in
                [.record(record)] + (index % 500 == 0 ? [ScriptedSource.Step.pause(2000)] : [])
            }
            job.addSource("in", steps)
            try job.addOperator("totals", "totals", ["in"], key: .prefix, from: .kinds)
            job.addOutbox("out", ["totals"], target, logFolder: world.logFolder)
            let isDisturbed = disturbances > 0
            let delay = UInt32.random(in: 0...60_000, using: &random)
            let (summary, _, notes) = try world.run(job) { running in
                guard isDisturbed else { return }
                usleep(delay)
                running.run.abort()
            }
            if case .failed(let failure) = summary.end {
                Issue.record("seed \(seed): \(failure) \(notes)")
                return
            }
            disturbances -= 1
            if summary.end == .finished { break }
        }
        #expect(target.values.sorted() == Self.totals(records).sorted(), "seed \(seed)")
        #expect(target.complaints.isEmpty)
    }
}
