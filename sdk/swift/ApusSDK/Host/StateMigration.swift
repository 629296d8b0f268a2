/// How values of a state are brought forward, with their type erased.
struct StateMigration: Equatable {
    private let type: ObjectIdentifier
    /// The oldest version that can be read.
    let oldestVersion: Int
    /// Whether all of these versions can be written, too.
    let goesBack: Bool
    /// Reads the bytes of a version, and encodes what they become in another one.
    let migrate: (_ from: Int, _ to: Int, Bytes, inout StateEncoder) throws -> Void

    /// The migration of a type; nil when it reads no version but its own.
    init?<Value: StateCodable>(_ value: Value.Type) {
        guard Value.oldestReadableVersion < Value.schemaVersion else { return nil }
        type = ObjectIdentifier(value)
        oldestVersion = Value.oldestReadableVersion
        goesBack = Value.oldestWritableVersion <= Value.oldestReadableVersion
        // The declaration may say another version than the type, for its own bytes.
        migrate = { from, to, bytes, encoder in
            var decoder = StateDecoder(bytes)
            guard to < from else {
                encoder.encode(try Value.decode(version: from, from: &decoder))
                return
            }
            try Value(from: &decoder).encode(version: to, into: &encoder)
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

    /// How many of its timers migrate.
    var timerMigrationCount: Int { timers.count { $0.migration != nil } }

    /// Whether a host must know of migrations.
    var needsMigration: Bool {
        migrationCount > 0 || (states + broadcasts).contains { !$0.renamedFrom.isEmpty }
            || operatorStates.contains { !$0.renamedFrom.isEmpty }
            || timerMigrationCount > 0
    }
}
