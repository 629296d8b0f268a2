import ApusCore
import ApusMemory

/// A record that an operator has written or rejected, as bytes that can be compared.
///
/// | offset | bytes | what |
/// |---|---|---|
/// | 0 | 2 | the output; 65,535 for a record that was rejected |
/// | 2 | 8 | event time in microseconds, `Int64.min` for none |
/// | 10 | 1 | kind bits |
/// | 11 | 4 | bytes of the key |
/// | 15 | | key, value |
///
/// Integers are little-endian.
enum ShadowOutput {
    /// The output of rejected records.
    static let rejects = UInt16.max

    /// The bytes of the records of a batch.
    static func bytes(_ batch: RecordBatch, output: Int, _ body: ([UInt8]) -> Void) {
        for index in 0..<batch.count {
            // SAFETY: the bytes are copied while the caller holds the batch.
            body(
                bytes(
                    output: UInt16(clamping: output),
                    time: batch.times[index],
                    kind: batch.kinds[index],
                    key: batch.bytes(of: batch.keys + index),
                    value: batch.bytes(of: batch.values + index)
                )
            )
        }
    }

    /// The bytes of a record that was rejected; why is not compared.
    static func bytes(_ record: RejectedRecord) -> [UInt8] {
        bytes(
            output: rejects,
            time: record.time.microseconds,
            kind: 0,
            key: record.key ?? [],
            value: record.bytes
        )
    }

    private static func bytes(
        output: UInt16,
        time: Int64,
        kind: UInt8,
        key: some Collection<UInt8>,
        value: some Collection<UInt8>
    ) -> [UInt8] {
        var writer = ShadowWriter()
        writer.add(output)
        writer.add(time)
        writer.add(kind)
        writer.add(counted: key)
        return writer.bytes + value
    }

    /// Whether the bytes are of a record that was rejected.
    static func isRejected(_ bytes: [UInt8]) -> Bool {
        bytes.count > 1 && bytes[0] == 0xff && bytes[1] == 0xff
    }

    /// Takes the bytes apart.
    ///
    /// - Returns: Nil when they are none.
    static func sample(_ bytes: [UInt8], _ side: ShadowReport.Side) -> ShadowReport.Sample? {
        guard bytes.count >= 15 else { return nil }
        func number<Number: FixedWidthInteger>(_ at: Int, _ type: Number.Type) -> Number {
            bytes[at..<at + Number.bitWidth / 8].reversed().reduce(0) { $0 << 8 | Number($1) }
        }
        let keyEnd = 15 + Int(number(11, UInt32.self))
        guard keyEnd <= bytes.count else { return nil }
        let output = number(0, UInt16.self)
        let time = Int64(bitPattern: number(2, UInt64.self))
        return ShadowReport.Sample(
            side: side,
            output: output == rejects ? nil : Int(output),
            timeMicroseconds: time == .min ? nil : time,
            key: text(bytes[15..<keyEnd]),
            value: text(bytes[keyEnd...])
        )
    }

    private static let textByteCountMax = 200

    /// As text when it is some, else in hexadecimal; long ones are cut.
    private static func text(_ bytes: ArraySlice<UInt8>) -> String {
        let isCut = bytes.count > textByteCountMax
        let some = bytes.prefix(textByteCountMax)
        let end = isCut ? "..." : ""
        if let text = String(validating: some, as: UTF8.self),
            text.unicodeScalars.allSatisfy({ $0.value >= 32 && $0.value != 127 })
        {
            return text + end
        }
        let digits = Array("0123456789abcdef".utf8)
        let hex = some.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
        return "0x" + String(decoding: hex, as: UTF8.self) + end
    }
}
