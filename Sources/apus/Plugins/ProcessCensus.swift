import ApusCore
import ApusPluginHost

/// What the process has at a moment: threads, open files, mapped files.
struct ProcessCensus {
    private var threadCount = 0
    private var descriptorCount = 0
    private var files: Set<String> = []

    private static let mapByteCountMax = 64 << 20

    /// Counts; where /proc is missing there is nothing to count.
    init(_ disk: any Disk) {
        threadCount = Self.count("/proc/self/task", disk)
        descriptorCount = Self.count("/proc/self/fd", disk)
        guard
            let maps = try? disk.readAll(  // Without it no file is named.
                "/proc/self/maps",
                maximumByteCount: Self.mapByteCountMax
            )
        else { return }
        for line in String(decoding: maps, as: UTF8.self).split(separator: "\n") {
            if let start = line.firstIndex(of: "/") { files.insert(String(line[start...])) }
        }
    }

    private static func count(_ path: String, _ disk: any Disk) -> Int {
        (try? disk.list(path).count) ?? 0  // Counted as none.
    }

    /// What is more now than it was.
    func changes(since before: ProcessCensus) -> [ProcessChange] {
        var changes: [ProcessChange] = []
        let counts = [
            ("the number of threads", before.threadCount, threadCount),
            ("the number of open files", before.descriptorCount, descriptorCount),
        ]
        for (what, old, new) in counts where old != new {
            changes.append(
                ProcessChange(what: what, before: "\(old)", after: "\(new)", isRestored: false)
            )
        }
        return changes
    }

    /// The files that were mapped since: the libraries that came with the plugin.
    func files(since before: ProcessCensus) -> [String] {
        files.subtracting(before.files).sorted()
    }
}
