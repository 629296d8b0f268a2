import ApusCheckpoint
import ApusIO
import ApusStateTools
import ArgumentParser

/// What the commands take that read the state of a checkpoint, or of a running job.
struct LiveStateOptions: ParsableArguments {
    @OptionGroup var stored: StateOptions

    @Flag(help: "Have the running job take a checkpoint first, and use that.")
    var live = false

    @OptionGroup var socket: ControlOptions

    func validate() throws {
        if live, stored.number != nil {
            throw ValidationError("--live takes a new checkpoint; leave --number out")
        }
        if !live, socket.control != nil { throw ValidationError("--control needs --live") }
    }

    /// Has the job take a checkpoint.
    func takeCheckpoint() throws -> LiveCheckpoint {
        try LiveCheckpoint(stored.checkpoint, socket: socket.control)
    }

    /// Runs `body` with the state of the checkpoint.
    func read<Result>(
        _ body: (StateSnapshotReader) throws(StateToolError) -> Result
    ) throws -> Result {
        guard live else { return try stored.read(body) }
        let checkpoint = try takeCheckpoint()
        return try stored.read(checkpoint.folder, checkpoint.manifest, body)
    }

    /// Runs `body` with the checkpoint as it lies on the disk.
    func withCheckpoint<Result>(
        _ body: (CheckpointFolder, Manifest) throws -> Result
    ) throws -> Result {
        guard live else {
            let (folder, manifest) = try stored.open()
            return try body(folder, manifest)
        }
        let checkpoint = try takeCheckpoint()
        return try withExtendedLifetime(checkpoint) {
            try body(checkpoint.folder, checkpoint.manifest)
        }
    }
}
