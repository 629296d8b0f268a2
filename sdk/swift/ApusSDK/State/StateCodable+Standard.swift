// Integers: most significant byte first, with the sign bit flipped, so that bytes sort as numbers.
extension StateCodable where Self: FixedWidthInteger, Magnitude: FixedWidthInteger {
    /// The size of the integer.
    @inlinable
    public static var fixedByteCount: Int? { MemoryLayout<Self>.size }

    /// Reads a value back.
    @inlinable
    public init(from decoder: inout StateDecoder) throws {
        let bits = try decoder.takeBits(Magnitude.self)
        self = Self(truncatingIfNeeded: bits) ^ (Self.isSigned ? Self.min : 0)
    }

    /// Appends the bytes of the value.
    @inlinable
    public func encode(into encoder: inout StateEncoder) {
        let flipped = self ^ (Self.isSigned ? Self.min : 0)
        encoder.append(bits: Magnitude(truncatingIfNeeded: flipped))
    }
}

extension Int: StateCodable {}
extension Int8: StateCodable {}
extension Int16: StateCodable {}
extension Int32: StateCodable {}
extension Int64: StateCodable {}
extension UInt: StateCodable {}
extension UInt8: StateCodable {}
extension UInt16: StateCodable {}
extension UInt32: StateCodable {}
extension UInt64: StateCodable {}

extension Bool: StateCodable {
    /// One byte.
    @inlinable
    public static var fixedByteCount: Int? { 1 }

    /// Reads a value back.
    @inlinable
    public init(from decoder: inout StateDecoder) throws {
        self = try decoder.takeFlag()
    }

    /// Appends the bytes of the value.
    @inlinable
    public func encode(into encoder: inout StateEncoder) {
        encoder.append(self ? 1 : 0)
    }
}

// Floating point: the bits, inverted for negative numbers and else with the sign bit set, so that
// bytes sort as numbers: -infinity first, then -0 before 0, then infinity and NaN.
extension Double: StateCodable {
    /// Eight bytes.
    @inlinable
    public static var fixedByteCount: Int? { 8 }

    /// Reads a value back.
    @inlinable
    public init(from decoder: inout StateDecoder) throws {
        let bits = try decoder.takeBits(UInt64.self)
        self.init(bitPattern: bits >> 63 == 1 ? bits ^ (1 << 63) : ~bits)
    }

    /// Appends the bytes of the value.
    @inlinable
    public func encode(into encoder: inout StateEncoder) {
        let bits = bitPattern
        encoder.append(bits: bits >> 63 == 1 ? ~bits : bits ^ (1 << 63))
    }
}

extension Float: StateCodable {
    /// Four bytes.
    @inlinable
    public static var fixedByteCount: Int? { 4 }

    /// Reads a value back.
    @inlinable
    public init(from decoder: inout StateDecoder) throws {
        let bits = try decoder.takeBits(UInt32.self)
        self.init(bitPattern: bits >> 31 == 1 ? bits ^ (1 << 31) : ~bits)
    }

    /// Appends the bytes of the value.
    @inlinable
    public func encode(into encoder: inout StateEncoder) {
        let bits = bitPattern
        encoder.append(bits: bits >> 31 == 1 ? ~bits : bits ^ (1 << 31))
    }
}

// Text and bytes: as they are, with 0 as 0 255, and 0 0 at the end.
extension String: StateCodable {
    /// Reads a value back.
    @inlinable
    public init(from decoder: inout StateDecoder) throws {
        guard let text = String(validating: try decoder.takeDelimited(), as: UTF8.self) else {
            throw OperatorError("a stored text is not UTF-8")
        }
        self = text
    }

    /// Appends the bytes of the value.
    @inlinable
    public func encode(into encoder: inout StateEncoder) {
        withBytes { encoder.append(delimited: $0) }
    }
}

extension [UInt8]: StateCodable {
    /// Reads a value back.
    @inlinable
    public init(from decoder: inout StateDecoder) throws {
        self = try decoder.takeDelimited()
    }

    /// Appends the bytes of the value.
    @inlinable
    public func encode(into encoder: inout StateEncoder) {
        withBytes { encoder.append(delimited: $0) }
    }
}

// A value that may be missing: 0, or 1 and the value.  Filled up with zeros when it has a fixed
// length.
extension Optional: StateCodable where Wrapped: StateCodable {
    /// One more than that of the value.
    @inlinable
    public static var fixedByteCount: Int? { Wrapped.fixedByteCount.map { $0 + 1 } }

    /// Reads a value back.
    @inlinable
    public init(from decoder: inout StateDecoder) throws {
        if try decoder.takeFlag() {
            self = .some(try decoder.decode())
        } else {
            self = nil
            if let padding = Wrapped.fixedByteCount { _ = try decoder.take(padding) }
        }
    }

    /// Appends the bytes of the value.
    @inlinable
    public func encode(into encoder: inout StateEncoder) {
        encoder.append(self == nil ? 0 : 1)
        if let self {
            encoder.encode(self)
        } else if let padding = Wrapped.fixedByteCount {
            for _ in 0..<padding { encoder.append(0) }
        }
    }
}

// Enums, and whatever else has a raw value: the raw value.
extension StateCodable where Self: RawRepresentable, RawValue: StateCodable {
    /// That of the raw value.
    @inlinable
    public static var fixedByteCount: Int? { RawValue.fixedByteCount }

    /// Reads a value back.
    @inlinable
    public init(from decoder: inout StateDecoder) throws {
        let raw: RawValue = try decoder.decode()
        guard let value = Self(rawValue: raw) else {
            throw OperatorError("a stored \(Self.self) has the unknown raw value \(raw)")
        }
        self = value
    }

    /// Appends the bytes of the value.
    @inlinable
    public func encode(into encoder: inout StateEncoder) {
        encoder.encode(rawValue)
    }
}
