package import ApusCore

/// Why something cannot be noted in a swap journal, or read from it, or be done at all because of
/// what it says.
package struct SwapJournalError: Error, Equatable, Sendable, CustomStringConvertible {
    /// What kind of trouble it is.
    package enum Kind: Equatable, Sendable {
        /// The disk refuses; nothing was noted.
        case disk
        /// Nobody knows whether the entry is on the disk; nothing more is noted by this process.
        case undecided
        /// The file is not what was written.
        case damaged
        /// A newer Apus wrote it.
        case newer
        /// Another operation is under way.
        case underWay
        /// It is of an operation that is not under way.
        case notUnderWay
        /// The version was taken back before.
        case quarantined
        /// The version runs already.
        case alreadyInForce
        /// Another version runs than was expected.
        case otherVersion
        /// A plugin file is missing, or has other content than its name says.
        case plugin
    }

    /// What kind of trouble it is.
    package let kind: Kind
    /// What was expected, what was found, how to go on.
    package let description: String

    /// Creates an error.
    package init(_ kind: Kind, _ description: String) {
        self.kind = kind
        self.description = description
    }

    /// What the disk refused.
    package init(_ error: DiskError) { self.init(.disk, error.description) }

    /// Runs a part that uses the disk.
    static func onDisk<Result>(
        _ body: @autoclosure () throws(DiskError) -> Result
    ) throws(SwapJournalError) -> Result {
        do throws(DiskError) {
            return try body()
        } catch {
            throw SwapJournalError(error)
        }
    }
}
