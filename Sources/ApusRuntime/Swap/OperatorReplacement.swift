package import ApusSwap

/// An operator of a running job, and the version that is to take over.
package struct OperatorReplacement: Sendable {
    /// The operator's id.
    package let id: String
    /// The version that is to take over.
    package let implementation: JobEnvironment.Implementation
    /// What becomes of what the running version has.
    package let change: ComponentChange

    /// Creates a replacement.
    package init(
        id: String,
        implementation: JobEnvironment.Implementation,
        change: ComponentChange
    ) {
        self.id = id
        self.implementation = implementation
        self.change = change
    }
}
