import CApusPlugin

/// A C function for each timer of a plugin that migrates, as ``MigrationThunks`` for state.
enum TimerMigrationThunks {
    /// How many timers of a plugin can migrate.
    static let countMax = 16

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
        _ writer: UnsafeMutablePointer<apus_writer>?,
        _ slot: UnsafeMutablePointer<apus_error>?
    ) -> Int32 {
        guard let migration, let target, let writer, let rule = migrations[index] else {
            return ErrorSlot.fill(slot, APUS_FATAL, "there is no timer migration \(index)")
        }
        do {
            guard let plan = try rule.plan(ArmedTimer(migration)) else { return APUS_NOT_FOUND }
            target.pointee.id = plan.id
            target.pointee.time_us = plan.time.microseconds
            guard !plan.payload.isEmpty else { return APUS_OK }
            return plan.payload.withUnsafeBytes { bytes in
                writer.pointee.write(writer, bytes.baseAddress, UInt64(bytes.count))
            }
        } catch {
            return ErrorSlot.fill(slot, APUS_INCOMPATIBLE, String(describing: error))
        }
    }

    // SAFETY: here and above, the pointers are the host's, for the call.
    private static let all: [apus_migrate_timer] = [
        { TimerMigrationThunks.migrate(0, $0, $1, $2, $3) },
        { TimerMigrationThunks.migrate(1, $0, $1, $2, $3) },
        { TimerMigrationThunks.migrate(2, $0, $1, $2, $3) },
        { TimerMigrationThunks.migrate(3, $0, $1, $2, $3) },
        { TimerMigrationThunks.migrate(4, $0, $1, $2, $3) },
        { TimerMigrationThunks.migrate(5, $0, $1, $2, $3) },
        { TimerMigrationThunks.migrate(6, $0, $1, $2, $3) },
        { TimerMigrationThunks.migrate(7, $0, $1, $2, $3) },
        { TimerMigrationThunks.migrate(8, $0, $1, $2, $3) },
        { TimerMigrationThunks.migrate(9, $0, $1, $2, $3) },
        { TimerMigrationThunks.migrate(10, $0, $1, $2, $3) },
        { TimerMigrationThunks.migrate(11, $0, $1, $2, $3) },
        { TimerMigrationThunks.migrate(12, $0, $1, $2, $3) },
        { TimerMigrationThunks.migrate(13, $0, $1, $2, $3) },
        { TimerMigrationThunks.migrate(14, $0, $1, $2, $3) },
        { TimerMigrationThunks.migrate(15, $0, $1, $2, $3) },
        { TimerMigrationThunks.migrate(16, $0, $1, $2, $3) },
        { TimerMigrationThunks.migrate(17, $0, $1, $2, $3) },
        { TimerMigrationThunks.migrate(18, $0, $1, $2, $3) },
        { TimerMigrationThunks.migrate(19, $0, $1, $2, $3) },
        { TimerMigrationThunks.migrate(20, $0, $1, $2, $3) },
        { TimerMigrationThunks.migrate(21, $0, $1, $2, $3) },
        { TimerMigrationThunks.migrate(22, $0, $1, $2, $3) },
        { TimerMigrationThunks.migrate(23, $0, $1, $2, $3) },
        { TimerMigrationThunks.migrate(24, $0, $1, $2, $3) },
        { TimerMigrationThunks.migrate(25, $0, $1, $2, $3) },
        { TimerMigrationThunks.migrate(26, $0, $1, $2, $3) },
        { TimerMigrationThunks.migrate(27, $0, $1, $2, $3) },
        { TimerMigrationThunks.migrate(28, $0, $1, $2, $3) },
        { TimerMigrationThunks.migrate(29, $0, $1, $2, $3) },
        { TimerMigrationThunks.migrate(30, $0, $1, $2, $3) },
        { TimerMigrationThunks.migrate(31, $0, $1, $2, $3) },
    ]
}
