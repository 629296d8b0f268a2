import ApusCore
import ApusTestSupport
import Testing

@testable import ApusMemory

/// Goal: records come out of a file of envelopes as they went in, and a damaged file is refused.
@Suite("Record envelopes")
struct RecordEnvelopeTests {
    private static func random(_ count: Int, seed: UInt64) -> RecordBatch {
        var random = SplitMix64(seed: seed)
        let batch = RecordBatch(recordCapacity: count, arenaCapacity: 64)
        for _ in 0..<count {
            let key = random.bytes(random.sliceLength(upTo: 40))
            let value = random.bytes(random.sliceLength(upTo: 300))
            let hasKey = Bool.random(using: &random)
            let time = Int64.random(in: Int64.min...Int64.max, using: &random)
            _ = key.withUnsafeBytes { key in
                value.withUnsafeBytes { value in
                    batch.append(key: hasKey ? key : nil, value: value, time: time)
                }
            }
        }
        return batch
    }

    private static func text(_ batch: RecordBatch) -> [String] {
        (0..<batch.count).map { index in
            let key = Array(batch.bytes(of: batch.keys + index))
            let value = Array(batch.bytes(of: batch.values + index))
            return "\(key) \(value) \(batch.times[index]) \(batch.kinds[index])"
        }
    }

    private static func bytes(_ batch: RecordBatch) throws -> [UInt8] {
        let target = RecordBatch(recordCapacity: batch.recordCapacity, arenaCapacity: 64)
        #expect(try RecordEnvelope.Encoder().encode(batch, into: target).isEmpty)
        return (0..<target.count).flatMap { Array(target.bytes(of: target.values + $0)) }
    }

    @Test("records come out as they went in", arguments: 1...5 as ClosedRange<UInt64>)
    func recordsComeOut(seed: UInt64) throws {
        let batch = Self.random(500, seed: seed)
        let disk = MemoryFile(try Self.bytes(batch))
        let reader = RecordEnvelope.Reader("x", byteCount: disk.bytes.count, file: disk)
        var found: [String] = []
        let target = RecordBatch(recordCapacity: 64, arenaCapacity: 64)
        while try reader.next(into: target) { found += Self.text(target) }
        #expect(found == Self.text(batch), "seed \(seed)")
    }

    @Test("a file that is cut off anywhere is refused")
    func cutOff() throws {
        let whole = try Self.bytes(Self.random(3, seed: 7))
        let target = RecordBatch(recordCapacity: 64, arenaCapacity: 64)
        for count in 0..<whole.count {
            let file = MemoryFile(Array(whole.prefix(count)))
            let reader = RecordEnvelope.Reader("x", byteCount: whole.count, file: file)
            #expect(throws: DiskError.self) {
                while try reader.next(into: target) {}
            }
        }
    }
}

/// Bytes that are read like a file, in small pieces.
private final class MemoryFile: ReadableFile {
    let bytes: [UInt8]
    private var at = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws(DiskError) -> Int {
        let count = try read(into: buffer, atByteOffset: at)
        at += count
        return count
    }

    func read(
        into buffer: UnsafeMutableRawBufferPointer,
        atByteOffset offset: Int
    ) throws(DiskError) -> Int {
        let count = min(buffer.count, max(0, bytes.count - offset), 97)
        // SAFETY: the caller's buffer, of which no more is written than it has.
        for index in 0..<count { buffer[index] = bytes[offset + index] }
        return count
    }

    func isReady(waitingMilliseconds: Int32) -> Bool { true }
    func isStillThere() -> Bool { true }
}
