import ApusCore
import ApusMemory
import CApusPlugin
import Glibc

/// Writes the values of records to a file, a line each or as they are: what all sinks that write
/// share.
///
/// After a failure every further call fails with the same error: nothing that comes later can make
/// the output complete.  One thread.
final class ValueWriter {
    private static let bufferByteCount = 256 << 10

    private let file: any WritableFile
    private let endsLines: Bool
    private var failure: EndpointError?
    private var isClosed = false

    // SAFETY: freed in deinit; `used` never exceeds the size.
    private let buffer = UnsafeMutableRawPointer.allocate(
        byteCount: ValueWriter.bufferByteCount,
        alignment: 64
    )
    private var used = 0

    /// Takes over an open file; `endsLines` is whether a line feed comes behind each value.
    init(_ file: any WritableFile, endsLines: Bool = true) {
        self.file = file
        self.endsLines = endsLines
    }

    deinit {
        buffer.deallocate()
    }

    /// Takes the values of a batch.
    ///
    /// - Throws: ``EndpointError`` that names the path and the reason.
    func write(_ batch: RecordBatch) throws(EndpointError) {
        if let failure { throw failure }
        let values = batch.values
        let buffers = UnsafePointer(batch.buffers)
        for index in 0..<batch.count {
            let view = values + index
            let byteCount = Int(view.pointee.len)
            if byteCount >= Self.bufferByteCount - used {
                try flush()
                guard byteCount < Self.bufferByteCount else {
                    try writeOut(
                        UnsafeRawBufferPointer(
                            start: apus_view_data(view, buffers),
                            count: byteCount
                        )
                    )
                    appendLineFeed()
                    continue
                }
            }
            // SAFETY: the value and its line feed fit behind `used`.
            memcpy(buffer + used, apus_view_data(view, buffers), byteCount)
            used &+= byteCount
            appendLineFeed()
        }
    }

    /// Hands what waits to the operating system.
    ///
    /// - Throws: ``EndpointError`` that names the path and the reason.
    func flush() throws(EndpointError) {
        if let failure { throw failure }
        let byteCount = used
        used = 0
        try writeOut(UnsafeRawBufferPointer(start: buffer, count: byteCount))
    }

    /// Flushes, waits until all is on the disk, and closes the file whatever comes of that.
    ///
    /// - Throws: ``EndpointError``; the output is then not complete.
    func close() throws(EndpointError) {
        if isClosed { return }
        isClosed = true
        if failure == nil {
            do throws(EndpointError) {
                try flush()
                try perform { file throws(DiskError) in try file.synchronize() }
            } catch {
                failure = error
            }
        }
        do throws(DiskError) {
            try file.close()
        } catch {
            failure = failure ?? EndpointError(error.description)
        }
        if let failure { throw failure }
    }

    private func appendLineFeed() {
        guard endsLines else { return }
        buffer.storeBytes(of: UInt8(ascii: "\n"), toByteOffset: used, as: UInt8.self)
        used &+= 1
    }

    private func writeOut(_ bytes: UnsafeRawBufferPointer) throws(EndpointError) {
        guard !bytes.isEmpty else { return }
        try perform { file throws(DiskError) in try file.write(bytes) }
    }

    private func perform(
        _ operation: (any WritableFile) throws(DiskError) -> Void
    ) throws(EndpointError) {
        do throws(DiskError) {
            try operation(file)
        } catch {
            let failed = EndpointError(error.description)
            failure = failed
            throw failed
        }
    }
}
