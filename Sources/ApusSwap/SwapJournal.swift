import ApusCheckpoint
package import ApusCore
import Synchronization

/// What of swaps is durable: a file to which each decision is added, and synchronised, before it is
/// carried out.
///
/// `swap/journal` in a job's checkpoint folder.  Integers are little-endian.
///
///     offset      bytes
///     0           "APUSSWAP"
///     8           u32 version of the format, 1
///     12          u32 CRC-32C of the bytes 0 ..< 12
///     16          records, one behind the other:
///
///     0           u32 n, the length of the payload: 1 to 1 MiB
///     4           u32 CRC-32C of the bytes 0 ..< 4 and 8 ..< 12 + n of the record
///     8           u32 version of the payload, 1
///     12          n bytes: one JSON object, UTF-8, members sorted (SwapEntry)
///
/// The head is written with the file, under a temporary name.  A record that is not whole, with no
/// whole one anywhere behind it, is one that was being written when the process or the machine
/// ended: nothing was done on its account, and it is cut off.  Anything else that is not whole is
/// damage.
///
/// Any thread; entries follow each other in the order of the calls.  The process that has the
/// checkpoint folder open for writing has the only one.
package final class SwapJournal: Sendable {
    /// The journal's folder in a checkpoint folder.
    package static let folderName = "swap"

    private struct State {
        var history: SwapHistory
        var byteCount: Int
        /// Why nothing more is noted; nil as long as all is well.
        var failure: String?
    }

    /// Where the file is.
    package let path: String
    private let disk: any Disk
    private let state: Mutex<State>

    /// Opens (makes) the journal for the one process that adds to it.
    ///
    /// - Parameters:
    ///   - folder: The checkpoint folder, which is locked by this process.
    ///   - disk: The seam to files.
    ///   - warn: Is told when a torn end was cut off.
    /// - Throws: ``SwapJournalError`` when the file is damaged or of a newer Apus, or the disk
    ///   refuses.
    package init(
        inFolder folder: String,
        disk: any Disk,
        warn: (String) -> Void
    ) throws(SwapJournalError) {
        path = Self.path(inFolder: folder)
        self.disk = disk
        let content: JournalContent
        if let bytes = try Self.bytes(at: path, disk) {
            content = try JournalContent(bytes, path: path)
        } else {
            try Self.make(path, inFolder: folder, disk)
            content = JournalContent()
        }
        state = Mutex(
            State(history: try content.history(path: path), byteCount: content.byteCount)
        )
        guard content.tornByteCount > 0 else { return }
        warn(
            "\(path): the last \(content.tornByteCount) bytes, from offset "
                + "\(content.byteCount) on, are an entry that was not written to its end; they are "
                + "cut off: what they were to say was not done"
        )
        do throws(DiskError) {
            let file = try disk.openForWriting(path, appending: true)
            try file.truncate(to: content.byteCount)
            try file.synchronize()
            try file.close()
        } catch {
            throw SwapJournalError(error)
        }
    }

    /// Where the journal of a checkpoint folder is.
    package static func path(inFolder folder: String) -> String {
        "\(folder)/\(folderName)/journal"
    }

    /// Reads a journal and changes nothing; a torn end is left out.
    ///
    /// - Parameters:
    ///   - folder: The checkpoint folder; a job may run on it.
    ///   - disk: The seam to files.
    /// - Returns: What the journal says; nil when there is none.
    /// - Throws: ``SwapJournalError`` as for opening it.
    package static func read(
        inFolder folder: String,
        disk: any Disk
    ) throws(SwapJournalError) -> SwapHistory? {
        let path = path(inFolder: folder)
        guard let bytes = try bytes(at: path, disk) else { return nil }
        return try JournalContent(bytes, path: path).history(path: path)
    }

    // MARK: - What it says

    /// Everything that was decided so far.
    package var history: SwapHistory { state.withLock { $0.history } }

    // MARK: - Adding to it

    /// Notes that an operation begins.
    ///
    /// - Parameters:
    ///   - intent: What it is to change; its number is given here.
    ///   - now: The time, in microseconds since 1970.
    /// - Returns: The intent with its number; it is on the disk.
    /// - Throws: ``SwapJournalError`` when another one is under way, when a version was taken back
    ///   before, or when the disk refuses.
    package func begin(
        _ intent: SwapIntent,
        atMicroseconds now: Int64
    ) throws(SwapJournalError) -> SwapIntent {
        var numbered = intent
        try state.withLock { state throws(SwapJournalError) in
            if let problem = state.history.problem(beginning: intent) { throw problem }
            numbered.swap = state.history.nextNumber
            try add(SwapEntry(atMicroseconds: now, .intent(numbered)), &state)
        }
        Failpoint.hit(.s6)
        return numbered
    }

    /// Notes a decision; it is on the disk when this returns.
    ///
    /// - Parameters:
    ///   - event: The decision; of the operation that is under way, if it is about one.
    ///   - now: The time, in microseconds since 1970.
    /// - Throws: ``SwapJournalError`` when it is of an operation that is not under way (any more),
    ///   or the disk refuses.  With the kind ``SwapJournalError/Kind/undecided`` the next start of
    ///   the job tells whether it is noted.
    package func add(
        _ event: SwapEntry.Event,
        atMicroseconds now: Int64
    ) throws(SwapJournalError) {
        if case .intent(let intent) = event {
            _ = try begin(intent, atMicroseconds: now)
            return
        }
        try state.withLock { state throws(SwapJournalError) in
            try add(SwapEntry(atMicroseconds: now, event), &state)
        }
        switch event {
        case .committed: Failpoint.hit(.s12)
        case .rolledBack: Failpoint.hit(.b1)
        case .swept: Failpoint.hit(.m6)
        case .intent, .cutting, .cut, .abandoned, .adopted, .adoptedJobFile, .released: break
        }
    }

    private func add(_ entry: SwapEntry, _ state: inout State) throws(SwapJournalError) {
        if let failure = state.failure {
            throw SwapJournalError(
                .undecided,
                "\(path): nothing more is noted, because \(failure); stop the job and start it "
                    + "again: it reads then what is on the disk"
            )
        }
        var history = state.history
        try history.add(entry)
        let record = try JournalContent.record(of: entry)
        try write(record, &state)
        state.history = history
        state.byteCount += record.count
    }

    private func write(_ record: [UInt8], _ state: inout State) throws(SwapJournalError) {
        let byteCount = state.byteCount
        let found = try SwapJournalError.onDisk(try disk.status(path))?.byteCount
        guard found == byteCount else {
            throw SwapJournalError(
                .damaged,
                "\(path): expected \(byteCount) bytes, as this process has written them, found "
                    + "\(found.map { "\($0)" } ?? "no file"); somebody changes the journal of a "
                    + "running job"
            )
        }
        let file = try SwapJournalError.onDisk(try disk.openForWriting(path, appending: true))
        do throws(DiskError) {
            try file.write(record)
        } catch {
            // Nothing was synchronised: without its front part the record does not exist.
            do throws(DiskError) {
                try file.truncate(to: byteCount)
                try file.synchronize()
            } catch let second {
                state.failure = "\(error), and then \(second)"
            }
            throw SwapJournalError(error)
        }
        do throws(DiskError) {
            try file.synchronize()
            try file.close()
        } catch {
            state.failure = "\(error)"
            throw SwapJournalError(
                .undecided,
                "\(path): \(error); whether the decision is on the disk shows when the job is "
                    + "started again"
            )
        }
    }

    // MARK: - The file

    /// A decision takes some hundred bytes; a job has made very many when this is reached.
    private static let byteCountMax = 64 << 20

    private static func bytes(
        at path: String,
        _ disk: any Disk
    ) throws(SwapJournalError) -> [UInt8]? {
        do throws(DiskError) {
            return try disk.readPlainFile(path, maximumByteCount: byteCountMax)
        } catch {
            if error.isMissing { return nil }
            throw SwapJournalError(error)
        }
    }

    private static func make(
        _ path: String,
        inFolder folder: String,
        _ disk: any Disk
    ) throws(SwapJournalError) {
        do throws(DiskError) {
            try disk.makeDirectory("\(folder)/\(folderName)")
            try disk.synchronizeFolder(folder)
            try disk.writeAtomically(JournalContent.head, to: path, mode: 0o600)
        } catch {
            throw SwapJournalError(error)
        }
    }
}
