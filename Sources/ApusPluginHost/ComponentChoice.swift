/// Which component of a plugin a job means.
package struct ComponentChoice {
    /// A component of the plugin.
    package struct Entry {
        let id: String
        let kind: ComponentKind

        /// Creates an entry.
        package init(_ id: String, _ kind: ComponentKind) {
            self.id = id
            self.kind = kind
        }
    }

    private let file: String
    private let components: [Entry]

    /// Creates a choice among the components of a file.
    package init(file: String, components: [Entry]) {
        self.file = file
        self.components = components
    }

    /// The index of a component.
    ///
    /// - Parameters:
    ///   - id: Nil means the only one of its kind.
    ///   - kind: What it is to be.
    /// - Returns: The index.
    /// - Throws: ``PluginError`` that lists what there is.
    package func index(
        of id: String?,
        _ kind: ComponentKind
    ) throws(PluginError) -> Int {
        let ids = components.filter { $0.kind == kind }.map(\.id)
        guard !ids.isEmpty else {
            let others = components.map { "\($0.kind) '\($0.id)'" }
            throw bad("has no \(kind); it has \(others.joined(separator: ", "))")
        }
        guard let id else {
            guard ids.count == 1, let index = components.firstIndex(where: { $0.kind == kind })
            else {
                throw bad(
                    "has \(ids.count) \(kind)s; say which with `component:`, one of "
                        + ids.joined(separator: ", ")
                )
            }
            return index
        }
        if let index = components.firstIndex(where: { $0.id == id && $0.kind == kind }) {
            return index
        }
        if let other = components.first(where: { $0.id == id }) {
            throw bad("'\(id)' is \(other.kind.withArticle), and \(kind.withArticle) is needed")
        }
        throw bad("has no component '\(id)'; expected one of \(ids.joined(separator: ", "))")
    }

    private func bad(_ message: String) -> PluginError {
        PluginError(.badDescription, file, message)
    }
}

extension ComponentKind {
    /// The word for people.
    fileprivate var withArticle: String { self == .operator ? "an operator" : "a \(self)" }
}
