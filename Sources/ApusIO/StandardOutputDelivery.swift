package import ApusCore
package import ApusMemory
import Glibc
import Synchronization

/// Prints the output of a sink to standard output, epoch by epoch.
///
/// Nearly once: a pipe or a terminal cannot be asked what it has got.  When the process ends while
/// an epoch is printed, or after that and before the next checkpoint notes it, the epoch is printed
/// again after the restart, from its beginning.  Never is one lost, and never is one printed that
/// no checkpoint holds.
///
/// The position, integers big-endian:
///
///     offset  size
///          0     1  0x53
///          1     1  version: 1
///          2     8  number of subtasks
///         10   16n  subtask (8) and the newest epoch of it that was printed (8), ascending
package final class StandardOutputDelivery: OutputDelivery {
    private static let version: UInt8 = 1
    private static let name = "standard output"

    private struct State {
        var delivered = DeliveredEpochs()
        var failure: EndpointError?
    }

    private let descriptor: Int32
    private let disk: any Disk
    private let state = Mutex(State())

    /// Creates a delivery; a reader that is gone is an error from then on and no longer a signal.
    ///
    /// - Parameter disk: Where the logs are.
    package convenience init(disk: any Disk) {
        self.init(descriptor: 1, disk: disk)
    }

    /// Creates a delivery to another descriptor, which stays open.
    init(descriptor: Int32, disk: any Disk) {
        signal(SIGPIPE, SIG_IGN)
        self.descriptor = descriptor
        self.disk = disk
    }

    // doc: inherited
    package var position: [UInt8] {
        state.withLock { state in
            var writer = PositionWriter()
            writer.append(PositionKind.outputStream.rawValue)
            writer.append(Self.version)
            state.delivered.append(to: &writer)
            return writer.bytes
        }
    }

    // doc: inherited
    package func restore(
        _ position: [UInt8],
        undelivered: [SealedOutput]
    ) throws(EndpointError) {
        var reader = try PositionReader(
            position,
            name: Self.name,
            kind: .outputStream,
            version: Self.version
        )
        let delivered = try DeliveredEpochs(&reader)
        try reader.finish()
        state.withLock { $0 = State(delivered: delivered) }
    }

    // doc: inherited
    package func deliver(_ output: SealedOutput) throws(EndpointError) {
        try state.withLock { state throws(EndpointError) in
            if let failure = state.failure { throw failure }
            guard !state.delivered.contains(output) else { return }
            Failpoint.hit(.k3)
            do throws(DiskError) {
                if let logPath = output.logPath {
                    let log = try SealedLog(output, at: logPath, disk: disk)
                    let stream = LinuxWritableFile(
                        descriptor: descriptor,
                        path: Self.name,
                        ownsDescriptor: false
                    )
                    try log.copy(from: 0, to: stream)
                }
            } catch {
                // Final: nobody knows how much of it was printed.
                let failure = EndpointError(error.description)
                state.failure = failure
                throw failure
            }
            Failpoint.hit(.k4)
            state.delivered.add(output)
        }
    }
}
