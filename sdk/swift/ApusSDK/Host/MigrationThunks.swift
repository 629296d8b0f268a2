import CApusPlugin

/// A C function for each state of a plugin that migrates.
///
/// The ABI does not say for which state `migrate` is called, so each needs one of its own, as with
/// ``CreateThunks``.
enum MigrationThunks {
    /// How many states of a plugin can migrate.
    static let countMax = 32

    /// What the functions do: the first half for the plugin of the library, the other for the
    /// one that a test has described.
    ///
    /// `nonisolated(unsafe)` because it is written as `PluginTable.published` is.
    nonisolated(unsafe) private static var migrations: [StateMigration?] =
        Array(repeating: nil, count: 2 * countMax)

    /// Where the next migration goes that a test brings.
    ///
    /// `nonisolated(unsafe)` because it is written as `migrations` is.
    nonisolated(unsafe) private static var nextUnderTest = 0

    /// Deals functions out.
    ///
    /// Under test a migration keeps its function when other plugins are described, because the
    /// version that a test leaves is asked how to go back to an older one.
    struct Assignment {
        private let isUnderTest: Bool
        private var taken: Set<Int> = []

        init(isUnderTest: Bool) {
            self.isUnderTest = isUnderTest
        }

        /// A function for a migration.
        mutating func thunk(for migration: StateMigration?) -> apus_migrate? {
            guard let migration else { return nil }
            let index = isUnderTest ? indexUnderTest(of: migration) : taken.count
            migrations[index] = migration
            taken.insert(index)
            return all[index]
        }

        private func indexUnderTest(of migration: StateMigration) -> Int {
            let used = countMax..<2 * countMax
            if let index = used.first(where: { migrations[$0] == migration }) { return index }
            // There is room: a plugin has at most countMax of them.
            repeat {
                nextUnderTest = (nextUnderTest + 1) % countMax
            } while taken.contains(countMax + nextUnderTest)
            return countMax + nextUnderTest
        }
    }

    private static func migrate(
        _ index: Int,
        _ migration: UnsafePointer<apus_migration>?,
        _ writer: UnsafeMutablePointer<apus_writer>?,
        _ slot: UnsafeMutablePointer<apus_error>?
    ) -> Int32 {
        guard let migration, let writer, let rule = migrations[index] else {
            return ErrorSlot.fill(slot, APUS_FATAL, "there is no migration \(index)")
        }
        var encoder = StateEncoder()
        defer { encoder.free() }
        do {
            try rule.migrate(
                Int(migration.pointee.from_version),
                Int(migration.pointee.to_version),
                Bytes(migration.pointee.value),
                &encoder
            )
        } catch {
            return ErrorSlot.fill(slot, APUS_INCOMPATIBLE, String(describing: error))
        }
        let bytes = encoder.bytes
        return writer.pointee.write(writer, bytes.start, UInt64(bytes.count))
    }

    // SAFETY: here and above, the pointers are the host's, for the call.
    private static let all: [apus_migrate] = [
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
        { MigrationThunks.migrate(32, $0, $1, $2) },
        { MigrationThunks.migrate(33, $0, $1, $2) },
        { MigrationThunks.migrate(34, $0, $1, $2) },
        { MigrationThunks.migrate(35, $0, $1, $2) },
        { MigrationThunks.migrate(36, $0, $1, $2) },
        { MigrationThunks.migrate(37, $0, $1, $2) },
        { MigrationThunks.migrate(38, $0, $1, $2) },
        { MigrationThunks.migrate(39, $0, $1, $2) },
        { MigrationThunks.migrate(40, $0, $1, $2) },
        { MigrationThunks.migrate(41, $0, $1, $2) },
        { MigrationThunks.migrate(42, $0, $1, $2) },
        { MigrationThunks.migrate(43, $0, $1, $2) },
        { MigrationThunks.migrate(44, $0, $1, $2) },
        { MigrationThunks.migrate(45, $0, $1, $2) },
        { MigrationThunks.migrate(46, $0, $1, $2) },
        { MigrationThunks.migrate(47, $0, $1, $2) },
        { MigrationThunks.migrate(48, $0, $1, $2) },
        { MigrationThunks.migrate(49, $0, $1, $2) },
        { MigrationThunks.migrate(50, $0, $1, $2) },
        { MigrationThunks.migrate(51, $0, $1, $2) },
        { MigrationThunks.migrate(52, $0, $1, $2) },
        { MigrationThunks.migrate(53, $0, $1, $2) },
        { MigrationThunks.migrate(54, $0, $1, $2) },
        { MigrationThunks.migrate(55, $0, $1, $2) },
        { MigrationThunks.migrate(56, $0, $1, $2) },
        { MigrationThunks.migrate(57, $0, $1, $2) },
        { MigrationThunks.migrate(58, $0, $1, $2) },
        { MigrationThunks.migrate(59, $0, $1, $2) },
        { MigrationThunks.migrate(60, $0, $1, $2) },
        { MigrationThunks.migrate(61, $0, $1, $2) },
        { MigrationThunks.migrate(62, $0, $1, $2) },
        { MigrationThunks.migrate(63, $0, $1, $2) },
    ]
}
