/// What an armed timer becomes in another version of the operator.
public struct TimerPlan: Equatable, Sendable {
    /// Its id; two timers of a key and a declaration must not get the same one.
    public var id: UInt64

    /// When it fires.
    public var time: Timestamp

    /// What it brings along; the bytes that it had when there are none.
    public var payload: [UInt8]

    /// Plans a timer.
    ///
    /// - Parameters:
    ///   - id: Tells timers of the same declaration apart.
    ///   - time: When it is to fire; at once when that has passed.
    ///   - payload: What it brings along; the bytes that it had unless stated.
    public init(id: UInt64, time: Timestamp, payload: [UInt8] = []) {
        self.id = id
        self.time = time
        self.payload = payload
    }
}
