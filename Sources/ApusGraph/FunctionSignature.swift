/// The types of a C function, as a job file declares them: `f64(f64, f64)`.
///
/// Nobody can check them against the library: compiled C does not tell its types.
package struct FunctionSignature: Sendable, Hashable {
    /// The most parameters of a function.
    package static let parameterCountMax = 16

    /// A number or truth value of a certain size.
    package enum Number: String, Sendable, Hashable, CaseIterable {
        /// Signed, of 8 bits.
        case i8
        /// Signed, of 16 bits.
        case i16
        /// Signed, of 32 bits.
        case i32
        /// Signed, of 64 bits.
        case i64
        /// Unsigned, of 8 bits.
        case u8
        /// Unsigned, of 16 bits.
        case u16
        /// Unsigned, of 32 bits.
        case u32
        /// Unsigned, of 64 bits.
        case u64
        /// A `float`.
        case f32
        /// A `double`.
        case f64
        /// A `bool`.
        case bool
    }

    /// What a function takes at one place.
    package enum Parameter: Sendable, Hashable {
        /// A number, passed as it is.
        case number(Number)
        /// A string that ends with a zero byte.
        case string
        /// Two parameters of C: a pointer to bytes, and their number as a `size_t`.
        case bytes
        /// A pointer to where the function writes its result.
        case out(Number)
        /// A pointer to a number for each record.
        case column(Number)
        /// A pointer to a pointer to a string for each record.
        case stringColumn
        /// A pointer to where the function writes a result for each record.
        case outColumn(Number)
        /// The number of records, as a `size_t`.
        case count

        /// Whether a value for it must be given.
        package var takesArgument: Bool {
            switch self {
            case .number, .string, .bytes, .column, .stringColumn: true
            case .out, .outColumn, .count: false
            }
        }

        /// Whether it belongs to functions that are called once for many records.
        package var isOfBatch: Bool {
            switch self {
            case .column, .stringColumn, .outColumn, .count: true
            case .number, .string, .bytes, .out: false
            }
        }

        /// The parameter as a signature has it.
        package var text: String {
            switch self {
            case .number(let type): type.rawValue
            case .string: "str"
            case .bytes: "bytes"
            case .out(let type): "out \(type.rawValue)"
            case .column(let type): "\(type.rawValue)[]"
            case .stringColumn: "str[]"
            case .outColumn(let type): "out \(type.rawValue)[]"
            case .count: "n"
            }
        }
    }

    /// What a function returns.
    package enum Result: Sendable, Hashable {
        /// Nothing: the result is where an `out` parameter points.
        case nothing
        /// A number.
        case number(Number)
        /// A string that stays the function's own and is copied at once.
        case borrowedString
        /// A string that is the caller's, who gives it to `free`.
        case mallocString

        /// The result as a signature has it.
        package var text: String {
            switch self {
            case .nothing: "void"
            case .number(let type): type.rawValue
            case .borrowedString: "str borrowed"
            case .mallocString: "str malloc"
            }
        }
    }

    /// What a record gets.
    package enum Output: Sendable, Hashable {
        /// A number.
        case number(Number)
        /// A string, or NULL.
        case string
    }

    /// What the function returns.
    package let result: Result

    /// What it takes, in its order.
    package let parameters: [Parameter]

    /// What the parser has found to be consistent.
    init(result: Result, parameters: [Parameter]) {
        self.result = result
        self.parameters = parameters
    }

    /// Whether the function is called once for many records.
    package var isBatch: Bool { parameters.contains(where: \.isOfBatch) }

    /// The parameters for which a value must be given.
    package var arguments: [Parameter] { parameters.filter(\.takesArgument) }

    /// What a record gets, whether it is returned or written.
    package var output: Output {
        switch result {
        case .number(let type): return .number(type)
        case .borrowedString, .mallocString: return .string
        case .nothing:
            for parameter in parameters {
                if case .out(let type) = parameter { return .number(type) }
                if case .outColumn(let type) = parameter { return .number(type) }
            }
            preconditionFailure("the parser has refused a function without result")
        }
    }

    /// The signature in one spelling: `f64(f64, f64)`.
    package var text: String {
        "\(result.text)(\(parameters.map(\.text).joined(separator: ", ")))"
    }
}
