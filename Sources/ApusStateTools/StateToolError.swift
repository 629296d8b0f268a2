package import ApusCheckpoint
package import ApusCore
package import ApusStore

/// Why a tool could not do with state what it was asked for.
package struct StateToolError: Error, Equatable, Sendable, CustomStringConvertible {
    /// Whose fault it is.
    package enum Kind: Equatable, Sendable {
        /// What the user named or gave is not there, not right, or damaged; nothing was done.
        case input
        /// The system refused while the work was under way.
        case system
    }

    /// Whose fault it is.
    package let kind: Kind
    /// What was found where, what was expected, and what to do.
    package let description: String

    /// Creates an error.
    package init(_ kind: Kind, _ description: String) {
        self.kind = kind
        self.description = description
    }

    /// An error of a checkpoint folder.
    package init(_ error: CheckpointError) {
        self.init(error.kind == .disk ? .system : .input, error.description)
    }

    /// An error of a database.
    package init(_ error: StoreError) {
        self.init(.system, error.description)
    }

    /// An error of the disk.
    package init(_ error: DiskError) {
        self.init(.system, error.description)
    }

    static func onDisk<Result>(
        _ operation: @autoclosure () throws(DiskError) -> Result
    ) throws(StateToolError) -> Result {
        do throws(DiskError) {
            return try operation()
        } catch {
            throw StateToolError(error)
        }
    }

    static func onStore<Result>(
        _ operation: @autoclosure () throws(StoreError) -> Result
    ) throws(StateToolError) -> Result {
        do throws(StoreError) {
            return try operation()
        } catch {
            throw StateToolError(error)
        }
    }

    static func onFolder<Result>(
        _ operation: @autoclosure () throws(CheckpointError) -> Result
    ) throws(StateToolError) -> Result {
        do throws(CheckpointError) {
            return try operation()
        } catch {
            throw StateToolError(error)
        }
    }
}
