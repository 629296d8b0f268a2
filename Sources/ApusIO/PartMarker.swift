import ApusCore
import Glibc

/// How far a folder of parts is complete, for who reads it: the file `_committed`.
///
/// It is replaced as a whole.  Text, a line feed behind each line:
///
///     line
///        1  apus-parts 1          (the version of this format)
///      2 ...  <subtask> <number>  (all parts of the subtask up to the number are there)
///
/// A subtask or number without a part had no output.
struct PartMarker: Equatable {
    /// The file's name.
    static let name = "_committed"
    private static let firstLine = "apus-parts 1"
    private static let byteCountMax = 16 << 20

    /// The newest number by subtask.
    private(set) var numbers: [Int: UInt64] = [:]

    /// The newest number of all.
    var newest: UInt64 { numbers.values.max() ?? 0 }

    /// Goes back to the numbers that a closure gives for subtasks; 0 for none.
    mutating func limit(_ limit: (Int) -> UInt64) {
        for (subtask, number) in numbers {
            let kept = min(number, limit(subtask))
            numbers[subtask] = kept == 0 ? nil : kept
        }
    }

    mutating func add(_ part: PartName) { numbers[part.subtask] = part.number }

    /// Reads the marker of a folder; an empty one when there is none.
    ///
    /// - Throws: ``DiskError`` when it is unreadable or not a marker.
    static func read(in folder: String, disk: any Disk) throws(DiskError) -> PartMarker {
        let path = "\(folder)/\(name)"
        guard disk.exists(path) else { return PartMarker() }
        let bytes = try disk.readAll(path, maximumByteCount: byteCountMax)
        var lines = String(decoding: bytes, as: UTF8.self)
            .split(separator: "\n", omittingEmptySubsequences: false)
        guard lines.count >= 2, lines.removeFirst() == firstLine, lines.removeLast().isEmpty else {
            throw unreadable(path)
        }
        var marker = PartMarker()
        for line in lines {
            let fields = line.split(separator: " ")
            guard fields.count == 2, let subtask = Int(fields[0]), let number = UInt64(fields[1])
            else { throw unreadable(path) }
            marker.numbers[subtask] = number
        }
        return marker
    }

    private static func unreadable(_ path: String) -> DiskError {
        DiskError(
            operation: "read",
            path: path,
            reason: "it does not say '\(firstLine)' and then how far the parts are complete: "
                + "remove it, or use another folder"
        )
    }

    /// Replaces the marker of a folder.
    ///
    /// - Throws: ``DiskError``; the old one stays.
    func write(in folder: String, disk: any Disk) throws(DiskError) {
        var text = Self.firstLine + "\n"
        for (subtask, number) in numbers.sorted(by: { $0.key < $1.key }) {
            text += "\(subtask) \(number)\n"
        }
        try disk.writeAtomically(Array(text.utf8), to: "\(folder)/\(Self.name)", mode: 0o644)
    }
}
