/// What becomes of armed timers when what they mean has changed.
///
/// ```swift
/// let remind = Timer("remind", migration: TimerMigration(to: 2) { _, time in
///     time + .seconds(3600)
/// })
/// ```
///
/// Pure: it may be asked again for the same timer, and always says the same.
public struct TimerMigration: Sendable, Equatable {
    /// The version of the timer now: 2 or more.
    let version: Int
    /// The oldest version whose armed timers it takes.
    let oldestVersion: Int
    /// When a timer of an older version is to fire; nil cancels it.
    let plan: @Sendable (_ version: Int, _ time: Timestamp) throws -> Timestamp?

    /// Creates a migration.
    ///
    /// - Parameters:
    ///   - version: The version of the timer now: 2 or more.
    ///   - oldestVersion: The oldest version whose armed timers it takes; 1 unless stated.
    ///   - plan: Gets the version of a timer and the time at which it was to fire, and says when
    ///     it is to fire; nil cancels it.  Its payload stays.
    public init(
        to version: Int,
        from oldestVersion: Int = 1,
        _ plan: @escaping @Sendable (_ version: Int, _ time: Timestamp) throws -> Timestamp?
    ) {
        self.version = version
        self.oldestVersion = oldestVersion
        self.plan = plan
    }

    /// Whether the versions can be declared.
    var isInOrder: Bool { version >= 2 && oldestVersion >= 1 && oldestVersion < version }

    /// Whether both are of the same versions.
    public static func == (left: TimerMigration, right: TimerMigration) -> Bool {
        left.version == right.version && left.oldestVersion == right.oldestVersion
    }
}
