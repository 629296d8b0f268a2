import ApusGraph

/// A value in a document, with its position.
struct DocumentNode {
    /// The three kinds of value in YAML.
    enum Content {
        case scalar(Scalar)
        case list([DocumentNode])
        case mapping([Entry])
        /// A value that a message was already written about; readers pass over it in silence.
        case invalid
    }

    /// A value without parts, not yet typed.
    struct Scalar {
        /// The characters, after variables were replaced.
        var text: String
        /// Whether the scalar stands without quotes, so that `5` is a number and `true` a truth.
        var isPlain: Bool
        /// The characters before variables were replaced, if any were: what a variable holds may
        /// be secret and is kept out of messages.
        var unexpandedText: String?
    }

    /// A key and its value.
    struct Entry {
        let key: String
        let keyLocation: SourceLocation
        var value: DocumentNode
    }

    /// The value.
    var content: Content

    /// Where it stands in the file.
    var location: SourceLocation

    /// The `path=value` of the override that put the value here, if one did.
    var override: String?

    /// The value of a key of a mapping.
    subscript(key: String) -> DocumentNode? {
        guard case .mapping(let entries) = content else { return nil }
        return entries.first { $0.key == key }?.value
    }

    /// The `id` of a mapping that has one, by which lists are addressed.
    var id: String? {
        guard let node = self["id"], case .scalar(let scalar) = node.content else { return nil }
        return scalar.text.isEmpty ? nil : scalar.unexpandedText ?? scalar.text
    }

    /// The value in words, for "found ..."; what a variable stands for is not shown.
    var summary: String {
        switch content {
        case .list: return "a list"
        case .mapping: return "a mapping"
        case .invalid: return "an invalid value"
        case .scalar(let scalar):
            let kind = PlainScalar(scalar).kindInWords
            if let unexpandedText = scalar.unexpandedText {
                return "\(Self.quoted(unexpandedText)), which stands for a \(kind)"
            }
            return kind == "null" ? "nothing" : "the \(kind) \(Self.quoted(scalar.text))"
        }
    }

    /// The text in single quotes on one line, cut when it is long.
    static func quoted(_ text: String) -> String {
        var shown = String(text.unicodeScalars.prefix(60).map(Character.init))
        if shown.unicodeScalars.count < text.unicodeScalars.count { shown += "..." }
        let visible = shown.unicodeScalars.map { scalar in
            scalar.value < 0x20 || scalar.value == 0x7F ? " " : String(scalar)
        }
        return "'\(visible.joined())'"
    }
}
