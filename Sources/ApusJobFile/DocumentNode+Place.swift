import ApusGraph

/// Finding the line of a problem that was found later, in the job and not in the document.
extension DocumentNode {
    /// The value that a path leads to, or the last one on the way that is there.
    ///
    /// - Parameter path: A path as ``DocumentPath`` writes it.
    /// - Returns: A value in this one, or this one itself.
    /// - Complexity: O(values in the lists and mappings on the way).
    func nearestPlace(to path: String) -> DocumentNode {
        var node = self
        var rest = path[...]
        while !rest.isEmpty, let (next, remainder) = node.child(on: rest) {
            node = next
            rest = remainder
        }
        return node
    }

    /// The child that a path goes through, and the rest of the path.
    ///
    /// Keys and ids are compared and the path is not taken apart, because they may hold dots.
    private func child(on path: Substring) -> (DocumentNode, Substring)? {
        switch content {
        case .scalar, .invalid:
            return nil
        case .list(let nodes):
            guard path.first == "[" else { return nil }
            for (index, node) in nodes.enumerated() {
                let name = node.id ?? String(index)
                if let rest = path.dropFirst().after(name), rest.first == "]" {
                    return (node, rest.dropFirst())
                }
            }
            return nil
        case .mapping(let entries):
            let path = path.first == "." ? path.dropFirst() : path
            var longest: (node: DocumentNode, rest: Substring)?
            for entry in entries {
                guard let rest = path.after(entry.key) else { continue }
                guard rest.isEmpty || rest.first == "." || rest.first == "[" else { continue }
                if rest.count < longest?.rest.count ?? Int.max { longest = (entry.value, rest) }
            }
            return longest
        }
    }
}

extension Substring {
    /// What comes after a prefix; `nil` without the prefix.
    fileprivate func after(_ prefix: String) -> Substring? {
        hasPrefix(prefix) ? dropFirst(prefix.count) : nil
    }
}

extension JobProblem {
    /// The problem with its line, and the override that brought it in, taken from the document.
    private func placed(in root: DocumentNode) -> JobProblem {
        guard location == nil else { return self }
        let node = root.nearestPlace(to: path)
        var problem = self
        problem.location = node.location
        problem.override = node.override
        return problem
    }

    /// The problems with their lines, as many as are listed.
    static func placed(_ problems: [JobProblem], in root: DocumentNode) -> [JobProblem] {
        let count = JobFileErrors.problemCountMax
        return problems.prefix(count).map { $0.placed(in: root) } + problems.dropFirst(count)
    }
}
