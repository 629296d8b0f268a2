import ApusRuntime

extension SwapBenchmark {
    /// How soon the version before is in force again; encodes as what `apus bench --json` prints.
    package struct Flips: Encodable, Sendable {
        /// Of a version that nobody had called: exact, nothing was done.
        package let notCalled: SwapBenchmarkResult.Times?
        /// Of a version with other code and the same state, that had been called: what it has
        /// emitted stays.
        package let called: SwapBenchmarkResult.Times?
        /// Records per second that were due while those were measured.
        package let rate: Int

        private enum CodingKeys: String, CodingKey {
            case rate, called
            case notCalled = "not_called"
        }
    }

    /// How long a version runs before it is taken back, in nanoseconds.
    private static let trialNanoseconds: Int64 = 20_000_000

    /// Swaps forth and back.
    ///
    /// - Throws: ``BenchmarkFailure`` when the job fails or a swap does.
    package func measureFlips(
        recordsPerSecond: Int,
        progress: @escaping (String) -> Void
    ) throws(BenchmarkFailure) -> Flips {
        let job = try begin(recordsPerSecond: recordsPerSecond, seconds: 36_000, progress)
        var watch = job.watch
        // Nothing is due yet: nobody calls the new version.
        let notCalled = try flip(&watch, isCalled: false)
        job.schedule.begin(at: watch.now)
        let called = try flip(&watch, isCalled: true)
        job.run.abort()
        _ = try job.run.finish()
        return Flips(
            notCalled: SwapBenchmarkResult.Times(notCalled),
            called: SwapBenchmarkResult.Times(called),
            rate: recordsPerSecond
        )
    }

    private func flip(
        _ watch: inout BenchmarkWatch,
        isCalled: Bool
    ) throws(BenchmarkFailure) -> [Int64] {
        var times: [Int64] = []
        for number in 1...options.swapCount {
            let swap = try prepare(watch.run, number)
            guard case .inForce = swap.carryOut(within: Self.deadline) else {
                throw BenchmarkFailure("swap \(number) was not carried out")
            }
            try watch.wait(until: watch.now + Self.trialNanoseconds)
            guard swap.wasCalled == isCalled else {
                throw BenchmarkFailure(
                    "swap \(number): the new version was \(isCalled ? "not " : "")called"
                )
            }
            switch swap.goBack(within: Self.deadline, isForced: isCalled) {
            case .inForce(let figures): times.append(figures.inForceNanoseconds)
            case .abandoned(let reason), .broken(let reason):
                throw BenchmarkFailure("the way back of swap \(number): \(reason)")
            }
        }
        return times
    }
}
