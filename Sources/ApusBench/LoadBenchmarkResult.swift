/// What loading and unloading a plugin many times takes, and leaves.
package struct LoadBenchmarkResult: Codable, Equatable, Sendable {
    /// The process after some rounds.
    package struct Look: Codable, Equatable, Sendable {
        /// After how many rounds.
        package let round: Int
        /// Resident memory in bytes.
        package let residentBytes: Int
        /// Open files.
        package let descriptors: Int
        /// Threads.
        package let threads: Int
        /// Lines of /proc/self/maps.
        package let mappings: Int

        private enum CodingKeys: String, CodingKey {
            case round
            case residentBytes = "rss_bytes"
            case descriptors
            case threads
            case mappings
        }

        /// Looks at this process.
        static func now(round: Int) -> Look {
            Look(
                round: round,
                residentBytes: ProcessFigures.byteCount("VmRSS"),
                descriptors: ProcessFigures.count("/proc/self/fd"),
                threads: ProcessFigures.count("/proc/self/task"),
                mappings: ProcessFigures.mappingCount()
            )
        }
    }

    /// The plugin.
    package let file: String
    /// How many times it was loaded and unloaded.
    package let rounds: Int
    /// From the file to the description: the median.
    package let loadNanoseconds: Int64
    /// The median.
    package let unloadNanoseconds: Int64
    /// At the start, in the middle, at the end.
    package let looks: [Look]

    private enum CodingKeys: String, CodingKey {
        case file
        case rounds
        case loadNanoseconds = "load_ns"
        case unloadNanoseconds = "unload_ns"
        case looks
    }

    /// How much resident memory has grown from the middle to the end, as a part of it.
    package var growth: Double {
        guard looks.count == 3, looks[1].residentBytes > 0 else { return 0 }
        return Double(looks[2].residentBytes - looks[1].residentBytes)
            / Double(looks[1].residentBytes)
    }
}
