import CApusPlugin

/// A kind of timer of an operator, declared as a property.
///
/// A timer is known by its key, its declaration and an id of the operator's choice.  Timers that
/// are due at the same time fire in the order of their declarations, then of their ids.
public struct Timer: Equatable, Sendable {
    /// What makes a timer fire.
    public enum Domain: Sendable {
        /// The watermark reaches the time.
        case eventTime
        /// The clock on the wall reaches the time.
        case processingTime
    }

    @usableFromInline let index: UInt32
    @usableFromInline let name: StaticString

    @usableFromInline
    init(index: UInt32) {
        self.index = index
        name = ""
    }

    /// Declares a timer.
    ///
    /// - Parameters:
    ///   - name: `a-z`, `0-9`, `-`; stable for ever.
    ///   - domain: What makes it fire; event time unless stated.
    ///   - migration: What becomes of timers that an older version has armed, when what the timer
    ///     means has changed; nil when it has not.
    public init(
        _ name: StaticString,
        _ domain: Domain = .eventTime,
        migration: TimerMigration? = nil
    ) {
        self.name = name
        let code =
            switch domain {
            case .eventTime: APUS_EVENT_TIME
            case .processingTime: APUS_PROCESSING_TIME
            }
        index = Declarations.note(
            Declarations.Timer(name: name.description, domain: code, migration: migration),
            in: \.timers
        )
    }

    /// Whether both are the same declaration.
    @inlinable
    public static func == (left: Timer, right: Timer) -> Bool {
        left.index == right.index
    }
}
