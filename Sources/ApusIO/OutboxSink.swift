package import ApusCore
package import ApusMemory
import CApusPlugin
import Glibc

/// Keeps the value of each record, a line each or as it is, in logs that are delivered with
/// checkpoints.
///
/// What an epoch's log has becomes visible when a ``FileDelivery``, a ``FolderDelivery`` or a
/// ``StandardOutputDelivery`` delivers it.  A disk that is full is no end: nothing that was taken
/// is lost, and nothing is in a log twice, however often a call must be made again.
package final class OutboxSink: EpochSink {
    /// The buffer is written when it has so many bytes.
    private static let bufferByteCount = 256 << 10

    private let sink: String
    private let subtask: Int
    private let directory: String
    private let disk: any Disk
    private let endsLines: Bool
    private var log: EpochLog?
    private var logNumber: UInt64 = 1
    private var newestEpoch: UInt64 = 0
    private var failure: EndpointError?

    // SAFETY: freed when it is replaced and in deinit; `used` never exceeds `capacity`.
    private var buffer: UnsafeMutableRawPointer
    private var capacity = OutboxSink.bufferByteCount * 2
    private var used = 0

    /// Creates a sink; a log is made when there is something for it.
    ///
    /// - Parameters:
    ///   - sink: The sink's id.
    ///   - subtask: Which subtask of it this is.
    ///   - directory: The folder for logs; it exists, and lies in the file system of the
    ///     checkpoints.
    ///   - endsLines: Whether each value is a line; otherwise they stand as they are.
    ///   - disk: Where that is.
    package init(
        sink: String,
        subtask: Int,
        directory: String,
        endsLines: Bool = true,
        disk: any Disk
    ) {
        self.endsLines = endsLines
        self.sink = sink
        self.subtask = subtask
        self.directory = directory
        self.disk = disk
        buffer = .allocate(byteCount: capacity, alignment: 64)
    }

    deinit {
        buffer.deallocate()
    }

    // doc: inherited
    package func write(_ batch: RecordBatch) throws(EndpointError) {
        if let failure { throw failure }
        // First, so that a batch is taken in whole or not at all.
        if used >= Self.bufferByteCount { try writeBuffer() }
        take(batch)
        guard used >= Self.bufferByteCount else { return }
        do throws(EndpointError) {
            try writeBuffer()
        } catch {
            // The batch is taken; whoever writes next meets the full disk, and can try again.
            guard error.isRetryable else { throw error }
        }
    }

    /// Does nothing: what waits becomes visible with the checkpoint and not before.
    package func flush() throws(EndpointError) {
        if let failure { throw failure }
    }

    // doc: inherited
    package func seal(epoch: UInt64) throws(EndpointError) -> SealedOutput {
        precondition(epoch > newestEpoch, "epochs ascend")
        if let failure { throw failure }
        try writeBuffer()
        var sealed = SealedOutput(
            sink: sink,
            subtask: subtask,
            epoch: epoch,
            logPath: nil,
            byteCount: 0
        )
        if let log {
            do throws(DiskError) {
                try log.close()
            } catch {
                throw fail(EndpointError(error.description))
            }
            sealed = SealedOutput(
                sink: sink,
                subtask: subtask,
                epoch: epoch,
                logPath: log.path,
                byteCount: log.byteCount
            )
        }
        log = nil
        newestEpoch = epoch
        Failpoint.hit(.k1)
        return sealed
    }

    /// Drops what was not sealed: it belongs to no checkpoint.
    ///
    /// - Throws: ``EndpointError`` when its log is left behind.
    package func close() throws(EndpointError) {
        used = 0
        guard let log else { return }
        self.log = nil
        do throws(DiskError) {
            try log.discard()
        } catch {
            throw EndpointError(error.description)
        }
    }

    /// Copies the values of a batch behind what waits.
    private func take(_ batch: RecordBatch) {
        let values = batch.values
        let buffers = UnsafePointer(batch.buffers)
        var byteCount = endsLines ? batch.count : 0
        for index in 0..<batch.count { byteCount += Int(values[index].len) }
        reserve(byteCount)
        // SAFETY: there is room for all values and their line feeds behind `used`.
        var target = buffer + used
        for index in 0..<batch.count {
            let view = values + index
            let valueByteCount = Int(view.pointee.len)
            memcpy(target, apus_view_data(view, buffers), valueByteCount)
            target += valueByteCount
            guard endsLines else { continue }
            target.storeBytes(of: UInt8(ascii: "\n"), as: UInt8.self)
            target += 1
        }
        used += byteCount
    }

    private func reserve(_ byteCount: Int) {
        guard capacity - used < byteCount else { return }
        resize(max(used + byteCount, capacity * 2))
    }

    private func resize(_ newCapacity: Int) {
        let resized = UnsafeMutableRawPointer.allocate(byteCount: newCapacity, alignment: 64)
        memcpy(resized, buffer, used)
        buffer.deallocate()
        buffer = resized
        capacity = newCapacity
    }

    /// Hands what waits to the operating system; what fails still waits.
    private func writeBuffer() throws(EndpointError) {
        guard used > 0 else { return }
        do throws(DiskError) {
            let log = try openLog()
            try log.append(UnsafeRawBufferPointer(start: buffer, count: used))
        } catch {
            throw fail(EndpointError(retrying: error))
        }
        used = 0
        // One large batch does not keep its memory for ever.
        if capacity > Self.bufferByteCount * 16 { resize(Self.bufferByteCount * 2) }
    }

    private func openLog() throws(DiskError) -> EpochLog {
        if let log { return log }
        let opened = try EpochLog(
            in: directory,
            sink: sink,
            subtask: subtask,
            number: &logNumber,
            disk: disk
        )
        log = opened
        return opened
    }

    private func fail(_ error: EndpointError) -> EndpointError {
        if !error.isRetryable { failure = error }
        return error
    }
}
