extension OperatorSignature {
    /// What the planner needs to know about an operator that is a C function.
    ///
    /// - Parameters:
    ///   - description: The operator; its function may have a key, by which records are then dealt
    ///     out to as many subtasks as the job is parallel.
    ///   - details: What is known of the function, for people.
    /// - Returns: One output, any number of inputs, no state.
    package static func function(
        _ description: OperatorDescription,
        details: [String] = []
    ) -> OperatorSignature {
        var signature = OperatorSignature(
            outputs: ["main"],
            isKeyed: description.key != nil,
            acceptsMissingKey: true,
            inputCount: JobDescription.nodeCountMax
        )
        signature.details = details
        return signature
    }
}
