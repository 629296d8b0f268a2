import ApusIO

/// What the kernel says of this process.
enum ProcessFigures {
    /// The kernel tells processor times to programs in hundredths of a second (`man 5 proc`).
    private static let ticksPerSecond = 100.0

    /// A size from `/proc/self/status`, such as `RssAnon`; 0 when unknown.
    static func byteCount(_ name: String) -> Int {
        for line in read("/proc/self/status").split(separator: "\n")
        where line.hasPrefix("\(name):") {
            let words = line.split(whereSeparator: \.isWhitespace)
            return words.count > 1 ? (Int(words[1]) ?? 0) * 1024 : 0
        }
        return 0
    }

    /// How many lines /proc/self/maps has; 0 when unknown.
    static func mappingCount() -> Int {
        read("/proc/self/maps").split(separator: "\n").count
    }

    /// How many entries a folder of /proc has; 0 when unknown.
    static func count(_ path: String) -> Int {
        do {
            return try LinuxDisk().list(path).count
        } catch {
            return 0
        }
    }

    /// Processor time of all threads in seconds; 0 when unknown.
    static func cpuSeconds() -> Double {
        // The name in the second field may hold anything; behind its parenthesis comes field 3.
        guard let rest = read("/proc/self/stat").split(separator: ")").last else { return 0 }
        let fields = rest.split(separator: " ")
        guard fields.count > 12, let user = Double(fields[11]), let system = Double(fields[12])
        else { return 0 }
        return (user + system) / ticksPerSecond
    }

    private static func read(_ path: String) -> String {
        do {
            let bytes = try LinuxDisk().readAll(path, maximumByteCount: 1 << 24)
            return String(decoding: bytes, as: UTF8.self)
        } catch {
            // A container may hide the file: then nothing is known.
            return ""
        }
    }
}
