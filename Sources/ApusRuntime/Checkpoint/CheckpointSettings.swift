package import ApusCheckpoint
package import ApusCore
package import ApusGraph
package import ApusState
package import ApusStore

/// What a job needs in order to take checkpoints.
package struct CheckpointSettings: Sendable {
    /// Where keyed state lies that outgrows memory.
    package struct DurableState: Sendable {
        /// The database.
        package let database: StateDatabase
        /// What writes into it.
        package let writer: StateWriter
        /// What rows may use together.
        package let budget: MemoryBudget
        /// A folder for rows that memory has no room for; nil when they go to the database at once.
        package let spillDirectory: String?

        /// Creates a description.
        ///
        /// - Parameters:
        ///   - database: Holds what the restored checkpoint holds, or nothing.
        ///   - writer: Writes into it; closed by the caller after the job.
        ///   - budget: What rows may use together.
        ///   - spillDirectory: A folder for rows that memory has no room for, on a disk of this
        ///     machine; nothing in it outlives the process.
        package init(
            database: StateDatabase,
            writer: StateWriter,
            budget: MemoryBudget,
            spillDirectory: String? = nil
        ) {
            self.database = database
            self.writer = writer
            self.budget = budget
            self.spillDirectory = spillDirectory
        }
    }

    /// Where checkpoints are kept; closed by the caller after the job.
    package var folder: CheckpointFolder
    /// How often, and how patiently.
    package var rule: CheckpointDescription
    /// The seam to files, for logs.
    package var disk: any Disk
    /// Where keyed state is; nil for a job without.
    package var state: DurableState?
    /// The checkpoint to go on from; its state is in ``state`` already.
    package var restored: Manifest?
    /// Whether ``restored`` is not the newest checkpoint, so that output may have been delivered
    /// that it does not know of.
    package var isRestoredOld = false
    /// Whether such output is moved away; otherwise the job does not start.
    package var rewindsOutput = false
    /// Sources, operators and sinks whose part of ``restored`` is given up.
    package var droppedState: Set<String> = []
    /// Operators whose version a swap has brought: what that drops may go.
    package var swapped: Set<String> = []
    /// Whether the whole job is on probation: what it emits behind ``restored`` is not delivered
    /// until it is let go, and its operators are watched.
    package var isOnProbation = false
    /// The version of Apus, for manifests.
    package var writerVersion: String
    /// How long the end of a job waits for its output to be delivered, in microseconds.
    package var deliveryPatienceMicroseconds: Int64 = 30_000_000

    /// Creates settings for a job that begins; see the properties for one that goes on.
    ///
    /// - Parameters:
    ///   - folder: Where checkpoints are kept.
    ///   - rule: How often.
    ///   - disk: The seam to files.
    ///   - state: Where keyed state is.
    ///   - writerVersion: The version of Apus.
    package init(
        folder: CheckpointFolder,
        rule: CheckpointDescription,
        disk: any Disk,
        state: DurableState?,
        writerVersion: String
    ) {
        self.folder = folder
        self.rule = rule
        self.disk = disk
        self.state = state
        self.writerVersion = writerVersion
    }

    /// The rule in the protocol's units.
    var policy: CheckpointProtocol.Policy {
        CheckpointProtocol.Policy(
            interval: rule.intervalMicroseconds * 1000,
            minPause: rule.minPauseMicroseconds * 1000,
            timeout: rule.timeoutMicroseconds * 1000,
            tolerableFailureCount: rule.tolerableFailureCount,
            deliveryPatience: deliveryPatienceMicroseconds * 1000
        )
    }
}
