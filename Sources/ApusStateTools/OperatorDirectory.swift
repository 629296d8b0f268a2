package import ApusCheckpoint
import ApusCore
import ApusGraph

/// The operators of a checkpoint by number and by name, with what they declared.
///
/// State of an operator that the job has no longer is still there; it is called by its number, as
/// in `#7`, and its slots as in `slot 3`.
package struct OperatorDirectory: Sendable {
    /// The kinds of state.
    package enum Kind: String, Sendable {
        /// A value.
        case value
        /// A signed 64-bit sum.
        case counter
        /// Values in the order of appending.
        case list
        /// Entries ordered by key.
        case map
        /// Nobody says.
        case unknown
    }

    /// The operators, in the order of the manifest.
    package let operators: [OperatorState]
    private let byNumber: [UInt16: OperatorState]

    /// Creates the directory of a checkpoint.
    package init(_ manifest: Manifest) {
        operators = manifest.operators
        byNumber = Dictionary(operators.map { ($0.number, $0) }) { first, _ in first }
    }

    /// What the checkpoint says of an operator; nil when the job has it no longer.
    package func declared(_ number: UInt16) -> OperatorState? { byNumber[number] }

    /// What an operator is called.
    package func name(_ number: UInt16) -> String { byNumber[number]?.id ?? "#\(number)" }

    /// The number of an operator by what it is called.
    ///
    /// - Throws: ``StateToolError`` that has the names there are, and the nearest.
    package func number(_ name: String) throws(StateToolError) -> UInt16 {
        if let found = operators.first(where: { $0.id == name }) { return found.number }
        if name.hasPrefix("#"), let number = UInt16(name.dropFirst()) { return number }
        throw StateToolError(
            .input,
            Self.unknown("operator", name, operators.map(\.id))
                + " (state of an operator that the job has no longer goes by its number: '#7')"
        )
    }

    /// What a slot is called.
    package func slotName(_ number: UInt16, _ slot: Int) -> String {
        declaration(number, slot)?.name ?? "slot \(slot)"
    }

    /// What the operator declared for a slot; nil when nothing.
    package func declaration(_ number: UInt16, _ slot: Int) -> StateDeclaration? {
        guard let states = byNumber[number]?.states, states.indices.contains(slot) else {
            return nil
        }
        return states[slot]
    }

    /// The kind of a slot.
    package func kind(_ number: UInt16, _ slot: Int) -> Kind {
        declaration(number, slot).flatMap { Kind(rawValue: $0.kind) } ?? .unknown
    }

    /// The slot of a state by what it is called.
    ///
    /// - Throws: ``StateToolError`` that has the names there are, and the nearest.
    package func slot(_ number: UInt16, _ name: String) throws(StateToolError) -> Int {
        let states = byNumber[number]?.states ?? []
        if let index = states.firstIndex(where: { $0.name == name }) { return index }
        if name.hasPrefix("slot "), let slot = Int(name.dropFirst(5)), (0..<32).contains(slot) {
            return slot
        }
        if let kind = ownStateKind(number, name) {
            throw StateToolError(
                .input,
                "operator '\(self.name(number))': '\(name)' is \(kind) state, and this works on "
                    + "keyed state alone; to change \(kind) state, export it, edit the lines, and "
                    + "bring them back with `apus state import`"
            )
        }
        throw StateToolError(
            .input,
            "operator '\(self.name(number))': " + Self.unknown("state", name, states.map(\.name))
        )
    }

    /// "broadcast" or "operator" for the name of such a state; nil for any other.
    package func ownStateKind(_ number: UInt16, _ name: String) -> String? {
        let declared = byNumber[number]
        if declared?.broadcast?.maps.contains(where: { $0.name == name }) ?? false {
            return "broadcast"
        }
        let lists = declared?.operatorState?.lists ?? []
        return lists.contains { $0.name == name } ? "operator" : nil
    }

    /// What a timer is called.
    package func timerName(_ number: UInt16, _ timer: Int) -> String {
        guard let timers = byNumber[number]?.timers, timers.indices.contains(timer) else {
            return "timer \(timer)"
        }
        return timers[timer].name
    }

    /// The number of a timer by what it is called.
    ///
    /// - Throws: ``StateToolError`` that has the names there are, and the nearest.
    package func timer(_ number: UInt16, _ name: String) throws(StateToolError) -> Int {
        let timers = byNumber[number]?.timers ?? []
        if let index = timers.firstIndex(where: { $0.name == name }) { return index }
        // What an operator declares no longer goes by its number; what it declares, by its name.
        if timers.isEmpty, name.hasPrefix("timer "), let timer = Int(name.dropFirst(6)),
            (0..<Self.timerNumberEnd).contains(timer)
        {
            return timer
        }
        throw StateToolError(
            .input,
            "operator '\(self.name(number))': " + Self.unknown("timer", name, timers.map(\.name))
        )
    }

    /// Timers of an operator have numbers below this.
    private static let timerNumberEnd = 1 << 16

    /// What a time domain is called.
    package static func domainName(_ domain: UInt8) -> String {
        domain == 0 ? "event" : "processing"
    }

    /// Says that there is no such name, which names there are, and which one is near.
    static func unknown(_ what: String, _ name: String, _ names: [String]) -> String {
        let nearest = NearestWord.find(name, among: names)
        return "there is no \(what) '\(name)'; expected "
            + (names.isEmpty ? "none: there is none" : "one of \(names.joined(separator: ", "))")
            + (nearest.map { "; did you mean '\($0)'?" } ?? "")
    }
}
