/// What is wrong with the text of a signature.
package struct FunctionSignatureError: Error, Sendable, Hashable {
    /// What was found, and where in the text.
    package var found: String

    /// What would have been right.
    package var expected: String?

    /// How to go on.
    package var remedy: String?

    /// The word that was most likely meant.
    package var suggestion: String?

    /// Creates an error; see the properties.
    init(
        _ found: String,
        expected: String? = nil,
        remedy: String? = nil,
        suggestion: String? = nil
    ) {
        self.found = found
        self.expected = expected
        self.remedy = remedy
        self.suggestion = suggestion
    }

    /// What C can and a signature cannot, with the advice that helps.
    static func wrapper(_ found: String, _ reason: String) -> FunctionSignatureError {
        FunctionSignatureError(
            found,
            remedy: "\(reason): write a C function of your own around it, and name that one"
        )
    }
}
