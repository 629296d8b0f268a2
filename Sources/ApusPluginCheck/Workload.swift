import ApusCore
import CApusPlugin

/// Generated input for an operator: records, and how time goes on between them.
struct Workload: Sendable {
    /// What happens, one after the other.
    enum Step: Sendable {
        /// Records of one input; they may come in any number of batches.
        case records(input: Int, [InputRecord])
        /// Records of a broadcast input.
        case broadcast(input: Int, [InputRecord])
        /// Event time has reached this.
        case watermark(Int64)
        /// The clock on the wall shows this.
        case clock(Int64)
    }

    /// How values are made.
    enum Values: Sendable {
        /// Of all sorts, real ones among them when there is a sample.
        case mixed
        /// Random bytes alone.
        case random
    }

    /// What the input is to be like.
    struct Shape: Sendable {
        var recordCount = 300
        var keyCount = 12
        var values = Values.mixed
        /// Records between one watermark and the next.
        var recordsPerWatermark = 40
        /// Whether there are records without event time.
        var hasTimeless = false
    }

    /// When the story begins: in 2023.
    static let start: Int64 = 1_700_000_000_000_000

    var steps: [Step] = []

    /// All records of the main inputs.
    var records: [InputRecord] {
        steps.flatMap { step -> [InputRecord] in
            guard case .records(_, let records) = step else { return [] }
            return records
        }
    }

    /// The keys of all records.
    var keys: [[UInt8]] {
        Set(records.compactMap(\.key)).sorted { $0.lexicographicallyPrecedes($1) }
    }

    /// Makes input for a component.
    init(_ bench: CheckBench, _ random: inout SplitMix64, _ shape: Shape = Shape()) {
        var time = Self.start
        var clock = Self.start
        var newest = time
        var left = shape.recordCount
        let component = bench.component
        while left > 0 {
            let count = min(left, random.integer(in: 1...shape.recordsPerWatermark))
            left -= count
            let records = (0..<count).map { _ in
                time += random.time(in: 0...2_000_000)
                // Late by at most 5 s: never behind the watermark.
                let late = random.time(in: 0...5_000_000)
                newest = max(newest, time)
                let isTimeless = shape.hasTimeless && random.integer(in: 0...19) == 0
                return InputRecord(
                    key: Self.key(component, shape.keyCount, &random),
                    value: Self.value(bench, shape.values, &random),
                    time: isTimeless ? .min : max(Self.start, time - late)
                )
            }
            let input = random.integer(in: 0...max(1, component.inputCount) - 1)
            steps.append(.records(input: input, records))
            if component.broadcastInputCount > 0, random.integer(in: 0...2) == 0 {
                addBroadcast(bench, shape, &random, time)
            }
            if random.integer(in: 0...3) == 0 {
                clock += random.time(in: 0...120_000_000)
                steps.append(.clock(clock))
            }
            steps.append(.watermark(newest - 5_000_001))
        }
        steps.append(.clock(clock + 86_400_000_000))
        steps.append(.watermark(newest + 3_600_000_000))
    }

    private mutating func addBroadcast(
        _ bench: CheckBench,
        _ shape: Shape,
        _ random: inout SplitMix64,
        _ time: Int64
    ) {
        let records = (0..<3).map { _ in
            InputRecord(
                key: Self.key(bench.component, shape.keyCount, &random),
                value: Self.value(bench, shape.values, &random),
                time: time
            )
        }
        let count = bench.component.broadcastInputCount
        steps.append(.broadcast(input: random.integer(in: 0...count - 1), records))
    }

    // MARK: - Keys and values

    private static func key(
        _ component: ComponentSummary,
        _ keyCount: Int,
        _ random: inout SplitMix64
    ) -> [UInt8]? {
        if !component.isKeyed || component.acceptsNullKey,
            random.integer(in: 0...9) == 0
        {
            return nil
        }
        let number = random.integer(in: 0...keyCount - 1)
        // Some fit into a view, some do not.
        return Array((number % 3 == 0 ? "a-key-longer-than-a-view-\(number)" : "k\(number)").utf8)
    }

    static func value(
        _ bench: CheckBench,
        _ values: Values,
        _ random: inout SplitMix64
    ) -> [UInt8] {
        if values == .random { return bytes(random.integer(in: 0...200), &random) }
        if !bench.sample.isEmpty, random.integer(in: 0...9) < 8 {
            return sampled(bench.sample, &random)
        }
        switch random.integer(in: 0...5) {
        case 0: return Array("\(random.integer(in: -100...100))".utf8)
        case 1: return Array("word:\(random.integer(in: 0...100))".utf8)
        case 2: return object(&random)
        case 3: return bytes(16, &random)
        case 4: return bytes(random.integer(in: 0...40), &random)
        default:
            let time = start + random.time(in: 0...100_000_000)
            // SAFETY: the bytes of two numbers are copied while they are there.
            return withUnsafeBytes(of: random.word(in: 0...3), Array.init)
                + withUnsafeBytes(of: time, Array.init)
        }
    }

    /// A line of the sample, sometimes with a digit changed.
    private static func sampled(_ lines: [[UInt8]], _ random: inout SplitMix64) -> [UInt8] {
        var line = lines[random.integer(in: 0...lines.count - 1)]
        guard random.integer(in: 0...3) == 0 else { return line }
        let digits = line.indices.filter { (48...57).contains(line[$0]) }
        if !digits.isEmpty {
            let at = digits[random.integer(in: 0...digits.count - 1)]
            line[at] = random.byte(in: 48...57)
        }
        return line
    }

    private static func object(_ random: inout SplitMix64) -> [UInt8] {
        let number = random.integer(in: -5...1_000)
        let name = "key-\(random.integer(in: 0...9 - 1))"
        let text = """
            {"id":"\(name)","key":"\(name)","amount":\(number),"price":\(number).5,\
            "text":"some words","flag":\(number % 2 == 0),"list":[1,2,3],"none":null,\
            "ts":\(start / 1_000_000 + Int64(number))}
            """
        return Array(text.utf8)
    }

    static func bytes(_ count: Int, _ random: inout SplitMix64) -> [UInt8] {
        (0..<count).map { _ in random.byte(in: 0...255) }
    }
}

/// What input has to know of a component.
struct ComponentSummary: Sendable {
    var isKeyed: Bool
    var acceptsNullKey: Bool
    var inputCount: Int
    var broadcastInputCount: Int
}
