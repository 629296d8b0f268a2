import Testing

@testable import ApusSDK

/// What is written is read back, sorts as its values do, and is refused when it is not all there.
@Suite("SDK: codecs")
struct StateCodableTests {
    enum Color: UInt8, StateCodable {
        case red = 1
        case blue = 2
    }

    struct Pair: StateCodable, Equatable {
        var text: String
        var number: Int32?

        init(_ text: String, _ number: Int32?) {
            self.text = text
            self.number = number
        }

        init(from decoder: inout StateDecoder) throws {
            text = try decoder.decode()
            number = try decoder.decode()
        }

        func encode(into encoder: inout StateEncoder) {
            encoder.encode(text)
            encoder.encode(number)
        }
    }

    static func bytes(of value: some StateCodable) -> [UInt8] {
        var encoder = StateEncoder()
        defer { encoder.free() }
        encoder.replace(with: value)
        return Array(encoder.bytes)
    }

    static func value<Value: StateCodable>(_ bytes: [UInt8]) throws -> Value {
        try bytes.withBytes { try StateDecoder.value(Value.self, of: $0, "test") }
    }

    private static func hex(_ value: some StateCodable) -> String {
        bytes(of: value).map { byte in
            let digits = String(byte, radix: 16)
            return digits.count == 1 ? "0" + digits : digits
        }
        .joined()
    }

    @Test("bytes are those of the SDKs for C++ and Rust, whose tests have the same list")
    func bytesAreThoseOfTheOtherSDKs() {
        #expect(Self.hex(Int64(-1)) == "7fffffffffffffff")
        #expect(Self.hex(Int8(5)) == "85")
        #expect(Self.hex(UInt16(258)) == "0102")
        #expect(Self.hex(1.5) == "bff8000000000000")
        #expect(Self.hex(-1.5) == "4007ffffffffffff")
        #expect(Self.hex(Float(0)) == "80000000")
        #expect(Self.hex(true) == "01")
        #expect(Self.hex("a\0b") == "6100ff620000")
        #expect(Self.hex(UInt8?(7)) == "0107")
        #expect(Self.hex(UInt8?.none) == "0000")
        #expect(Self.hex(String?.none) == "00")
        #expect(Self.hex(Pair("z", 3)) == "7a00000180000003")
    }

    /// Checks values that are given in ascending order.
    static func check<Value: StateCodable & Equatable>(_ ascending: [Value]) throws {
        for (index, element) in ascending.enumerated() {
            let bytes = bytes(of: element)
            #expect(try value(bytes) as Value == element)
            if let byteCount = Value.fixedByteCount { #expect(bytes.count == byteCount) }
            if index > 0 {
                let before = Self.bytes(of: ascending[index - 1])
                #expect(before.lexicographicallyPrecedes(bytes), "\(ascending[index - 1])")
            }
            for count in 0..<bytes.count {
                #expect(throws: OperatorError.self) {
                    _ = try value(Array(bytes[..<count])) as Value
                }
            }
            #expect(throws: OperatorError.self) { _ = try value(bytes + [0]) as Value }
        }
    }

    @Test("integers sort as numbers")
    func integersSortAsNumbers() throws {
        try Self.check([Int.min, -256, -1, 0, 1, 255, 256, .max])
        try Self.check([Int8.min, -1, 0, 1, .max])
        try Self.check([Int16.min, -1, 0, 1, .max])
        try Self.check([Int32.min, -1, 0, 1, .max])
        try Self.check([Int64.min, -1, 0, 1, .max])
        try Self.check([UInt.min, 1, 255, 256, .max])
        try Self.check([UInt8.min, 1, .max])
        try Self.check([UInt16.min, 255, 256, .max])
        try Self.check([UInt32.min, 255, 256, .max])
        try Self.check([UInt64.min, 255, 256, .max])
        #expect(Self.bytes(of: Int16(1)) == [0x80, 0x01])
    }

    @Test("floating point sorts as numbers")
    func floatingPointSortsAsNumbers() throws {
        try Self.check([
            -Double.infinity, -1e300, -1, -0.5, 0, .leastNonzeroMagnitude, 1, .infinity,
        ])
        try Self.check([-Float.infinity, -1, 0, .leastNonzeroMagnitude, 1, .infinity])
        #expect(try (Self.value(Self.bytes(of: Double.nan)) as Double).isNaN)
        #expect(try (Self.value(Self.bytes(of: -0.0)) as Double).sign == .minus)
    }

    @Test("texts and bytes sort as their bytes, zeros included")
    func textsAndBytesSortAsTheirBytes() throws {
        try Self.check([
            "", "\0", "\0\0", "\0a", "\u{1}", "a", "a\0", "a\0b", "a\u{1}", "aa", "ä", "🦅",
        ])
        try Self.check([[], [0], [0, 0], [0, 255], [1], [1, 0], [1, 1], [255]] as [[UInt8]])
    }

    @Test("nothing sorts before something, and is as long when the length is fixed")
    func nothingSortsBeforeSomething() throws {
        try Self.check([nil, -1, 0, 1] as [Int32?])
        try Self.check([nil, "", "a"] as [String?])
        #expect(Int64?.fixedByteCount == 9)
        #expect(String?.fixedByteCount == nil)
    }

    @Test("structs sort field by field")
    func structsSortFieldByField() throws {
        try Self.check([Pair("", nil), Pair("", 1), Pair("a", nil), Pair("a", -1), Pair("aa", nil)])
        #expect(StateEncoder.byteCount(Bool.self, Int64?.self, Color.self) == 11)
        #expect(StateEncoder.byteCount(Bool.self, String.self) == nil)
    }

    @Test("bytes that are no value are refused")
    func bytesThatAreNoValueAreRefused() throws {
        try Self.check([Color.red, .blue])
        #expect(throws: OperatorError.self) { _ = try Self.value([3]) as Color }
        #expect(throws: OperatorError.self) { _ = try Self.value([2]) as Bool }
        #expect(throws: OperatorError.self) { _ = try Self.value([2, 0]) as UInt8? }
        #expect(throws: OperatorError.self) { _ = try Self.value([0, 7, 0, 0]) as [UInt8] }
        #expect(throws: OperatorError.self) { _ = try Self.value([0xFF, 0, 0]) as String }
    }

    @Test("random bytes are refused or are written back as they were")
    func randomBytesAreRefusedOrWrittenBack() throws {
        for seed in UInt64(1)...5_000 {
            var random = SeededRandom(seed: seed)
            let bytes = (0..<Int.random(in: 0..<12, using: &random)).map { _ in
                [0, 1, 255, 97, UInt8.random(in: 0...255, using: &random)]
                    .randomElement(using: &random) ?? 0
            }
            guard let pair = try? Self.value(bytes) as Pair else { continue }  // refused, as it may
            let padded = pair.number == nil ? Array(bytes.dropLast(4)) + [0, 0, 0, 0] : bytes
            #expect(Self.bytes(of: pair) == padded, "seed \(seed)")
        }
    }
}
