public import ApusSDK

/// A record that goes into an operator, or comes out of it.
public struct HarnessRecord: Equatable, Sendable {
    /// Its key, if it has one.
    public var key: String?

    /// Its value.
    public var value: String

    /// When it happened, if it says.
    public var time: Timestamp?

    /// Makes a record.
    public init(key: String?, value: String, time: Timestamp?) {
        self.key = key
        self.value = value
        self.time = time
    }
}
