/// Where the state of a job lives, and what of it and of the output survives a failure.
///
/// A value of this type may still contradict itself; ``JobDescription/validate()`` says so.
package struct Durability: Sendable, Hashable {
    /// When and where checkpoints are taken; `nil` for none.
    package var checkpoint: CheckpointDescription?

    /// Where the state is while the job runs.
    package var storage: StateStorage

    /// How much memory the state may take; `nil` for ``BudgetDescription/standard``.
    package var memoryBudget: BudgetDescription?

    /// What all sinks promise, as the author said it.
    package var delivery: DeliveryGuarantee?

    /// Creates a rule; what is not given has its documented default.
    ///
    /// - Parameters:
    ///   - checkpoint: When and where checkpoints are taken.
    ///   - storage: Where the state is; by default in a database inside the folder of checkpoints,
    ///     and in memory without checkpoints.
    ///   - memoryBudget: How much memory the state may take.
    ///   - delivery: What all sinks promise.
    package init(
        checkpoint: CheckpointDescription? = nil,
        storage: StateStorage? = nil,
        memoryBudget: BudgetDescription? = nil,
        delivery: DeliveryGuarantee? = nil
    ) {
        self.checkpoint = checkpoint
        self.storage = storage ?? (checkpoint == nil ? .memory : .rocksdb(directory: nil))
        self.memoryBudget = memoryBudget
        self.delivery = delivery
    }

    /// What the sinks promise that do not say otherwise.
    package var jobDelivery: DeliveryGuarantee {
        delivery ?? (checkpoint == nil ? .atLeastOnce : .exactlyOnce)
    }

    /// What one sink promises: what it says itself, else what the job says.
    package func delivery(of sink: SinkDescription) -> DeliveryGuarantee {
        sink.delivery ?? jobDelivery
    }
}
