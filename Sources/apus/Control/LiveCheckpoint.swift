import ApusCheckpoint
import ApusControl
import ApusCore
import ApusIO

/// A checkpoint that a running job has taken for this process, and keeps as long as this object.
final class LiveCheckpoint {
    /// Its folder, for reading.
    let folder: CheckpointFolder
    /// The checkpoint.
    let manifest: Manifest
    /// The job that took it.
    let client: ControlClient
    private let lease: CheckpointLease

    /// Has the job take a checkpoint, or ends the program with what is wrong.
    ///
    /// - Parameters:
    ///   - path: The job's checkpoint folder.
    ///   - socket: The job's control socket; nil for the one in the folder.
    /// - Throws: The status to end with.
    init(_ path: String, socket: String?) throws {
        // First, because it says best what is wrong with a path that is mistyped.
        let folder = try StateTool.orExitFromFolder { () throws(CheckpointError) in
            try CheckpointFolder.openForReading(
                path,
                disk: LinuxDisk(),
                threads: LinuxThreads(),
                warn: StateTool.warn
            )
        }
        let client = try ControlPlace.connect(folder: path, socket: socket)
        let created = try Self.create(client)
        guard created.job == folder.job else {
            Console.error(
                "the job at the socket is '\(created.job)', and \(path) is the checkpoint folder "
                    + "of '\(folder.job)'; expected both of one job"
            )
            throw ExitStatus.invalid
        }
        // From here on the job may end: the checkpoint is kept by this process as well.
        let (lease, manifest) = try StateTool.orExitFromFolder { () throws(CheckpointError) in
            (try folder.lease(created.checkpoint), try folder.manifest(created.checkpoint))
        }
        self.folder = folder
        self.client = client
        self.lease = lease
        self.manifest = manifest
    }

    /// Asks for a checkpoint and waits until it is complete.
    static func create(_ client: ControlClient) throws -> JobMethods.CheckpointCreated {
        try ControlPlace.orExit { () throws(ControlError) in
            try client.ask(
                "checkpoint.create",
                ControlNothing(),
                as: JobMethods.CheckpointCreated.self,
                progress: { Console.note($0.message) }
            )
        }
    }
}
