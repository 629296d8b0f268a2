import CApusPlugin

/// A C function for each timer of a plugin that migrates, as ``MigrationThunks`` for state.
enum TimerMigrationThunks {
    /// How many timers of a plugin can migrate.
    static let countMax = 8

    /// What the functions do: the first half for the plugin of the library, the other for the
    /// one that a test has described.
    ///
    /// `nonisolated(unsafe)` because it is written as `PluginTable.published` is.
    nonisolated(unsafe) private static var migrations: [TimerMigration?] =
        Array(repeating: nil, count: 2 * countMax)

    /// Deals functions out.
    struct Assignment {
        private var next: Int

        init(isUnderTest: Bool) {
            next = isUnderTest ? countMax : 0
        }

        /// A function for a migration.
        mutating func thunk(for migration: TimerMigration?) -> apus_migrate_timer? {
            guard let migration else { return nil }
            migrations[next] = migration
            defer { next += 1 }
            return all[next]
        }
    }

    private static func migrate(
        _ index: Int,
        _ migration: UnsafePointer<apus_timer_migration>?,
        _ target: UnsafeMutablePointer<apus_timer_target>?,
        _ slot: UnsafeMutablePointer<apus_error>?
    ) -> Int32 {
        guard let migration, let target, let rule = migrations[index] else {
            return ErrorSlot.fill(slot, APUS_FATAL, "there is no timer migration \(index)")
        }
        do {
            let time = Timestamp(microseconds: migration.pointee.time_us)
            let planned = try rule.plan(Int(migration.pointee.from_version), time)
            guard let planned else { return APUS_NOT_FOUND }
            target.pointee.time_us = planned.microseconds
            return APUS_OK
        } catch {
            return ErrorSlot.fill(slot, APUS_INCOMPATIBLE, String(describing: error))
        }
    }

    // SAFETY: here and above, the pointers are the host's, for the call.
    private static let all: [apus_migrate_timer] = [
        { source, target, _, slot in TimerMigrationThunks.migrate(0, source, target, slot) },
        { source, target, _, slot in TimerMigrationThunks.migrate(1, source, target, slot) },
        { source, target, _, slot in TimerMigrationThunks.migrate(2, source, target, slot) },
        { source, target, _, slot in TimerMigrationThunks.migrate(3, source, target, slot) },
        { source, target, _, slot in TimerMigrationThunks.migrate(4, source, target, slot) },
        { source, target, _, slot in TimerMigrationThunks.migrate(5, source, target, slot) },
        { source, target, _, slot in TimerMigrationThunks.migrate(6, source, target, slot) },
        { source, target, _, slot in TimerMigrationThunks.migrate(7, source, target, slot) },
        { source, target, _, slot in TimerMigrationThunks.migrate(8, source, target, slot) },
        { source, target, _, slot in TimerMigrationThunks.migrate(9, source, target, slot) },
        { source, target, _, slot in TimerMigrationThunks.migrate(10, source, target, slot) },
        { source, target, _, slot in TimerMigrationThunks.migrate(11, source, target, slot) },
        { source, target, _, slot in TimerMigrationThunks.migrate(12, source, target, slot) },
        { source, target, _, slot in TimerMigrationThunks.migrate(13, source, target, slot) },
        { source, target, _, slot in TimerMigrationThunks.migrate(14, source, target, slot) },
        { source, target, _, slot in TimerMigrationThunks.migrate(15, source, target, slot) },
    ]
}
