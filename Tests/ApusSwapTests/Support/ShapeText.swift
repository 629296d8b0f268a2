import ApusSwap

/// Shapes in a line: `total value/8 v2 reads1 back was:sum, due event, unkeyed`; `-` for none.
///
/// Parts are separated by commas.  A part is a name and a kind (`value`, `value/BYTES`,
/// `counter`, `list`, `map`, `broadcast`, `split`, `union`, `event`, `processing`), then `vN` (1
/// when left out), `readsN`, `back` and `was:NAME`.  The private snapshot is `snapshot vN`.
struct ShapeText {
    /// What cannot be read.
    struct Mistake: Error, CustomStringConvertible {
        let description: String
    }

    private(set) var shape = ComponentShape(id: "subject")

    /// Reads a shape.
    init(_ text: String) throws {
        if text == "-" { return }
        for part in text.split(separator: ",") {
            let words = part.split(separator: " ").map(String.init)
            guard let first = words.first else { throw Mistake(description: "empty: \(text)") }
            if words.count == 1 {
                try add(word: first)
            } else if first == "snapshot" {
                shape.snapshotVersion = try number(words[1], "v")
            } else {
                try add(first, words[1], Array(words.dropFirst(2)))
            }
        }
    }

    private mutating func add(word: String) throws {
        switch word {
        case "unkeyed": shape.isKeyed = false
        case "nullkey": shape.acceptsMissingKey = true
        case "async": shape.isAsynchronous = true
        default:
            if word.hasPrefix("inputs") {
                shape.inputCount = try number(word, "inputs")
            } else if word.hasPrefix("rules") {
                shape.broadcastInputCount = try number(word, "rules")
            } else if word.hasPrefix("outputs:") {
                shape.outputs = word.dropFirst(8).split(separator: "+").map(String.init)
            } else {
                throw Mistake(description: "unknown word '\(word)'")
            }
        }
    }

    private mutating func add(_ name: String, _ kind: String, _ options: [String]) throws {
        var version = 1
        var migration = ComponentShape.Migration()
        for option in options {
            if option == "back" {
                migration.goesBack = true
            } else if option.hasPrefix("was:") {
                migration.renamedFrom = String(option.dropFirst(4))
            } else if option.hasPrefix("reads") {
                migration.readsFrom = try number(option, "reads")
            } else {
                version = try number(option, "v")
            }
        }
        let parts = kind.split(separator: "/").map(String.init)
        var state = ComponentShape.State(
            name: name,
            kind: parts[0],
            fixedByteCount: parts.count > 1 ? try number(parts[1], "") : nil,
            schemaVersion: version
        )
        state.migration = migration
        switch parts[0] {
        case "value", "counter", "list", "map": shape.states.append(state)
        case "broadcast": shape.broadcasts.append(state)
        case "split", "union": shape.operatorStates.append(state)
        case "event", "processing":
            var timer = ComponentShape.Timer(name: name, domain: kind, schemaVersion: version)
            timer.migration = migration
            shape.timers.append(timer)
        default: throw Mistake(description: "unknown kind '\(kind)'")
        }
    }

    private func number(_ word: String, _ prefix: String) throws -> Int {
        guard word.hasPrefix(prefix), let value = Int(word.dropFirst(prefix.count)) else {
            throw Mistake(description: "expected \(prefix)N, found '\(word)'")
        }
        return value
    }
}
