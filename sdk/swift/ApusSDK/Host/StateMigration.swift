/// How values of a state are brought forward, with their type erased.
struct StateMigration: Equatable {
    private let type: ObjectIdentifier
    /// The oldest version that can be read.
    let oldestVersion: Int
    /// Reads the bytes of a version, and encodes what they become.
    let migrate: (Int, Bytes, inout StateEncoder) throws -> Void

    /// The migration of a type; nil when it reads no version but its own.
    init?<Value: StateCodable>(_ value: Value.Type) {
        guard Value.oldestReadableVersion < Value.schemaVersion else { return nil }
        type = ObjectIdentifier(value)
        oldestVersion = Value.oldestReadableVersion
        migrate = { version, bytes, encoder in
            var decoder = StateDecoder(bytes)
            encoder.encode(try Value.decode(version: version, from: &decoder))
        }
    }

    static func == (left: StateMigration, right: StateMigration) -> Bool {
        left.type == right.type
    }
}

extension Declarations {
    /// How many of its states migrate.
    var migrationCount: Int {
        (states + broadcasts).count { $0.migration != nil }
            + operatorStates.count { $0.migration != nil }
    }

    /// Whether a host must know of migrations.
    var needsMigration: Bool {
        migrationCount > 0 || (states + broadcasts).contains { !$0.renamedFrom.isEmpty }
            || operatorStates.contains { !$0.renamedFrom.isEmpty }
            || timers.contains { $0.migration != nil }
    }
}
