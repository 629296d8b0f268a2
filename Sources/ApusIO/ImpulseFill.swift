import ApusMemory
import CApusPlugin
import Glibc

/// Makes records without key whose value is `{"sequence":n}`.
enum ImpulseFill {
    private static let prefix = Array(#"{"sequence":"#.utf8)
    /// The digits of the largest number, and the brace.
    private static let suffixByteCountMax = 21

    /// Fills an empty batch with the records first, first + stride, ...
    ///
    /// - Returns: How many records were made: `count`.
    static func fill(_ batch: RecordBatch, count: Int, first: Int, stride: Int) -> Int {
        guard batch.reserveArena(count * (prefix.count + suffixByteCountMax)) else {
            preconditionFailure("a batch has far more than 4 MiB")
        }
        // SAFETY: reserveArena has made room for `count` values of the largest size, and the caller
        // keeps `count` within the columns.
        for index in 0..<count {
            let start = batch.arenaUsed
            let target = batch.arena + start
            memcpy(target, prefix, prefix.count)
            let end = writeDigits(of: UInt64(first + index * stride), to: target + prefix.count)
            end.pointee = UInt8(ascii: "}")
            let byteCount = end + 1 - target
            batch.arenaUsed = start + byteCount
            batch.show(arenaOffset: start, count: byteCount, in: batch.values + index)
            batch.keys[index] = apus_view()
            batch.kinds[index] = UInt8(APUS_KIND_NULL_KEY)
        }
        return count
    }

    /// Writes a number in decimal; returns the position behind it.
    private static func writeDigits(
        of number: UInt64,
        to target: UnsafeMutablePointer<UInt8>
    ) -> UnsafeMutablePointer<UInt8> {
        var digitCount = 1
        var rest = number / 10
        while rest > 0 {
            digitCount += 1
            rest /= 10
        }
        rest = number
        for position in stride(from: digitCount - 1, through: 0, by: -1) {
            target[position] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        }
        return target + digitCount
    }
}
