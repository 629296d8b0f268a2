import ApusCore
import ApusMemory
import CApusPlugin
import Glibc

/// The loop that makes keyed records: what every benchmark runs first, and so must cost little.
///
/// Views are written as two words each, in the layout of `apus/view.h` on a little-endian machine:
///
///     word  bits 0 to 31  bits 32 to 63
///        0  len           the first 4 bytes
///        1  bytes 4 to 7  bytes 8 to 11 (len <= 12), or
///        1  buffer        offset        (len > 12)
struct KeyedFill {
    /// What a batch takes in values beyond the arena that it has.
    private static let arenaByteCount = 256 << 10

    private let seed: UInt64
    private let keyCount: UInt64
    private let valueByteCount: Int
    /// 2^64 / keyCount, rounded down or one less: replaces the division, which would be most of the
    /// loop's time.
    private let reciprocal: UInt64

    init(seed: UInt64, keyCount: Int, valueByteCount: Int) {
        precondition(MemoryLayout<apus_view>.stride == 16, "two words")
        precondition(1.littleEndian == 1, "a little-endian machine")
        self.seed = seed
        self.keyCount = UInt64(keyCount)
        self.valueByteCount = valueByteCount
        reciprocal = UInt64.max / UInt64(keyCount)
    }

    /// Fills keys, values and kinds of an empty batch with the records first, first + stride, ...
    ///
    /// - Returns: How many records were made: `count`, or fewer when their values are large.
    func fill(_ batch: RecordBatch, count: Int, first: Int, stride: Int) -> Int {
        guard valueByteCount > Int(APUS_VIEW_INLINE) else {
            fillKeys(of: batch, count: count, first: first, stride: stride)
            fillShortValues(of: batch, count: count, first: first, stride: stride)
            return count
        }
        let room = max(batch.arenaCapacity, Self.arenaByteCount) / valueByteCount
        let fitting = min(count, max(1, room))
        guard batch.reserveArena(fitting * valueByteCount) else {
            preconditionFailure("a batch has far more than \(Self.arenaByteCount) bytes")
        }
        fillKeys(of: batch, count: fitting, first: first, stride: stride)
        fillLongValues(of: batch, count: fitting, first: first, stride: stride)
        return fitting
    }

    private func fillKeys(of batch: RecordBatch, count: Int, first: Int, stride: Int) {
        // SAFETY: the caller keeps `count` within the columns, each of which has two words per view
        // and a byte per kind.
        let keys = UnsafeMutableRawPointer(batch.keys)
        var state = seed &+ UInt64(first + 1) &* SplitMix64.gamma
        let step = UInt64(stride) &* SplitMix64.gamma
        for index in 0..<count {
            let key = remainder(SplitMix64.mix(state))
            state &+= step
            (keys + 16 &* index).storeBytes(of: 8 | key &<< 32, as: UInt64.self)
            (keys + (16 &* index &+ 8)).storeBytes(of: key &>> 32, as: UInt64.self)
        }
        memset(batch.kinds, 0, count)
    }

    private func fillShortValues(of batch: RecordBatch, count: Int, first: Int, stride: Int) {
        // SAFETY: as in fillKeys.
        let values = UnsafeMutableRawPointer(batch.values)
        let length = UInt64(valueByteCount)
        var number = UInt64(first)
        for index in 0..<count {
            (values + 16 &* index).storeBytes(of: length | number &<< 32, as: UInt64.self)
            (values + (16 &* index &+ 8)).storeBytes(of: number &>> 32, as: UInt64.self)
            number &+= UInt64(stride)
        }
    }

    private func fillLongValues(of batch: RecordBatch, count: Int, first: Int, stride: Int) {
        // SAFETY: as in fillKeys; the caller has made room for `count` values in the arena.
        let values = UnsafeMutableRawPointer(batch.values)
        let start = batch.arenaUsed
        let arena = UnsafeMutableRawPointer(batch.arena + start)
        let length = UInt64(valueByteCount)
        let buffer = UInt64(batch.borrowedBufferCount)
        var number = UInt64(first)
        memset(arena, 0, count * valueByteCount)
        for index in 0..<count {
            let offset = valueByteCount &* index
            (arena + offset).storeBytes(of: number, as: UInt64.self)
            (values + 16 &* index).storeBytes(of: length | number &<< 32, as: UInt64.self)
            (values + (16 &* index &+ 8)).storeBytes(
                of: buffer | UInt64(start &+ offset) &<< 32,
                as: UInt64.self
            )
            number &+= UInt64(stride)
        }
        batch.arenaUsed = start + count * valueByteCount
    }

    /// A number modulo `keyCount`.
    ///
    /// The reciprocal is at most one too small, so the quotient is, too: one correction is enough.
    @inline(__always)
    private func remainder(_ number: UInt64) -> UInt64 {
        let quotient = number.multipliedFullWidth(by: reciprocal).high
        let rest = number &- quotient &* keyCount
        return rest >= keyCount ? rest &- keyCount : rest
    }
}
