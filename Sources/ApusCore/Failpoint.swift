import Synchronization

/// A named step of the checkpoint, delivery, recovery and swap protocols at which a test can end
/// the process.
///
/// The names are those of docs/decisions/checkpoints.md.  In release builds ``hit(_:)`` does
/// nothing.
package enum Failpoint: String, CaseIterable, Sendable {
    /// Checkpoint: the attempt has a number and its folder.
    case c1 = "C1"
    /// Checkpoint: a source has sent the barrier.
    case c2 = "C2"
    /// Checkpoint: a source has noted its position.
    case c3 = "C3"
    /// Checkpoint: a stage has the barriers of all its inputs.
    case c4 = "C4"
    /// Checkpoint: a stage has taken its snapshot.
    case c5 = "C5"
    /// Checkpoint: a file's new name exists.
    case c6Create = "C6-create"
    /// Checkpoint: a file's bytes are written.
    case c6Write = "C6-write"
    /// Checkpoint: a file's bytes are on the disk.
    case c6Fsync = "C6-fsync"
    /// Checkpoint: a file has its content name.
    case c6Rename = "C6-rename"
    /// Checkpoint: the folder of files is on the disk.
    case c7 = "C7"
    /// Checkpoint: a subtask has reported.
    case c8 = "C8"
    /// Checkpoint: all subtasks have reported.
    case c9 = "C9"
    /// Checkpoint: the manifest is on the disk under its temporary name.
    case c10 = "C10"
    /// Checkpoint: the manifest has its name.
    case c11 = "C11"
    /// Checkpoint: CURRENT names the manifest.
    case c12 = "C12"
    /// Checkpoint: the sinks were told to deliver.
    case c13 = "C13"
    /// Checkpoint: files that nothing needs are marked.
    case c14 = "C14"
    /// Checkpoint: files that nothing needs are deleted.
    case c15 = "C15"
    /// Delivery: an epoch's log is sealed.
    case k1 = "K1"
    /// Delivery: the log is on the disk.
    case k2 = "K2"
    /// Delivery: has begun.
    case k3 = "K3"
    /// Delivery: the data is written.
    case k4 = "K4"
    /// Delivery: the marker is written.
    case k5 = "K5"
    /// Delivery: the commit has begun.
    case k6 = "K6"
    /// Delivery: the commit is on the disk.
    case k7 = "K7"
    /// Delivery: the log is gone.
    case k8 = "K8"
    /// Recovery: the folder is locked.
    case x1 = "X1"
    /// Recovery: no earlier process is left.
    case x2 = "X2"
    /// Recovery: the manifest is verified.
    case x3 = "X3"
    /// Recovery: the files are verified.
    case x4 = "X4"
    /// Recovery: the state is open.
    case x5 = "X5"
    /// Recovery: the sinks have delivered what was left.
    case x6 = "X6"
    /// Recovery: the sources are where they were.
    case x7 = "X7"
    /// Recovery: the job runs.
    case x8 = "X8"
    /// Swap: the new file is checked and copied.
    case s1 = "S1"
    /// Swap: the new file was scanned.
    case s3 = "S3"
    /// Swap: the checkpoint to go back to is complete.
    case s5 = "S5"
    /// Swap: the intent is on the disk.
    case s6 = "S6"
    /// Swap: the new instances are made.
    case s7 = "S7"
    /// Swap: the new version is in force.
    case s10 = "S10"
    /// Swap: the probation has begun.
    case s11 = "S11"
    /// Swap: the commit is on the disk.
    case s12 = "S12"
    /// Swap: the old version is retired.
    case s13 = "S13"
    /// Going back: the decision is on the disk.
    case b1 = "B1"
    /// Going back: the old version is there.
    case b3 = "B3"
    /// Going back: the state is that of the checkpoint.
    case b4 = "B4"
    /// Going back: the job runs.
    case b5 = "B5"
    /// Going back: the version is quarantined.
    case b6 = "B6"
    /// Migration: a row is moved.
    case m2 = "M2"
    /// Migration: a slice of the sweep is done.
    case m3 = "M3"
    /// Migration: the sweep is done, and that is on the disk.
    case m6 = "M6"

    /// What happens at a failpoint, chosen by the composition root before any thread starts.
    package struct Trap: Sendable {
        let point: Failpoint
        let occurrence: Int
        let action: @Sendable () -> Void

        /// Creates a trap.
        ///
        /// - Parameters:
        ///   - point: Where.
        ///   - occurrence: At which passage, from 1.
        ///   - action: What to do there; ends the process, as a rule.
        package init(point: Failpoint, occurrence: Int, action: @escaping @Sendable () -> Void) {
            self.point = point
            self.occurrence = occurrence
            self.action = action
        }
    }

    #if DEBUG
    private static let trap: Mutex<Trap?> = Mutex(nil)
    private static let passages: Atomic<Int> = Atomic(0)
    private static let isArmed: Atomic<Bool> = Atomic(false)
    #endif

    /// Whether this build has failpoints.
    package static var areBuiltIn: Bool {
        #if DEBUG
        true
        #else
        false
        #endif
    }

    /// Sets the trap; nothing in release builds.
    package static func arm(_ newTrap: Trap) {
        #if DEBUG
        trap.withLock { $0 = newTrap }
        passages.store(0, ordering: .relaxed)
        isArmed.store(true, ordering: .releasing)
        #endif
    }

    /// Passes a step.
    ///
    /// Any thread.
    @inline(__always)
    package static func hit(_ point: Failpoint) {
        #if DEBUG
        guard isArmed.load(ordering: .acquiring) else { return }
        guard let armed = trap.withLock({ $0 }), armed.point == point else { return }
        let passage = passages.add(1, ordering: .relaxed).newValue
        if passage == armed.occurrence { armed.action() }
        #endif
    }
}
