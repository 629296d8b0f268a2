/// What becomes of everything that a version of an operator has when another one takes over.
///
/// Pure: compares two shapes, touches nothing.
package struct ComponentChange: Codable, Equatable, Sendable {
    /// What a part is.
    package enum Kind: String, Codable, Sendable {
        /// A slot of a key's row.
        case state
        /// A timer.
        case timer
        /// A broadcast state.
        case broadcast
        /// An operator state.
        case operatorState = "operator-state"
        /// The private snapshot.
        case snapshot
        /// Inputs, outputs, whether there are keys.
        case port

        /// As it stands in a sentence, with its article.
        package var noun: String {
            switch self {
            case .state: "a state of each key"
            case .timer: "a timer"
            case .broadcast: "a broadcast state"
            case .operatorState: "an operator state"
            case .snapshot: "a private snapshot"
            case .port: "a port"
            }
        }
    }

    /// What becomes of a part.
    package enum Verdict: String, Codable, Sendable {
        /// It is taken over as it is.
        case asIs = "as is"
        /// Its bytes are brought to the new version.
        case migrate
        /// The new version begins with none.
        case new
        /// The new version has it no longer; what there is of it goes.
        case dropped
        /// It cannot be taken over: the swap is refused.
        case incompatible
    }

    /// A part of the operator and what becomes of it.
    package struct Part: Codable, Equatable, Sendable {
        /// What it is.
        package var kind: Kind
        /// Its name, the new one when it is renamed.
        package var name: String
        /// What becomes of it.
        package var verdict: Verdict
        /// Its place among the old version's parts of its kind; nil when it is new.
        package var oldIndex: Int?
        /// Its place among the new version's; nil when it is dropped.
        package var newIndex: Int?
        /// The version of its bytes before; nil when it is new.
        package var fromVersion: Int?
        /// The version of its bytes after; nil when it is dropped.
        package var toVersion: Int?
        /// Whether the new version can also bring its bytes back.
        package var goesBack: Bool
        /// Why it is incompatible, and how to mend it; nil otherwise.
        package var reason: String?

        /// Creates a part.
        package init(
            _ kind: Kind,
            _ name: String,
            _ verdict: Verdict,
            oldIndex: Int? = nil,
            newIndex: Int? = nil,
            fromVersion: Int? = nil,
            toVersion: Int? = nil,
            goesBack: Bool = false,
            reason: String? = nil
        ) {
            self.kind = kind
            self.name = name
            self.verdict = verdict
            self.oldIndex = oldIndex
            self.newIndex = newIndex
            self.fromVersion = fromVersion
            self.toVersion = toVersion
            self.goesBack = goesBack
            self.reason = reason
        }
    }

    /// All parts, in the order of their kinds, then of the new version, dropped ones last.
    package var parts: [Part]

    /// The parts that keep it from being done.
    package var obstacles: [Part] { parts.filter { $0.verdict == .incompatible } }

    /// Whether the new version reads rows and timers as they lie: nothing is moved or migrated.
    package var keepsRows: Bool {
        parts.allSatisfy { part in
            guard part.kind == .state || part.kind == .timer else { return true }
            return part.verdict == .asIs && part.oldIndex == part.newIndex
        }
    }

    /// Whether nothing but the code changes.
    package var isCodeOnly: Bool {
        keepsRows && parts.allSatisfy { $0.verdict == .asIs }
    }

    /// Whether all that the new version has written can be brought back to the old one.
    package var goesBack: Bool {
        parts.allSatisfy { part in
            switch part.verdict {
            case .asIs: true
            case .migrate: part.goesBack
            // What is dropped does not come back, and what is new would be lost.
            case .new, .dropped, .incompatible: false
            }
        }
    }

    /// Whether all subtasks have to switch at one barrier: state that is not filed under keys
    /// cannot be of two versions in one checkpoint.
    package var needsBarrier: Bool {
        parts.contains { part in
            switch part.kind {
            case .broadcast, .operatorState, .snapshot: part.verdict != .asIs
            case .state, .timer, .port: false
            }
        }
    }

    /// Creates a change.
    package init(parts: [Part]) { self.parts = parts }
}
