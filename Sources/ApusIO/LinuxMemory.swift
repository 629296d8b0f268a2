import Glibc

/// How much memory this process uses.
package enum LinuxMemory {
    /// The most memory that the process has had in use at once, in bytes; 0 when unknown.
    package static func peakResidentByteCount() -> Int { statusByteCount("VmHWM:") }

    /// The memory that the process has in use now, in bytes; 0 when unknown.
    package static func residentByteCount() -> Int { statusByteCount("VmRSS:") }

    /// The memory that the process may use: the limit of its control group, or the machine's
    /// memory.
    package static func limitByteCount() -> Int {
        let machine = sysconf(Int32(_SC_PHYS_PAGES)) * sysconf(Int32(_SC_PAGESIZE))
        // The second version of control groups, then the first; a limit of none is a word or a
        // number beyond all memory.
        let files = [
            "/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes",
        ]
        let limits = files.compactMap { path -> Int? in
            do {
                let bytes = try LinuxDisk().readAll(path, maximumByteCount: 64)
                let text = String(decoding: bytes, as: UTF8.self)
                return text.split(whereSeparator: \.isNewline).first.flatMap { Int($0) }
            } catch {
                // Not there, or not for us: no limit is known.
                return nil
            }
        }
        return ([machine] + limits).min() ?? machine
    }

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
