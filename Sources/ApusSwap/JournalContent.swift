import ApusCore
import Foundation

/// The bytes of a swap journal, taken apart; ``SwapJournal`` has the table.
struct JournalContent {
    private static let magic = Array("APUSSWAP".utf8)
    private static let version: UInt32 = 1
    private static let recordHeadByteCount = 12
    private static let payloadByteCountMax = 1 << 20

    /// The whole entries.
    private(set) var entries: [SwapEntry] = []
    /// How many bytes they take, with the file's head.
    private(set) var byteCount = Self.head.count
    /// How many bytes of an entry that was not written to its end are behind them.
    private(set) var tornByteCount = 0

    /// The content of a new journal.
    init() {}

    /// Takes a journal apart.
    ///
    /// - Throws: ``SwapJournalError`` that names the file and the offset.
    init(_ bytes: [UInt8], path: String) throws(SwapJournalError) {
        try Self.checkHead(bytes, path)
        while byteCount < bytes.count {
            let at = byteCount
            guard let end = Self.recordEnd(bytes, at) else {
                guard let next = Self.wholeRecord(bytes, behind: at) else {
                    tornByteCount = bytes.count - at
                    return
                }
                throw Self.damage(
                    path,
                    at,
                    "the entry there is not whole, and there is a whole one at offset \(next)"
                )
            }
            let version = Self.integer(bytes, at + 8)
            guard version == Self.version else {
                throw SwapJournalError(
                    .newer,
                    "\(path): offset \(at): the entry has version \(version); expected "
                        + "\(Self.version): a newer Apus wrote it; start the job with that one"
                )
            }
            do {
                let payload = Data(bytes[(at + Self.recordHeadByteCount)..<end])
                entries.append(try JSONDecoder().decode(SwapEntry.self, from: payload))
            } catch {
                throw Self.damage(path, at, "the entry there is not what was expected: \(error)")
            }
            byteCount = end
        }
    }

    /// What the entries say.
    ///
    /// - Throws: ``SwapJournalError`` when one does not follow from those before it.
    func history(path: String) throws(SwapJournalError) -> SwapHistory {
        var history = SwapHistory()
        for (index, entry) in entries.enumerated() {
            do throws(SwapJournalError) {
                try history.add(entry)
            } catch {
                throw SwapJournalError(
                    .damaged,
                    "\(path): entry \(index + 1) does not follow from those before it: \(error)"
                )
            }
        }
        return history
    }

    // MARK: - Writing

    /// The bytes of a new journal.
    static var head: [UInt8] {
        let head = magic + bytes(of: version)
        return head + bytes(of: CRC32C.of(head))
    }

    /// The bytes of an entry.
    ///
    /// - Throws: ``SwapJournalError`` when it is too long.
    static func record(of entry: SwapEntry) throws(SwapJournalError) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let payload: [UInt8]
        do {
            payload = Array(try encoder.encode(entry))
        } catch {
            throw SwapJournalError(.disk, "the entry cannot be written as JSON: \(error)")
        }
        guard payload.count <= payloadByteCountMax else {
            throw SwapJournalError(
                .disk,
                "an entry of \(payload.count) bytes; expected at most \(payloadByteCountMax)"
            )
        }
        let length = bytes(of: UInt32(payload.count))
        let rest = bytes(of: version) + payload
        return length + bytes(of: CRC32C.of(length + rest)) + rest
    }

    private static func bytes(of value: UInt32) -> [UInt8] {
        (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * UInt32($0))) }
    }

    // MARK: - Reading

    private static func checkHead(_ bytes: [UInt8], _ path: String) throws(SwapJournalError) {
        guard bytes.count >= head.count else {
            throw damage(path, 0, "\(bytes.count) bytes; expected a head of \(head.count)")
        }
        guard bytes.starts(with: magic), integer(bytes, 12) == CRC32C.of(Array(bytes[..<12])) else {
            throw damage(path, 0, "expected the head of a swap journal, found something else")
        }
        let found = integer(bytes, 8)
        guard found == version else {
            throw SwapJournalError(
                .newer,
                "\(path): format version \(found); expected \(version): a newer Apus wrote it; "
                    + "start the job with that one"
            )
        }
    }

    private static func damage(_ path: String, _ at: Int, _ reason: String) -> SwapJournalError {
        SwapJournalError(
            .damaged,
            "\(path): offset \(at): damaged: \(reason). Put the file back from a copy; or, if no "
                + "swap was under way and the job file names the version that ran last, move it "
                + "away"
        )
    }

    /// The offset behind the whole record at an offset; nil when there is none.
    private static func recordEnd(_ bytes: [UInt8], _ at: Int) -> Int? {
        guard bytes.count - at > recordHeadByteCount else { return nil }
        let count = Int(integer(bytes, at))
        guard count > 0, count <= payloadByteCountMax else { return nil }
        let end = at + recordHeadByteCount + count
        guard end <= bytes.count else { return nil }
        let sum = CRC32C.of(Array(bytes[at..<at + 4]) + bytes[(at + 8)..<end])
        return sum == integer(bytes, at + 4) ? end : nil
    }

    /// The offset of the first whole record behind an offset; nil when there is none.
    private static func wholeRecord(_ bytes: [UInt8], behind at: Int) -> Int? {
        (at + 1..<max(at + 1, bytes.count)).first { recordEnd(bytes, $0) != nil }
    }

    private static func integer(_ bytes: [UInt8], _ at: Int) -> UInt32 {
        (0..<4).reduce(0) { $0 | UInt32(bytes[at + $1]) << (8 * UInt32($1)) }
    }
}
