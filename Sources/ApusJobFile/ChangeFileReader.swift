import ApusGraph

/// Reads a file that names several operators which are to be swapped at once.
///
///     changes:
///       - { operator: parse, to: ./libparse-2.so }
///       - { operator: score, to: ./libscore-2.so, component: score }
package enum ChangeFileReader {
    /// An operator and the file of the version that is to take over.
    package struct Change: Equatable, Sendable {
        /// The operator's id.
        package var `operator`: String
        /// The plugin's file, as the file names it.
        package var file: String
        /// The component; nil for the only one.
        package var component: String?
        /// The beginning of the hash of the file that is expected to run; nil for any.
        package var expected: String?
    }

    private enum FileKey: String, JobFileKey {
        case changes
    }

    private enum ChangeKey: String, JobFileKey {
        case `operator`, to, component, expect
    }

    /// Reads a file.
    ///
    /// - Parameters:
    ///   - text: Its content.
    ///   - fileName: Its name, for messages.
    /// - Returns: The changes, or what is wrong with them.
    package static func read(
        text: String,
        fileName: String
    ) -> Result<[Change], JobFileErrors> {
        let log = ProblemLog()
        guard let document = YAMLDocument.read(text, log: log) else {
            return .failure(log.errors(fileName: fileName))
        }
        let changes = decode(document, log)
        guard log.isEmpty else { return .failure(log.errors(fileName: fileName)) }
        return .success(changes)
    }

    private static func decode(_ document: DocumentNode, _ log: ProblemLog) -> [Change] {
        guard let file = ObjectReader<FileKey>(document, path: DocumentPath(), log: log),
            file.require(.changes, "a list of operators and files"),
            let node = file.value(.changes)
        else { return [] }
        guard case .list(let nodes) = node.content, !nodes.isEmpty else {
            file.report(.changes, node.summary, expected: "a list of operators and files")
            return []
        }
        return nodes.enumerated().compactMap { index, node in
            let path = file.path(.changes).element(index, node)
            guard let reader = ObjectReader<ChangeKey>(node, path: path, log: log) else {
                return nil
            }
            reader.require(.operator, "the id of an operator")
            reader.require(.to, "the path of a plugin")
            guard let id = reader.string(.operator), let file = reader.string(.to) else {
                return nil
            }
            return Change(
                operator: id,
                file: file,
                component: reader.string(.component),
                expected: reader.string(.expect)
            )
        }
    }
}
