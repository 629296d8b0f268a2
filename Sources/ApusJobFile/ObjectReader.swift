import ApusGraph

/// Reads the values of one mapping, whose keys are the cases of `Key`.
///
/// A value of the wrong type becomes a message in the log and `nil` here; the caller goes on with
/// whatever keeps it going, because the job is thrown away in the end.
struct ObjectReader<Key: JobFileKey> {
    /// The mapping.
    let node: DocumentNode

    /// Its place in the document.
    let path: DocumentPath

    let log: ProblemLog
    private let values: [String: DocumentNode]

    /// Takes a mapping apart and reports its unknown keys; `nil` if it is no mapping.
    init?(_ node: DocumentNode, path: DocumentPath, log: ProblemLog) {
        self.node = node
        self.path = path
        self.log = log
        switch node.content {
        case .mapping(let entries):
            values = Dictionary(entries.map { ($0.key, $0.value) }, uniquingKeysWith: { $1 })
            for entry in entries where Key(rawValue: entry.key) == nil || Key.allCases.isEmpty {
                reportUnknown(entry)
            }
        case .invalid:
            return nil
        case .scalar, .list:
            log.add(node, path, node.summary, expected: "a mapping")
            return nil
        }
    }

    private func reportUnknown(_ entry: DocumentNode.Entry) {
        var place = entry.value
        place.location = entry.keyLocation
        log.add(
            place,
            path,
            "unknown key \(DocumentNode.quoted(entry.key))",
            expected: Key.names.isEmpty ? "no keys" : JobProblem.oneOf(Key.names),
            suggestion: NearestWord.find(entry.key, among: Key.names)
        )
    }

    // MARK: - Values

    /// The value of a key; `nil` if the key is missing.
    func value(_ key: Key) -> DocumentNode? {
        values[key.rawValue]
    }

    /// Whether the key is there, with whatever value.
    func has(_ key: Key) -> Bool {
        values[key.rawValue] != nil
    }

    /// The place of a key in the document.
    func path(_ key: Key) -> DocumentPath {
        path.key(key.rawValue)
    }

    /// Notes a problem with the value of a key.
    func report(
        _ key: Key,
        _ found: String,
        expected: String? = nil,
        remedy: String? = nil,
        suggestion: String? = nil
    ) {
        log.add(
            value(key) ?? node,
            path(key),
            found,
            expected: expected,
            remedy: remedy,
            suggestion: suggestion
        )
    }

    /// Notes a problem if the key is missing.
    ///
    /// - Returns: Whether the key is there.
    @discardableResult
    func require(_ key: Key, _ expected: String) -> Bool {
        guard !has(key) else { return true }
        log.add(node, path, "no '\(key.rawValue)'", expected: expected)
        return false
    }

    /// The string of a key; it is not empty.
    func string(_ key: Key, expected: String = "a string") -> String? {
        value(key).flatMap { string($0, at: path(key), expected: expected, mayBeEmpty: false) }
    }

    /// The strings of a list, which may be empty; `nil` if it is no list.
    func strings(_ key: Key, expected: String = "a list of strings") -> [String]? {
        guard let value = value(key) else { return nil }
        guard case .list(let nodes) = value.content else {
            if !value.isInvalid { report(key, value.summary, expected: expected) }
            return nil
        }
        return nodes.enumerated().compactMap { index, node in
            string(
                node,
                at: path(key).element(index, node),
                expected: "a string",
                mayBeEmpty: true
            )
        }
    }

    /// The string that a node holds.
    func string(
        _ node: DocumentNode,
        at path: DocumentPath,
        expected: String,
        mayBeEmpty: Bool
    ) -> String? {
        guard case .scalar(let scalar) = node.content else {
            if !node.isInvalid { log.add(node, path, node.summary, expected: expected) }
            return nil
        }
        switch PlainScalar(scalar) {
        case .string(let text):
            if !text.isEmpty || mayBeEmpty { return text }
            log.add(node, path, "an empty string", expected: expected)
        case .null:
            log.add(node, path, node.summary, expected: expected)
        case .bool, .integer, .number, .outOfRange:
            // A command line has no quotes left to tell a string from a number.
            if node.override != nil { return scalar.text }
            log.add(node, path, node.summary, expected: expected, remedy: "put it in quotes")
        }
        return nil
    }

    /// The integer of a key, if it lies in `range`.
    func integer(_ key: Key, in range: ClosedRange<Int>) -> Int? {
        guard let value = value(key), !value.isInvalid else { return nil }
        if case .scalar(let scalar) = value.content,
            case .integer(let number) = PlainScalar(scalar),
            let number = Int(exactly: number), range.contains(number)
        {
            return number
        }
        let bounds =
            range.upperBound == Int.max
            ? "an integer of at least \(range.lowerBound)"
            : "an integer from \(range.lowerBound) to \(range.upperBound)"
        report(key, value.summary, expected: bounds)
        return nil
    }

    /// The truth value of a key.
    func boolean(_ key: Key) -> Bool? {
        guard let value = value(key), !value.isInvalid else { return nil }
        if case .scalar(let scalar) = value.content, case .bool(let truth) = PlainScalar(scalar) {
            return truth
        }
        report(key, value.summary, expected: "true or false")
        return nil
    }

    /// The one of the words that a key has.
    func word(_ key: Key, among words: [String]) -> String? {
        guard let text = string(key, expected: JobProblem.oneOf(words)) else { return nil }
        if words.contains(text) { return text }
        report(
            key,
            value(key)?.summary ?? "",
            expected: JobProblem.oneOf(words),
            suggestion: words.count > 1 ? NearestWord.find(text, among: words) : nil
        )
        return nil
    }

    /// The case of an enumeration that a key names.
    func choice<Choice: RawRepresentable<String> & CaseIterable>(
        _ key: Key,
        _ type: Choice.Type
    ) -> Choice? {
        word(key, among: Choice.allCases.map(\.rawValue)).flatMap(Choice.init)
    }

    /// The duration of a key, in microseconds.
    func duration(_ key: Key, orWord word: String? = nil) -> Int64? {
        guard let value = value(key), !value.isInvalid else { return nil }
        let expected = "a duration such as 5ms or 1h30m" + (word.map { ", or '\($0)'" } ?? "")
        guard case .scalar(let scalar) = value.content else {
            report(key, value.summary, expected: expected)
            return nil
        }
        switch DurationParser.parse(scalar.text) {
        case .success(let microseconds):
            return microseconds
        case .failure(let failure):
            // A remedy quotes the value, which is not shown when it is a variable's.
            let remedy = scalar.unexpandedText == nil ? failure.remedy : nil
            report(key, value.summary, expected: expected, remedy: remedy)
            return nil
        }
    }

    /// The elements of a list; `nil` if it is none, but empty if the key is missing or has nothing.
    func elements(_ key: Key) -> [(node: DocumentNode, path: DocumentPath)]? {
        guard let value = value(key), !value.isNull else { return [] }
        guard case .list(let nodes) = value.content else {
            if !value.isInvalid {
                report(key, value.summary, expected: "a list, each element after '- '")
            }
            return nil
        }
        return nodes.enumerated().map { ($1, path(key).element($0, $1)) }
    }
}

extension DocumentNode {
    /// Whether a message was already written about the value.
    var isInvalid: Bool {
        if case .invalid = content { true } else { false }
    }

    /// Whether the value is left out: nothing after the colon, or `null`.
    var isNull: Bool {
        if case .scalar(let scalar) = content, case .null = PlainScalar(scalar) {
            true
        } else {
            false
        }
    }

    /// Whether the value is exactly this word.
    func isWord(_ word: String) -> Bool {
        if case .scalar(let scalar) = content { scalar.text == word } else { false }
    }
}
