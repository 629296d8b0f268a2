import ApusRuntime
import CApusShims

extension SwapBenchmark {
    /// What many swaps leave behind in the process.
    package struct Endurance: Encodable, Sendable {
        /// What the process had after so many swaps.
        package struct Look: Encodable, Sendable {
            /// Swaps so far.
            package let swaps: Int
            /// Resident memory that is no file's.
            package let residentBytes: Int
            /// What is allocated, as the allocator counts.
            package let allocatedBytes: Int
            /// Lines of /proc/self/maps.
            package let mappings: Int
            /// Threads of the process.
            package let threads: Int
            /// Files that it has open.
            package let files: Int

            private enum CodingKeys: String, CodingKey {
                case swaps, mappings, threads, files
                case residentBytes = "resident_bytes"
                case allocatedBytes = "allocated_bytes"
            }
        }

        /// Swaps.
        package let swaps: Int
        /// Distinct plugin files that were loaded; 0 where all swaps were to the same one.
        package let loadedFiles: Int
        /// Those of them that were unloaded again.
        package let unloadedFiles: Int
        /// Records per second that were due.
        package let rate: Int
        /// Growth of resident memory per swap from the middle to the end, in bytes.
        package let residentBytesPerSwap: Double
        /// The same of what is allocated.
        package let allocatedBytesPerSwap: Double
        /// How soon versions were in force, of the first hundred swaps.
        package let inForceFirst: SwapBenchmarkResult.Times?
        /// The same of the last hundred.
        package let inForceLast: SwapBenchmarkResult.Times?
        /// After none, a tenth, half and all of the swaps.
        package let looks: [Look]

        private enum CodingKeys: String, CodingKey {
            case swaps, rate, looks
            case loadedFiles = "loaded_files"
            case unloadedFiles = "unloaded_files"
            case residentBytesPerSwap = "resident_bytes_per_swap"
            case allocatedBytesPerSwap = "allocated_bytes_per_swap"
            case inForceFirst = "in_force_first"
            case inForceLast = "in_force_last"
        }
    }

    /// How many swaps at the beginning and at the end are compared.
    private static let comparedCount = 100

    /// Swaps without a pause, and looks at what that leaves behind.
    ///
    /// - Throws: ``BenchmarkFailure`` when the job or a swap fails.
    package func endure(
        recordsPerSecond: Int,
        progress: @escaping (String) -> Void
    ) throws(BenchmarkFailure) -> Endurance {
        let job = try begin(recordsPerSecond: recordsPerSecond, seconds: 36_000, progress)
        var watch = job.watch
        job.schedule.begin(at: watch.now)
        var looks: [Endurance.Look] = []
        var inForce: [Int64] = []
        let (tenth, half) = (max(1, options.swapCount / 10), max(1, options.swapCount / 2))
        for number in 1...options.swapCount {
            try files?.write(number)
            let swap = try prepare(watch.run, number)
            guard case .inForce(let figures) = swap.carryOut(within: Self.deadline) else {
                throw BenchmarkFailure("swap \(number) of \(options.swapCount) was not carried out")
            }
            inForce.append(figures.inForceNanoseconds)
            swap.commit()
            try files?.unload(before: number)
            guard number == tenth || number == half || number == options.swapCount else { continue }
            // What was given up goes with the next pass of each thread.
            try watch.wait(until: watch.now + 20_000_000)
            looks.append(Self.look(number))
            progress("\(number) swaps")
        }
        job.run.abort()
        _ = try job.run.finish()
        let (middle, end) = (looks[max(0, looks.count - 2)], looks[looks.count - 1])
        let count = Double(max(1, end.swaps - middle.swaps))
        return Endurance(
            swaps: options.swapCount,
            loadedFiles: files?.loadedCount ?? 0,
            unloadedFiles: files?.unloadedCount ?? 0,
            rate: recordsPerSecond,
            residentBytesPerSwap: Double(end.residentBytes - middle.residentBytes) / count,
            allocatedBytesPerSwap: Double(end.allocatedBytes - middle.allocatedBytes) / count,
            inForceFirst: SwapBenchmarkResult.Times(Array(inForce.prefix(Self.comparedCount))),
            inForceLast: SwapBenchmarkResult.Times(Array(inForce.suffix(Self.comparedCount))),
            looks: looks
        )
    }

    private static func look(_ swaps: Int) -> Endurance.Look {
        Endurance.Look(
            swaps: swaps,
            residentBytes: ProcessFigures.byteCount("RssAnon"),
            allocatedBytes: apus_allocated_bytes(),
            mappings: ProcessFigures.mappingCount(),
            threads: ProcessFigures.count("/proc/self/task"),
            files: ProcessFigures.count("/proc/self/fd")
        )
    }
}
