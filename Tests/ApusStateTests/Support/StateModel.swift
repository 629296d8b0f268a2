import Glibc

/// What keyed state should hold, in dictionaries.
struct StateModel {
    typealias Key = [UInt8]

    /// What a slot of a key holds.
    enum Content: Equatable {
        case bytes([UInt8])
        case sum(Int64)
        case list([[UInt8]])
        case map([[UInt8]: [UInt8]])
    }

    struct TimerID: Hashable {
        var key: Key
        var name: UInt32
        var id: UInt64
    }

    struct Timer: Equatable {
        var time: Int64
        var payload: [UInt8]
    }

    private(set) var contents: [Key: [Int: Content]] = [:]
    private(set) var timers: [TimerID: Timer] = [:]
    private var timerCounts: [Key: Int] = [:]

    /// How many keys hold something.
    var keyCount: Int {
        contents.count + timerCounts.keys.count { contents[$0] == nil }
    }

    /// All keys that hold something.
    var keys: Set<Key> { Set(contents.keys).union(timerCounts.keys) }

    subscript(key: Key, slot: Int) -> Content? {
        get { contents[key]?[slot] }
        set {
            contents[key, default: [:]][slot] = newValue
            if contents[key]?.isEmpty == true { contents[key] = nil }
        }
    }

    mutating func set(_ timer: TimerID, _ value: Timer) {
        if timers.updateValue(value, forKey: timer) == nil {
            timerCounts[timer.key, default: 0] += 1
        }
    }

    /// Changes everything as a migration does.
    mutating func migrate(
        _ content: (Int, Content) -> Content,
        _ timer: (TimerID, Timer) -> Timer
    ) {
        contents = contents.mapValues { slots in
            Dictionary(uniqueKeysWithValues: slots.map { ($0.key, content($0.key, $0.value)) })
        }
        timers = Dictionary(uniqueKeysWithValues: timers.map { ($0.key, timer($0.key, $0.value)) })
    }

    /// Removes a timer; false when it was not armed.
    mutating func remove(_ timer: TimerID) -> Bool {
        guard timers.removeValue(forKey: timer) != nil else { return false }
        let count = timerCounts[timer.key, default: 0] - 1
        timerCounts[timer.key] = count == 0 ? nil : count
        return true
    }
}

extension [UInt8] {
    /// The order of map keys: byte by byte, the shorter one first when one begins the other.
    static func isBefore(_ left: [UInt8], _ right: [UInt8]) -> Bool {
        let order = memcmp(left, right, Swift.min(left.count, right.count))
        return order == 0 ? left.count < right.count : order < 0
    }
}
