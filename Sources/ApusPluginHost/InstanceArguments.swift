package import ApusCore
package import ApusState

/// What an instance is created for.
package struct InstanceArguments: Sendable {
    /// The job's name.
    package var job: String
    /// The operator's id in the job.
    package var operatorID: String
    /// Compact JSON, `{}` when there is none.
    package var configuration: String
    /// This subtask's index.
    package var subtask: Int
    /// How many subtasks the operator has.
    package var parallelism: Int
    /// The dealing of keys.
    package var groups: KeyGroups
    /// Records in an output batch.
    package var recordsPerBatch: Int
    /// Where state is that memory does not hold; nil for state in memory alone.
    package var tier: StateTier?
    /// What a checkpoint has of the broadcast states, in the order of their declaration; nil for
    /// none.
    package var broadcasts: [[BroadcastEntry]]?
    /// What this subtask gets of the operator states in a checkpoint, in the order of their
    /// declaration; nil for none.
    package var operatorState: [OperatorStateItems]?
    /// When state expires, by the name of the state.
    package var expiries: [String: SlotExpiry] = [:]
    /// How asynchronous calls are made.
    package var async = AsyncSettings()
    /// What the instance may ask for; nil for nothing.
    package var secrets: SecretTable?
    /// State that it shares with an instance of another version; nil for state of its own.
    package var inherited: InheritedState?
    /// What a checkpoint has of its private snapshot; nil for nothing.
    package var snapshot: PrivateSnapshot.Saved?

    /// Creates arguments.
    package init(
        job: String,
        operatorID: String,
        configuration: String,
        subtask: Int,
        parallelism: Int,
        groups: KeyGroups,
        recordsPerBatch: Int,
        tier: StateTier? = nil
    ) {
        self.job = job
        self.operatorID = operatorID
        self.configuration = configuration
        self.subtask = subtask
        self.parallelism = parallelism
        self.groups = groups
        self.recordsPerBatch = recordsPerBatch
        self.tier = tier
    }
}
