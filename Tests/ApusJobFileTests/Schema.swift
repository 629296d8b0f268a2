import ApusGraph

@testable import ApusJobFile

/// As much of JSON Schema 2020-12 as `docs/job.schema.json` uses.
///
/// A keyword that it does not know is itself a problem, so that the schema cannot outgrow it.
struct Schema {
    let root: ConfigurationValue

    /// A named part of the schema.
    func definition(_ name: String) -> ConfigurationValue? {
        root["$defs"]?[name]
    }

    /// The words of an `enum`, wherever it hides behind references and alternatives.
    func words(_ schema: ConfigurationValue) -> [String] {
        if let reference = schema["$ref"]?.text { return words(resolve(reference)) }
        if let words = schema["enum"] { return words.elements.compactMap(\.text) }
        return schema["anyOf"]?.elements.flatMap(words) ?? []
    }

    /// What is wrong with a document; empty if it is valid.
    func problems(of value: ConfigurationValue) -> [String] {
        problems(of: value, by: root, at: "")
    }

    private func resolve(_ reference: String) -> ConfigurationValue {
        definition(String(reference.dropFirst("#/$defs/".count))) ?? .bool(false)
    }

    private func problems(
        of value: ConfigurationValue,
        by schema: ConfigurationValue,
        at path: String
    ) -> [String] {
        if case .bool(let isAllowed) = schema { return isAllowed ? [] : ["\(path): not allowed"] }
        return schema.entries.flatMap { entry in
            problems(of: value, by: entry.key, entry.value, in: schema, at: path)
        }
    }

    private func problems(
        of value: ConfigurationValue,
        by keyword: String,
        _ argument: ConfigurationValue,
        in schema: ConfigurationValue,
        at path: String
    ) -> [String] {
        func check(_ isValid: Bool) -> [String] { isValid ? [] : ["\(path): \(keyword)"] }
        func isValid(by schema: ConfigurationValue) -> Bool {
            problems(of: value, by: schema, at: path).isEmpty
        }
        switch keyword {
        case "$schema", "$id", "$defs", "title", "description", "default":
            return []
        case "$ref":
            return problems(of: value, by: resolve(argument.text ?? ""), at: path)
        case "anyOf":
            return check(argument.elements.contains(where: isValid))
        case "oneOf":
            return check(argument.elements.count(where: isValid) == 1)
        case "allOf":
            return argument.elements.flatMap { problems(of: value, by: $0, at: path) }
        case "not":
            return check(!problems(of: value, by: argument, at: path).isEmpty)
        case "const":
            return check(value == argument)
        case "enum":
            return check(argument.elements.contains(value))
        case "type":
            let types = argument.text.map { [$0] } ?? argument.elements.compactMap(\.text)
            return check(types.contains(value.typeName))
        case "minimum":
            return check(value.number.map { $0 >= argument.number ?? 0 } ?? true)
        case "maximum":
            return check(value.number.map { $0 <= argument.number ?? 0 } ?? true)
        case "minLength":
            return check(value.text.map { Int64($0.count) >= argument.number ?? 0 } ?? true)
        case "minItems":
            return check(!value.isList || Int64(value.elements.count) >= argument.number ?? 0)
        case "maxItems":
            return check(!value.isList || Int64(value.elements.count) <= argument.number ?? 0)
        case "pattern":
            guard let text = value.text, let pattern = argument.text else { return [] }
            return check((try? Regex(pattern).firstMatch(in: text)) != nil)  // A bad one fails.
        case "required":
            return check(
                !value.isMap || argument.elements.allSatisfy { value[$0.text ?? ""] != nil }
            )
        case "items":
            return value.elements.enumerated().flatMap { index, element in
                problems(of: element, by: argument, at: "\(path)[\(index)]")
            }
        case "properties":
            return argument.entries.flatMap { property in
                value[property.key].map { problems(of: $0, by: property.value, at: property.key) }
                    ?? []
            }
        case "additionalProperties":
            let known = Set(schema["properties"]?.keys ?? [])
            return value.entries.filter { !known.contains($0.key) }
                .flatMap { problems(of: $0.value, by: argument, at: "\(path).\($0.key)") }
        default:
            return ["\(path): the test does not know the keyword \(keyword)"]
        }
    }

    /// A document as a value; like a plugin's configuration, but with every scalar allowed.
    static func value(_ node: DocumentNode) -> ConfigurationValue {
        switch node.content {
        case .invalid: return .null
        case .list(let nodes): return .list(nodes.map(value))
        case .mapping(let entries): return .map(entries.map { .init($0.key, value($0.value)) })
        case .scalar(let scalar):
            switch PlainScalar(scalar) {
            case .null: return .null
            case .bool(let value): return .bool(value)
            case .integer(let value): return .integer(value)
            case .number(let value): return .number(value)
            case .string(let value): return .string(value)
            case .outOfRange: return .number(.infinity)
            }
        }
    }
}

extension ConfigurationValue {
    var entries: [Entry] {
        if case .map(let entries) = self { entries } else { [] }
    }

    var keys: [String] { entries.map(\.key) }

    var elements: [ConfigurationValue] {
        if case .list(let values) = self { values } else { [] }
    }

    var text: String? {
        if case .string(let text) = self { text } else { nil }
    }

    var number: Int64? {
        if case .integer(let number) = self { number } else { nil }
    }

    var isList: Bool { typeName == "array" }

    var isMap: Bool { typeName == "object" }

    /// The type as JSON Schema names it.
    var typeName: String {
        switch self {
        case .null: "null"
        case .bool: "boolean"
        case .integer: "integer"
        case .number: "number"
        case .string: "string"
        case .list: "array"
        case .map: "object"
        }
    }

    subscript(key: String) -> ConfigurationValue? {
        entries.first { $0.key == key }?.value
    }
}
