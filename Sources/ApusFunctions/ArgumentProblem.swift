import ApusGraph

/// Why something of a record cannot be an argument.
enum ArgumentProblem: Error, Equatable {
    case missing
    case null
    case nested
    /// The record has no value at all.
    case noValue
    /// A string, or something else, where a number is expected.
    case notNumber(String)
    case notTruth(String)
    case notString(String)
    /// A number with a fraction for an integer.
    case fraction(String)
    case outOfRange(String)
    /// A zero byte in a string for C.
    case zeroByte(at: Int)

    /// The reason, as dead letters have it.
    ///
    /// - Parameters:
    ///   - place: `$.base`.
    ///   - parameter: What the argument is for.
    /// - Returns: One line.
    func reason(_ place: String, _ parameter: FunctionSignature.Parameter) -> String {
        let subject = place == "$" ? "the value" : "field '\(place)'"
        let wanted = parameter.wanted
        switch self {
        case .missing: return "\(subject) is missing; expected \(wanted)"
        case .null: return "\(subject) is null; expected \(wanted)"
        case .nested: return "\(subject) is an object or array; expected \(wanted)"
        case .noValue: return "the record has no value; expected \(wanted)"
        case .notNumber(let text): return "\(subject) is \(text); expected \(wanted)"
        case .notTruth(let text): return "\(subject) is \(text); expected true or false"
        case .notString(let text): return "\(subject) is \(text); expected a string"
        case .fraction(let text):
            return "\(subject) is \(text), which is no whole number; expected \(wanted)"
        case .outOfRange(let text):
            return "\(subject) is \(text), beyond the range of \(wanted)"
        case .zeroByte(let offset):
            return "\(subject) has a zero byte at offset \(offset), where C would end the string; "
                + "declare the parameter as 'bytes'"
        }
    }
}

extension FunctionSignature.Parameter {
    /// What is expected of an argument, in words.
    fileprivate var wanted: String {
        switch self {
        case .number(let type), .column(let type): type.inWords
        case .string, .stringColumn, .bytes: "a string"
        case .out, .outColumn, .count: "nothing"
        }
    }
}
