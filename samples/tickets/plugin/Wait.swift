/// How long a rule waits, in the two ways of counting that there are.
struct Wait {
    /// By a clock that never stops.
    let minutes: Int64
    /// By one that stops when the desk is closed; a day of it has eight hours.
    let businessMinutes: Int64

    static let toEscalate = Wait(minutes: 30, businessMinutes: 30)
    static let toPageLead = Wait(minutes: 60, businessMinutes: 60)
    static let toNudge = Wait(minutes: 24 * 60, businessMinutes: 8 * 60)
    static let toClose = Wait(minutes: 72 * 60, businessMinutes: 24 * 60)
}
