package import ApusCore
import CApusPlugin

/// Whole records as bytes: key, value, time and kind, so that they can wait in a file.
///
/// A record, integers little-endian:
///
///     offset  size
///          0     4  bytes that follow: 16 and those of key and value
///          4     4  size of the key
///          8     8  event time in microseconds, or the lowest number for none
///         16     4  kind, the bits of the plugin ABI
///         20        key, value
package enum RecordEnvelope {
    private static let headByteCount = 20

    /// Encodes; for sinks that take bytes.
    package final class Encoder: RecordEncoder {
        /// Creates an encoder.
        package init() {}

        // doc: inherited
        package func encode(
            _ batch: RecordBatch,
            into target: RecordBatch
        ) throws(EndpointError) -> [RejectedRecord] {
            for index in 0..<batch.count where !append(batch, index, to: target) {
                throw EndpointError("records of more than 2 GiB in a batch")
            }
            return []
        }

        private func append(_ batch: RecordBatch, _ index: Int, to target: RecordBatch) -> Bool {
            let hasKey = batch.kinds[index] & UInt8(APUS_KIND_NULL_KEY) == 0
            let keyCount = hasKey ? Int(batch.keys[index].len) : 0
            let valueCount = Int(batch.values[index].len)
            let byteCount = headByteCount + keyCount + valueCount
            guard target.reserveArena(byteCount) else { return false }
            let start = target.arenaUsed
            // SAFETY: reserveArena has made room for all that is written here.
            let bytes = UnsafeMutableRawPointer(target.arena + start)
            bytes.storeBytes(of: UInt32(byteCount - 4).littleEndian, as: UInt32.self)
            bytes.storeBytes(of: UInt32(keyCount).littleEndian, toByteOffset: 4, as: UInt32.self)
            bytes.storeBytes(
                of: batch.times[index].littleEndian,
                toByteOffset: 8,
                as: Int64.self
            )
            bytes.storeBytes(
                of: UInt32(batch.kinds[index]).littleEndian,
                toByteOffset: 16,
                as: UInt32.self
            )
            let buffers = UnsafePointer(batch.buffers)
            let key = apus_view_data(batch.keys + index, buffers)
            let value = apus_view_data(batch.values + index, buffers)
            if keyCount > 0, let key {
                (bytes + headByteCount).copyMemory(from: key, byteCount: keyCount)
            }
            if let value {
                (bytes + headByteCount + keyCount).copyMemory(from: value, byteCount: valueCount)
            }
            target.arenaUsed = start + byteCount
            target.appendShown(arenaOffset: start, count: byteCount)
            return true
        }
    }

    /// Reads a file of envelopes from its start to its end.
    package final class Reader {
        private static let pieceByteCount = 1 << 20

        private let file: any ReadableFile
        private let path: String
        private let byteCount: Int
        private var offset = 0
        // SAFETY: freed in deinit; `start ..< end` of it is what was read and not used.
        private var piece: UnsafeMutableRawBufferPointer
        private var start = 0
        private var end = 0

        /// Opens a file of so many bytes.
        ///
        /// - Throws: ``DiskError``.
        package convenience init(
            _ path: String,
            byteCount: Int,
            disk: any Disk
        ) throws(DiskError) {
            self.init(path, byteCount: byteCount, file: try disk.openForReading(path))
        }

        /// Takes over an open file of so many bytes.
        init(_ path: String, byteCount: Int, file: any ReadableFile) {
            self.file = file
            self.path = path
            self.byteCount = byteCount
            piece = .allocate(byteCount: Self.pieceByteCount, alignment: 64)
        }

        deinit { piece.deallocate() }

        /// Fills an empty batch with the next records.
        ///
        /// - Returns: False when there are none.
        /// - Throws: ``DiskError`` when the file is not what was written.
        package func next(into batch: RecordBatch) throws(DiskError) -> Bool {
            batch.reset()
            while batch.count < batch.recordCapacity {
                guard let size = try recordByteCount() else {
                    guard start == end, offset == byteCount else { throw cutOff }
                    break
                }
                guard try has(size) else { throw cutOff }
                guard append(UnsafeRawPointer(base + start), size, to: batch) else { break }
                start += size
            }
            return batch.count > 0
        }

        private var base: UnsafeMutableRawPointer {
            guard let base = piece.baseAddress else { preconditionFailure("a piece has bytes") }
            return base
        }

        /// The size of the next record; nil when there is none as a whole.
        private func recordByteCount() throws(DiskError) -> Int? {
            guard try has(headByteCount) else { return nil }
            let size =
                Int(
                    UInt32(
                        littleEndian: base.loadUnaligned(
                            fromByteOffset: start,
                            as: UInt32.self
                        )
                    )
                ) + 4
            let keyCount = Int(
                UInt32(
                    littleEndian: base.loadUnaligned(
                        fromByteOffset: start + 4,
                        as: UInt32.self
                    )
                )
            )
            guard size >= headByteCount, keyCount <= size - headByteCount else { throw cutOff }
            return size
        }

        private func append(_ bytes: UnsafeRawPointer, _ size: Int, to batch: RecordBatch) -> Bool {
            let keyCount = Int(
                UInt32(
                    littleEndian: bytes.loadUnaligned(
                        fromByteOffset: 4,
                        as: UInt32.self
                    )
                )
            )
            let time = Int64(littleEndian: bytes.loadUnaligned(fromByteOffset: 8, as: Int64.self))
            let kind = UInt32(
                littleEndian: bytes.loadUnaligned(
                    fromByteOffset: 16,
                    as: UInt32.self
                )
            )
            let hasKey = kind & UInt32(APUS_KIND_NULL_KEY) == 0
            // SAFETY: the caller has checked that the record is there as a whole.
            let key = UnsafeRawBufferPointer(start: bytes + headByteCount, count: keyCount)
            let value = UnsafeRawBufferPointer(
                start: bytes + headByteCount + keyCount,
                count: size - headByteCount - keyCount
            )
            guard batch.append(key: hasKey ? key : nil, value: value, time: time) else {
                return false
            }
            batch.kinds[batch.count - 1] = UInt8(truncatingIfNeeded: kind)
            return true
        }

        /// Reads until so many bytes are there; false when the file has no more.
        private func has(_ count: Int) throws(DiskError) -> Bool {
            if end - start >= count { return true }
            if piece.count - start < count { makeRoom(count) }
            while end - start < count {
                let room = min(piece.count - end, byteCount - offset)
                guard room > 0 else { return false }
                // SAFETY: the rest of the piece, for the time of the call.
                let rest = UnsafeMutableRawBufferPointer(rebasing: piece[end..<end + room])
                let read = try file.read(into: rest, atByteOffset: offset)
                guard read > 0 else { throw cutOff }
                offset += read
                end += read
            }
            return true
        }

        private func makeRoom(_ count: Int) {
            let kept = end - start
            if piece.count >= count {
                base.copyMemory(from: base + start, byteCount: kept)
            } else {
                let grown = UnsafeMutableRawBufferPointer.allocate(
                    byteCount: max(count, 2 * piece.count),
                    alignment: 64
                )
                grown.baseAddress?.copyMemory(from: base + start, byteCount: kept)
                piece.deallocate()
                piece = grown
            }
            start = 0
            end = kept
        }

        private var cutOff: DiskError {
            DiskError(
                operation: "read",
                path: path,
                reason: "it should have \(byteCount) bytes of whole records and is damaged"
            )
        }
    }
}
