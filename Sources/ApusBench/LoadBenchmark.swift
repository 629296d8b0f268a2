package import ApusCore
import ApusIO
package import ApusPluginHost

/// Loads and unloads a plugin many times, and looks at what that leaves behind.
package struct LoadBenchmark {
    private let loader: PluginLoader
    private let clock: any Clock
    private let file: String
    private let roundCount: Int

    /// A tenth of all rounds, and at least so many, come before those that count.
    private static let warmUpCountMin = 20

    /// Creates a benchmark.
    ///
    /// - Parameters:
    ///   - file: The plugin.
    ///   - roundCount: How many times it is loaded and unloaded, and that is measured.
    ///   - loader: Loads it.
    ///   - clock: Measures.
    package init(file: String, roundCount: Int, loader: PluginLoader, clock: any Clock) {
        self.file = file
        self.roundCount = roundCount
        self.loader = loader
        self.clock = clock
    }

    /// Runs all rounds.
    ///
    /// - Throws: ``PluginError`` when the plugin cannot be loaded, or not be unloaded.
    package func measure() throws(PluginError) -> LoadBenchmarkResult {
        for _ in 0..<max(Self.warmUpCountMin, roundCount / 10) { _ = try round() }
        var loads: [Int64] = []
        var unloads: [Int64] = []
        loads.reserveCapacity(roundCount)
        unloads.reserveCapacity(roundCount)
        var looks = [LoadBenchmarkResult.Look.now(round: 0)]
        for index in 1...roundCount {
            let times = try round()
            loads.append(times.load)
            unloads.append(times.unload)
            if index == roundCount / 2 || index == roundCount {
                looks.append(.now(round: index))
            }
        }
        return LoadBenchmarkResult(
            file: file,
            rounds: roundCount,
            loadNanoseconds: Self.median(loads),
            unloadNanoseconds: Self.median(unloads),
            looks: looks
        )
    }

    private func round() throws(PluginError) -> (load: Int64, unload: Int64) {
        let start = clock.monotonicNanoseconds()
        let plugin = try loader.load(file)
        let middle = clock.monotonicNanoseconds()
        let result = try loader.unload(plugin)
        guard result.isUnloaded else {
            throw PluginError(
                .failed,
                file,
                "cannot be unloaded: \(result.reasons.map(\.text).joined(separator: "; ")); "
                    + "expected a plugin that can, such as one in C"
            )
        }
        return (middle - start, clock.monotonicNanoseconds() - middle)
    }

    private static func median(_ values: [Int64]) -> Int64 {
        values.sorted()[values.count / 2]
    }
}
