/// Replaces `${NAME}` and `${NAME:default}` in the values of a document.
///
/// Only values are replaced, never keys, and what a variable holds is never read as YAML: it
/// cannot add keys or lists. `$${` stands for `${`.
struct VariableExpansion {
    let environment: [String: String]
    let log: ProblemLog

    /// Replaces the variables in a value and everything in it.
    func expand(_ node: inout DocumentNode, path: DocumentPath) {
        // The shell already replaced what the user wanted replaced on the command line.
        guard node.override == nil else { return }
        switch node.content {
        case .scalar(let scalar):
            guard scalar.text.contains("${") else { return }
            expand(scalar, in: &node, path: path)
        case .list(var nodes):
            for index in nodes.indices {
                expand(&nodes[index], path: path.element(index, nodes[index]))
            }
            node.content = .list(nodes)
        case .mapping(var entries):
            for index in entries.indices {
                expand(&entries[index].value, path: path.key(entries[index].key))
            }
            node.content = .mapping(entries)
        case .invalid:
            break
        }
    }

    private func expand(
        _ scalar: DocumentNode.Scalar,
        in node: inout DocumentNode,
        path: DocumentPath
    ) {
        var result = ""
        var rest = scalar.text[...]
        var isExpanded = false
        var isValid = true
        while let dollar = rest.firstIndex(of: "$") {
            result += rest[..<dollar]
            rest = rest[dollar...]
            if rest.hasPrefix("$${") {
                result += "${"
                rest = rest.dropFirst(3)
            } else if rest.hasPrefix("${") {
                guard let value = takeVariable(&rest, node, path) else {
                    isValid = false
                    break
                }
                result += value
                isExpanded = true
            } else {
                result += "$"
                rest = rest.dropFirst()
            }
        }
        guard isValid else {
            node.content = .invalid
            return
        }
        node.content = .scalar(
            .init(
                text: result + rest,
                isPlain: scalar.isPlain,
                unexpandedText: isExpanded ? scalar.text : nil
            )
        )
    }

    /// Drops a variable from the front of `text` and returns what it stands for.
    private func takeVariable(
        _ text: inout Substring,
        _ node: DocumentNode,
        _ path: DocumentPath
    ) -> String? {
        guard let end = text.firstIndex(of: "}") else {
            log.add(node, path, "'${' without '}'", remedy: "write '$${' for the characters '${'")
            return nil
        }
        let inside = text[..<end].dropFirst(2)
        text = text[end...].dropFirst()
        let parts = inside.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        let name = String(parts.first ?? "")
        guard Self.isVariableName(name) else {
            log.add(
                node,
                path,
                "\(DocumentNode.quoted(name)) as the name of a variable",
                expected: "letters, digits and '_'",
                remedy: "write '$${' for the characters '${'"
            )
            return nil
        }
        if let value = environment[name] { return value }
        if parts.count == 2 { return String(parts[1]) }
        log.add(
            node,
            path,
            "the variable '\(name)' is not set",
            remedy: "set it or give a default: ${\(name):default}"
        )
        return nil
    }

    private static func isVariableName(_ name: String) -> Bool {
        guard let first = name.utf8.first else { return false }
        let isDigit = (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first)
        return !isDigit
            && name.utf8.allSatisfy { byte in
                byte == UInt8(ascii: "_")
                    || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                    || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
                    || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
            }
    }
}
