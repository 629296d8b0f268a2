/// What an operator has declared: noted by its handles while `init()` runs.
@usableFromInline
final class Declarations {
    struct Output: Equatable {
        let name: String
        let summary: String
    }

    struct State: Equatable {
        let name: String
        let kind: Int32
        let schemaVersion: Int
        let fixedByteCount: Int
        let schema: String
        var renamedFrom = ""
        var migration: StateMigration?
    }

    struct OperatorState: Equatable {
        let name: String
        let redistribution: Redistribution
        let schemaVersion: Int
        let schema: String
        var renamedFrom = ""
        var migration: StateMigration?
    }

    struct Timer: Equatable {
        let name: String
        let domain: Int32
        var migration: TimerMigration?
    }

    var outputs = [Output(name: "main", summary: "the main output")]
    var states: [State] = []
    var broadcasts: [State] = []
    var operatorStates: [OperatorState] = []
    var timers: [Timer] = []
    var counters: [Output] = []

    /// The index of a handle that was created outside of any operator's `init()`.
    @usableFromInline static let undeclared = UInt32.max

    /// The length of an accumulator whose type does not say it.
    static let missingByteCount = -1

    /// Those that are being collected: by the entry function and by `create`.
    ///
    /// `nonisolated(unsafe)` because the host makes these calls on one thread, one at a time.
    nonisolated(unsafe) private static var current: Declarations?

    @usableFromInline
    init() {}

    @usableFromInline var counterCount: Int { counters.count }

    /// Runs `make` and notes what the handles that it creates declare.
    @usableFromInline
    static func collect(_ make: () -> Void) -> Declarations {
        let outer = current
        let declarations = Declarations()
        current = declarations
        make()
        current = outer
        return declarations
    }

    /// Notes a declaration in one of the lists.
    ///
    /// - Returns: Its index, or ``undeclared`` when nothing is being collected.
    static func note<Element>(
        _ element: Element,
        in list: ReferenceWritableKeyPath<Declarations, [Element]>
    ) -> UInt32 {
        guard let current else { return undeclared }
        current[keyPath: list].append(element)
        return UInt32(current[keyPath: list].count - 1)
    }

    /// Why an operator cannot have these declarations; nil when it can.
    func problem(isKeyed: Bool) -> String? {
        guard isKeyed || (states.isEmpty && timers.isEmpty) else {
            return "it declares state or timers, so it must be a KeyedOperator"
        }
        guard broadcasts.count <= 32 else {
            return "it declares \(broadcasts.count) broadcast states; at most 32"
        }
        guard operatorStates.count <= 32 else {
            return "it declares \(operatorStates.count) operator states; at most 32"
        }
        guard states.count <= 32 else { return "it declares \(states.count) states; at most 32" }
        if let state = states.first(where: { $0.fixedByteCount == Self.missingByteCount }) {
            return "state '\(state.name)' is an aggregate, so its Accumulator needs a "
                + "fixedByteCount of at least 1"
        }
        if let state = states.first(where: { $0.fixedByteCount > 65_536 }) {
            return "state '\(state.name)' has values of \(state.fixedByteCount) bytes, more than "
                + "65,536; leave out their fixedByteCount"
        }
        let versions =
            (states + broadcasts).map { ($0.name, $0.schemaVersion) }
            + operatorStates.map { ($0.name, $0.schemaVersion) }
        if let (name, version) = versions.first(where: { $0.1 < 1 }) {
            return "state '\(name)' has version \(version); begin with 1"
        }
        if let timer = timers.first(where: { !($0.migration?.isInOrder ?? true) }) {
            return "timer '\(timer.name)' migrates to version \(timer.migration?.version ?? 0); "
                + "that is 2 or more, and above the oldest one that it takes"
        }
        return Self.problem(of: outputs.map(\.name), "output")
            ?? Self.problem(of: versions.map(\.0), "state")
            ?? Self.problem(of: timers.map(\.name), "timer")
            ?? Self.problem(of: counters.map(\.name), "counter")
    }

    private static func problem(of names: [String], _ kind: String) -> String? {
        for (index, name) in names.enumerated() {
            guard isName(name) else {
                return "\(kind) '\(name)': a name has 1 to 63 of a-z, 0-9, '-', '_'"
            }
            guard !names[..<index].contains(name) else { return "\(kind) '\(name)' exists twice" }
        }
        return nil
    }

    /// Whether the host takes it for a name.
    static func isName(_ name: String) -> Bool {
        (1...63).contains(name.utf8.count)
            && name.utf8.allSatisfy {
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0)
                    || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
                    || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_")
            }
    }
}

extension Declarations: Equatable {
    @usableFromInline
    static func == (left: Declarations, right: Declarations) -> Bool {
        left.outputs == right.outputs && left.states == right.states
            && left.broadcasts == right.broadcasts && left.operatorStates == right.operatorStates
            && left.timers == right.timers && left.counters == right.counters
    }
}
