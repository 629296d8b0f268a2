/// A C function of any shared library, called for each record in the place of a plugin.
package struct FunctionDescription: Sendable, Hashable {
    /// Where a value comes from, or where the result goes.
    package enum Place: Sendable, Hashable {
        /// The value of the record as a whole, written `$`.
        case whole
        /// A field of a JSON object, by its path from the top, written `$.a.b`.
        case field([String])

        /// The place as the job file has it.
        package var text: String {
            switch self {
            case .whole: "$"
            case .field(let path): "$." + path.joined(separator: ".")
            }
        }
    }

    /// What a parameter gets.
    package enum Argument: Sendable, Hashable {
        /// Something of the record.
        case place(Place)
        /// The same for all records, as a text that the parameter's type can be read from.
        case constant(String)

        /// The argument as a person reads it.
        package var text: String {
            switch self {
            case .place(let place): place.text
            case .constant(let text): text
            }
        }
    }

    /// What becomes of the result.
    package enum Use: Sendable, Hashable {
        /// It is written into the record.
        case map(Place)
        /// It says whether the record is kept: not zero, and not NaN.
        case filter
    }

    /// The two words of `as`.
    package enum UseName: String, Sendable, CaseIterable {
        /// ``Use/map(_:)``.
        case map
        /// ``Use/filter``.
        case filter
    }

    /// What happens when a function returns NaN, an infinity or NULL.
    package enum NoValue: String, Sendable, Hashable, CaseIterable {
        /// The result is `null`; a filter drops the record.
        case null
        /// The record is rejected.
        case reject
    }

    /// The library: a name that the dynamic linker looks for, or a path with a `/`.
    package var library: String

    /// The name of the function.
    package var symbol: String

    /// Its types.
    package var signature: FunctionSignature

    /// What its parameters get, those that take something, in their order.
    package var arguments: [Argument]

    /// What becomes of the result.
    package var use: Use

    /// What happens when there is no result.
    package var noValue: NoValue

    /// Whether several threads may be in the library at the same time.
    package var isThreadSafe: Bool

    /// Whether equal arguments have equal results, and nothing else happens.
    package var isPure: Bool

    /// What the function is tried with before the job begins, an element per argument.
    ///
    /// Nil for values that Apus chooses; empty for no trial.
    package var samples: [[String]]?

    /// Where the function stands in the job file.
    package var location: SourceLocation

    /// Creates a description; see the properties.
    package init(
        library: String,
        symbol: String,
        signature: FunctionSignature,
        arguments: [Argument],
        use: Use,
        noValue: NoValue = .null,
        isThreadSafe: Bool = false,
        isPure: Bool = false,
        samples: [[String]]? = nil,
        location: SourceLocation
    ) {
        self.library = library
        self.symbol = symbol
        self.signature = signature
        self.arguments = arguments
        self.use = use
        self.noValue = noValue
        self.isThreadSafe = isThreadSafe
        self.isPure = isPure
        self.samples = samples
        self.location = location
    }

    /// Which function of which library.
    package var name: String { "\(symbol) of \(library)" }

    /// What it does, for people: a line for the function, a line for its use.
    package var summary: [String] {
        let call = "\(symbol)(\(arguments.map(\.text).joined(separator: ", ")))"
        var parts: [String]
        switch use {
        case .map(let place): parts = ["\(place.text) = \(call)"]
        case .filter: parts = ["keeps records with \(call)"]
        }
        switch (signature.output, noValue, use) {
        case (.number(.f32), .null, .map), (.number(.f64), .null, .map):
            parts.append("NaN becomes null")
        case (.string, .null, .map): parts.append("NULL becomes null")
        case (.number(.f32), .reject, _), (.number(.f64), .reject, _):
            parts.append("NaN rejects the record")
        case (.string, .reject, _): parts.append("NULL rejects the record")
        default: break
        }
        if signature.isBatch { parts.append("one call per batch") }
        parts.append(isThreadSafe ? "calls on all threads" : "one thread at a time")
        return ["function \(name): \(signature.text)", parts.joined(separator: ", ")]
    }
}
