import CApusPlugin

/// A C function for each state of a plugin that migrates.
///
/// The ABI does not say for which state `migrate` is called, so each needs one of its own, as with
/// ``CreateThunks``.
enum MigrationThunks {
    // SAFETY: the pointers are handed on as they are.
    static let all: [apus_migrate] = [
        { MigrationThunks.migrate(0, $0, $1, $2) },
        { MigrationThunks.migrate(1, $0, $1, $2) },
        { MigrationThunks.migrate(2, $0, $1, $2) },
        { MigrationThunks.migrate(3, $0, $1, $2) },
        { MigrationThunks.migrate(4, $0, $1, $2) },
        { MigrationThunks.migrate(5, $0, $1, $2) },
        { MigrationThunks.migrate(6, $0, $1, $2) },
        { MigrationThunks.migrate(7, $0, $1, $2) },
        { MigrationThunks.migrate(8, $0, $1, $2) },
        { MigrationThunks.migrate(9, $0, $1, $2) },
        { MigrationThunks.migrate(10, $0, $1, $2) },
        { MigrationThunks.migrate(11, $0, $1, $2) },
        { MigrationThunks.migrate(12, $0, $1, $2) },
        { MigrationThunks.migrate(13, $0, $1, $2) },
        { MigrationThunks.migrate(14, $0, $1, $2) },
        { MigrationThunks.migrate(15, $0, $1, $2) },
        { MigrationThunks.migrate(16, $0, $1, $2) },
        { MigrationThunks.migrate(17, $0, $1, $2) },
        { MigrationThunks.migrate(18, $0, $1, $2) },
        { MigrationThunks.migrate(19, $0, $1, $2) },
        { MigrationThunks.migrate(20, $0, $1, $2) },
        { MigrationThunks.migrate(21, $0, $1, $2) },
        { MigrationThunks.migrate(22, $0, $1, $2) },
        { MigrationThunks.migrate(23, $0, $1, $2) },
        { MigrationThunks.migrate(24, $0, $1, $2) },
        { MigrationThunks.migrate(25, $0, $1, $2) },
        { MigrationThunks.migrate(26, $0, $1, $2) },
        { MigrationThunks.migrate(27, $0, $1, $2) },
        { MigrationThunks.migrate(28, $0, $1, $2) },
        { MigrationThunks.migrate(29, $0, $1, $2) },
        { MigrationThunks.migrate(30, $0, $1, $2) },
        { MigrationThunks.migrate(31, $0, $1, $2) },
    ]

    private static func migrate(
        _ index: Int,
        _ migration: UnsafePointer<apus_migration>?,
        _ writer: UnsafeMutablePointer<apus_writer>?,
        _ slot: UnsafeMutablePointer<apus_error>?
    ) -> Int32 {
        guard let migration, let writer, index < PluginTable.migrations.count else {
            return ErrorSlot.fill(slot, APUS_FATAL, "there is no migration \(index)")
        }
        var encoder = StateEncoder()
        defer { encoder.free() }
        do {
            try PluginTable.migrations[index].migrate(
                Int(migration.pointee.from_version),
                Bytes(migration.pointee.value),
                &encoder
            )
        } catch {
            return ErrorSlot.fill(slot, APUS_INCOMPATIBLE, String(describing: error))
        }
        let bytes = encoder.bytes
        return writer.pointee.write(writer, bytes.start, UInt64(bytes.count))
    }
}
