// A job that is on probation as a whole: another graph than it had before.
extension JobRun {
    /// What all operators with plugins have shown since the run began; for a run that was started
    /// with ``CheckpointSettings/isOnProbation``.
    package var probation: ProbationRecord {
        ProbationRecord(operators.stages.map { ($0.node, $0.swaps) })
    }

    /// Ends the probation: the job stays, and what was held back is delivered.
    package func endProbation() {
        let go = SwapSignal()
        for stage in operators.stages {
            let end = SubtaskSwap(
                .commit,
                sequence: 0,
                cut: .boundary,
                policy: .rollBack,
                go: go
            )
            stage.swaps.post(end)
        }
        go.set()
        wakeThreads()
        releaseDelivery()
    }
}
