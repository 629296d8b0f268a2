extension FunctionSignature.Parameter {
    /// Whether it takes a text rather than a number.
    package var isText: Bool {
        switch self {
        case .string, .bytes, .stringColumn: true
        case .number, .column, .out, .outColumn, .count: false
        }
    }

    /// What is expected in the place of a constant; nil when the constant is right.
    package func problem(of text: String) -> String? {
        switch self {
        case .number(let type), .column(let type):
            return type.holds(text) ? nil : type.inWords
        case .string, .stringColumn:
            return text.utf8.contains(0) ? "a string without zero bytes" : nil
        case .bytes, .out, .outColumn, .count:
            return nil
        }
    }
}

extension FunctionSignature.Number {
    /// Whether a text is a number of this type, and the type can hold it.
    package func holds(_ text: String) -> Bool {
        switch self {
        case .i8: Int8(text) != nil
        case .i16: Int16(text) != nil
        case .i32: Int32(text) != nil
        case .i64: Int64(text) != nil
        case .u8: UInt8(text) != nil
        case .u16: UInt16(text) != nil
        case .u32: UInt32(text) != nil
        case .u64: UInt64(text) != nil
        case .f32: Self.isDecimal(text) && Float(text)?.isFinite ?? false
        case .f64: Self.isDecimal(text) && Double(text)?.isFinite ?? false
        case .bool: text == "true" || text == "false"
        }
    }

    /// Not `0x1p4`, `nan` or `inf`.
    private static func isDecimal(_ text: String) -> Bool {
        text.utf8.allSatisfy { byte in
            (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                || "+-.eE".utf8.contains(byte)
        }
    }

    /// The type and its range, as messages have it.
    package var inWords: String {
        switch self {
        case .i8: "i8 (-128 to 127)"
        case .i16: "i16 (-32768 to 32767)"
        case .i32: "i32 (-2147483648 to 2147483647)"
        case .i64: "i64 (-9223372036854775808 to 9223372036854775807)"
        case .u8: "u8 (0 to 255)"
        case .u16: "u16 (0 to 65535)"
        case .u32: "u32 (0 to 4294967295)"
        case .u64: "u64 (0 to 18446744073709551615)"
        case .f32: "f32 (a number up to 3.4e38)"
        case .f64: "f64 (a number)"
        case .bool: "bool (true or false)"
        }
    }
}
