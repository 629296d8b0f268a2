import ApusCore
import ApusIO
import ApusPluginHost
import ApusRuntime
import ApusSwap

/// Swaps the four operators of a diamond again and again at full speed, and looks for records that
/// a mixture of versions has handled.
///
/// `top` sends each record to `left` and `right`, which meet in `bottom`.  All at one barrier there
/// must be none; each by itself there must be some, or the checker is worth nothing.
package struct DiamondBenchmark {
    /// The component of the benchmark plugin that runs, and the one that takes over.
    package static let component = "stamp"
    private static let components = ["stamp", "stamp-2"]
    private static let names = ["top", "left", "right", "bottom"]

    private static let deadline: Int64 = 10_000_000_000
    /// At least so many records of one version come before the next swap.
    private static let recordsBetween = 20_000

    private let setup: BenchmarkSetup
    private let recordCount: Int
    private let seconds: Double

    /// Creates a run.
    ///
    /// - Parameters:
    ///   - recordCount: How many records the source makes at most.
    ///   - seconds: How long it makes some at most.
    ///   - setup: Of a ``BenchmarkJob`` that is a diamond, with checkpoints.
    package init(recordCount: Int, seconds: Double, setup: BenchmarkSetup) {
        self.recordCount = recordCount
        self.seconds = seconds
        self.setup = setup
    }

    /// Runs the job.
    ///
    /// - Parameters:
    ///   - isAtomic: Whether all operators are swapped at one barrier; otherwise each by itself.
    ///   - progress: Told what happens, in words.
    /// - Returns: What was found.
    /// - Throws: ``BenchmarkFailure`` when the job or a swap fails.
    package func measure(
        isAtomic: Bool,
        progress: @escaping (String) -> Void
    ) throws(BenchmarkFailure) -> Side {
        let made = NumberedSource.Made(limit: recordCount)
        let found = MixtureTally()
        let run = try setup.start(
            BenchmarkEndpoints(
                source: { subtask, subtaskCount in
                    NumberedSource(made, subtask: subtask, subtaskCount: subtaskCount)
                },
                sink: { MixtureSink(found) }
            )
        )
        var watch = BenchmarkWatch(run, setup.clock, progress: progress)
        watch.status = { "\(made.total.count) records" }
        let begin = watch.now
        let end = begin + Int64(seconds * 1e9)
        var inForce: [Int64] = []
        var swapCount = 0
        while watch.now < end, made.total.count < recordCount, !run.hasEnded {
            let before = found.arrivedCount
            let isOver = { run.hasEnded || made.total.count >= recordCount }
            try watch.wait(until: end) {
                isOver() || found.arrivedCount - before > Self.recordsBetween
            }
            guard !isOver(), watch.now < end else { break }
            let next = Self.components[(swapCount + 1) % 2]
            let groups = isAtomic ? [Self.names] : Self.names.map { [$0] }
            for group in groups {
                let swap = try prepare(run, group, next, isAtBarrier: isAtomic)
                switch swap.carryOut(within: Self.deadline) {
                case .inForce(let figures): inForce.append(figures.inForceNanoseconds)
                case .abandoned where isOver(): break
                case .abandoned(let reason), .broken(let reason):
                    throw BenchmarkFailure("swap \(swapCount + 1): \(reason)")
                }
                swap.commit()
            }
            swapCount += 1
        }
        made.stop()
        _ = try run.finish()
        let (tally, total) = (found.result, made.total)
        return Side(
            records: total.count,
            lines: tally.counts[0] + tally.counts[1],
            swaps: swapCount,
            mixed: tally.mixed,
            isWhole: tally.isWhole(count: total.count, sum: total.sum),
            linesByVersion: tally.versions,
            seconds: Double(watch.now - begin) / 1e9,
            inForce: SwapBenchmarkResult.Times(inForce)
        )
    }

    private func prepare(
        _ run: JobRun,
        _ names: [String],
        _ component: String,
        isAtBarrier: Bool
    ) throws(BenchmarkFailure) -> OperatorSwap {
        do {
            let next = JobEnvironment.Implementation(
                plugin: setup.plugin,
                component: try setup.plugin.componentIndex(component)
            )
            let replacements = try names.map { name in
                guard let running = run.shape(of: name) else {
                    throw BenchmarkFailure("the job has no operator '\(name)'")
                }
                let change = ComponentChange(from: running, to: ComponentShape(next.description))
                return OperatorReplacement(id: name, implementation: next, change: change)
            }
            return try run.prepareSwap(replacements, isAtBarrier: isAtBarrier, policy: .rollBack)
        } catch let failure as BenchmarkFailure {
            throw failure
        } catch {
            throw BenchmarkFailure("\(error)")
        }
    }

    /// What one of the two ways gave: encodes as a part of what `apus bench --json` prints.
    package struct Side: Encodable, Sendable {
        /// Records of the source.
        package let records: Int
        /// What came out: each of them by two ways.
        package let lines: Int
        /// How often all operators were swapped.
        package let swaps: Int
        /// Lines that different versions have handled.
        package let mixed: Int
        /// Whether each record came by both ways once, as far as counts and sums tell.
        package let isWhole: Bool
        /// Lines of each version.
        package let linesByVersion: [Int]
        /// How long it took.
        package let seconds: Double
        /// From the order until a version was in force everywhere.
        package let inForce: SwapBenchmarkResult.Times?

        private enum CodingKeys: String, CodingKey {
            case records, lines, swaps, mixed, seconds
            case isWhole = "whole"
            case linesByVersion = "lines_by_version"
            case inForce = "in_force"
        }
    }
}
