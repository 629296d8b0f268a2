/// What becomes of armed timers when what they mean has changed.
///
/// ```swift
/// // Version 1 reminded after an hour, version 2 does after two.
/// let remind = Timer("remind", migration: TimerMigration(to: 2) { armed in
///     armed.plan(at: armed.time + .seconds(3600))
/// })
/// ```
///
/// Pure: it may be asked again for the same timer, on any thread, and always says the same.
public struct TimerMigration: Sendable, Equatable {
    /// The version of the timer now: 2 or more.
    let version: Int
    /// The oldest version whose armed timers it takes.
    let oldestVersion: Int
    /// What a timer of an older version becomes; nil cancels it.
    let plan: @Sendable (borrowing ArmedTimer) throws -> TimerPlan?

    /// Creates a migration.
    ///
    /// - Parameters:
    ///   - version: The version of the timer now: 2 or more.
    ///   - oldestVersion: The oldest version whose armed timers it takes; 1 unless stated.
    ///   - plan: Says what a timer that an older version has armed becomes; nil cancels it.
    public init(
        to version: Int,
        from oldestVersion: Int = 1,
        _ plan: @escaping @Sendable (borrowing ArmedTimer) throws -> TimerPlan?
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
