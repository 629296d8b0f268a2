/// The record in hand is bad: it is set aside with the reason, and the job goes on.
public struct RecordError: Error, Equatable, CustomStringConvertible {
    /// What is wrong with the record, for the person who looks at the dead letters.
    public let reason: String

    /// Creates an error with a reason.
    public init(_ reason: String) {
        self.reason = reason
    }

    /// The reason.
    public var description: String { reason }
}

/// The operator's configuration in the job file is wrong: the job does not start.
public struct ConfigurationError: Error, Equatable, CustomStringConvertible {
    /// What was found, and what was expected.
    public let reason: String

    /// Creates an error with a reason.
    public init(_ reason: String) {
        self.reason = reason
    }

    /// The reason.
    public var description: String { reason }
}

/// Work cannot go on: state cannot be read, a handle was not declared, a limit was reached.
public struct OperatorError: Error, Equatable, CustomStringConvertible {
    /// What went wrong.
    public let reason: String

    /// Creates an error with a reason.
    public init(_ reason: String) {
        self.reason = reason
    }

    /// The reason.
    public var description: String { reason }
}

extension OperatorError {
    /// What a code of the host means for a state or a timer.
    @usableFromInline
    static func refused(_ kind: StaticString, _ name: StaticString, _ code: Int32) -> OperatorError
    {
        let why =
            switch code {
            case -4 where ["broadcast state", "operator state"].contains("\(kind)"):
                "this is no stored property of the operator"
            case -4: "the record has no key, or this is no stored property of the operator"
            case -5: "it was changed while it was walked through"
            case -6: "a limit is reached"
            default: "the host returned \(code)"
            }
        return OperatorError("\(kind) '\(name)': \(why)")
    }
}
