import ApusIO
import ApusSwap

extension SwapHistory {
    /// A history, its intents numbered as a journal numbers them.
    static func numbered(_ events: [SwapEntry.Event]) throws -> SwapHistory {
        let folder = try TemporaryFolder()
        let journal = try SwapJournal(inFolder: folder.path, disk: LinuxDisk()) { _ in }
        for event in events { try journal.add(event, atMicroseconds: 0) }
        return journal.history
    }
}
