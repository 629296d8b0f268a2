// What a control socket asks of a job.  Any thread.
extension JobRun {
    /// Asks for a checkpoint of what is from now on.
    ///
    /// - Returns: The wish, to be waited for; nil for a job that takes no checkpoints.
    package func wishForCheckpoint() -> CheckpointWish? {
        guard let checkpointing else { return nil }
        let wish = CheckpointWish()
        checkpointing.post(wish)
        return wish
    }

    /// Why the job has failed; nil when it has not, or not yet.
    package var failure: JobFailure? { control.failure }
}
