public import ApusSDK
import CApusPlugin
import CApusTesting

// What came out of an operator, and what it keeps.
//
// SAFETY: what the harness lends is copied before anything else is asked of it.
extension OperatorHarness {
    /// What came out by an output.
    public func records(_ output: String) throws -> [HarnessRecord] {
        let count = apus_test_count(test, output)
        try check()
        return (0..<count).map { Self.record(apus_test_output(test, output, $0)) }
    }

    /// The values of what came out by an output.
    public func values(_ output: String) throws -> [String] {
        try records(output).map(\.value)
    }

    private static func record(_ raw: apus_test_record) -> HarnessRecord {
        HarnessRecord(
            key: raw.key.data == nil ? nil : Bytes(raw.key).text,
            value: Bytes(raw.value).text,
            time: raw.ts == .min ? nil : Timestamp(microseconds: raw.ts)
        )
    }

    /// The reasons of records that were refused.
    public var rejected: [String] {
        (0..<apus_test_rejected_count(test)).map { index in
            apus_test_rejected(test, index, nil).map { String(cString: $0) } ?? ""
        }
    }

    /// The lines of the log.
    public var log: [String] {
        (0..<apus_test_log_count(test)).map { index in
            apus_test_log(test, index, nil).map { String(cString: $0) } ?? ""
        }
    }

    /// What a counter of the operator has come to.
    public func counter(_ name: String) throws -> UInt64 {
        let count = apus_test_counter(test, name)
        try check()
        return count
    }

    // MARK: - State

    /// The value of a state for a key.
    public func value<Value: StateCodable>(
        _ type: Value.Type = Value.self,
        _ state: String,
        _ key: String
    ) throws -> Value? {
        var found = apus_bytes()
        let isThere = withKey(key) { apus_test_value(test, state, $0, &found) }
        try check()
        return isThere == 0 ? nil : try decode(found) as Value
    }

    /// The sum of a counter state for a key.
    public func sum(_ state: String, _ key: String) throws -> Int64 {
        let sum = withKey(key) { apus_test_sum(test, state, $0) }
        try check()
        return sum
    }

    /// The elements of a list for a key.
    public func list<Element: StateCodable>(
        _ type: Element.Type = Element.self,
        _ state: String,
        _ key: String
    ) throws -> [Element] {
        try entries(state, key).map { try decode($0.value) }
    }

    /// The entries of a map for a key, in the order of their keys.
    public func map<Key: StateCodable, Value: StateCodable>(
        _ keyType: Key.Type = Key.self,
        _ valueType: Value.Type = Value.self,
        _ state: String,
        _ key: String
    ) throws -> [(key: Key, value: Value)] {
        try entries(state, key).map { (try decode($0.key), try decode($0.value)) }
    }

    /// The entries of a broadcast state, in the order of their keys.
    public func broadcastMap<Key: StateCodable, Value: StateCodable>(
        _ keyType: Key.Type = Key.self,
        _ valueType: Value.Type = Value.self,
        _ state: String
    ) throws -> [(key: Key, value: Value)] {
        try shared(state).map { (try decode($0.key), try decode($0.value)) }
    }

    /// The items of an operator state.
    public func items<Element: StateCodable>(
        _ type: Element.Type = Element.self,
        _ state: String
    ) throws -> [Element] {
        try shared(state).map { try decode($0.value) }
    }

    /// How many keys have a state.
    public func keyCount(_ state: String) throws -> Int {
        let count = apus_test_key_count(test, state)
        try check()
        return Int(count)
    }

    /// How many timers of a declaration are armed.
    public func timerCount(_ timer: String) throws -> Int {
        let count = apus_test_timer_count(test, timer)
        try check()
        return Int(count)
    }

    /// When the next timer of a declaration fires.
    public func nextTimer(_ timer: String) throws -> Timestamp? {
        var time: Int64 = 0
        let isThere = apus_test_next_timer(test, timer, &time)
        try check()
        return isThere == 0 ? nil : Timestamp(microseconds: time)
    }

    private func entries(_ state: String, _ key: String) throws -> [apus_entry] {
        let entries = withKey(key) { key in
            (0..<apus_test_entry_count(test, state, key)).map {
                apus_test_entry(test, state, key, $0)
            }
        }
        try check()
        return entries
    }

    private func shared(_ state: String) throws -> [apus_entry] {
        let entries = (0..<apus_test_shared_count(test, state)).map {
            apus_test_shared(test, state, $0)
        }
        try check()
        return entries
    }

    private func withKey<Result>(_ key: String, _ body: (apus_bytes) -> Result) -> Result {
        var key = key
        return key.withUTF8 { bytes in
            body(apus_bytes(data: bytes.baseAddress, len: UInt64(bytes.count)))
        }
    }

    private func decode<Value: StateCodable>(_ bytes: apus_bytes) throws -> Value {
        try StateDecoder.value(Value.self, of: Bytes(bytes), "")
    }
}

extension Bytes {
    fileprivate init(_ bytes: apus_bytes) {
        self.init(start: bytes.data, count: Int(bytes.len))
    }
}
