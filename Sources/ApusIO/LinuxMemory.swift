import Glibc

/// How much memory this process uses.
package enum LinuxMemory {
    /// The most memory that the process has had in use at once, in bytes; 0 when unknown.
    package static func peakResidentByteCount() -> Int { statusByteCount("VmHWM:") }

    /// The memory that the process has in use now, in bytes; 0 when unknown.
    package static func residentByteCount() -> Int { statusByteCount("VmRSS:") }

    /// A size from a line such as `VmRSS:     3344 kB`.
    private static func statusByteCount(_ name: String) -> Int {
        let status: [UInt8]
        do {
            status = try LinuxDisk().readAll("/proc/self/status", maximumByteCount: 1 << 16)
        } catch {
            // A container may hide the file: then nothing is known.
            return 0
        }
        for line in String(decoding: status, as: UTF8.self).split(separator: "\n")
        where line.hasPrefix(name) {
            let words = line.split(whereSeparator: { $0 == " " || $0 == "\t" })
            return words.count > 1 ? (Int(words[1]) ?? 0) * 1024 : 0
        }
        return 0
    }
}
