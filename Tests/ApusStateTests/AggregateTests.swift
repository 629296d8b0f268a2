import ApusCore
import ApusIO
import ApusStore
import CApusPlugin
import Testing

@testable import ApusState

/// Goal: aggregates give what their definition says, also while their rows leave memory and after
/// restarts.
///
/// Method: the inline functions of the C header against folds over the kept numbers, in wider
/// arithmetic, on two-tier state with a budget of nearly nothing.
@Suite("Aggregates")
struct AggregateTests {
    private enum Slot: UInt32, CaseIterable {
        case count, integerSum, doubleSum, integerLeast, integerMost, doubleLeast, doubleMost
        case integerMean, doubleMean

        var byteCount: Int {
            switch self {
            case .count: MemoryLayout<apus_count>.size
            case .integerMean, .doubleMean: 24
            default: 16
            }
        }
    }

    private static let slots = Slot.allCases.map {
        SlotDescription(name: "\($0)", kind: .fixedValue(byteCount: $0.byteCount))
    }

    /// The numbers of one key.
    private struct Numbers {
        var integers: [Int64] = []
        var doubles: [Double] = []
    }

    private final class World {
        let durable: DurableWorld
        let harness: StateHarness
        let table: UnsafeMutablePointer<apus_state_api>

        init() throws {
            durable = try DurableWorld(budgetByteCount: 4 << 10)
            harness = StateHarness(
                slots: AggregateTests.slots,
                timers: [],
                groupCount: 8,
                tier: durable.tier(groupCount: 8, isRestored: false, StateTotals())
            )
            table = .allocate(capacity: 1)
            table.initialize(to: harness.functions)
            harness.context.pointee.state = UnsafePointer(table)
        }

        deinit { table.deallocate() }

        func restart() throws {
            let state = harness.state
            let number = durable.nextCheckpoint()
            state.beginSnapshot(number)
            while state.isSnapshotting {
                state.continueSnapshot(untilNanoseconds: .max, clock: LinuxClock())
            }
            try durable.writer.takeCheckpoint(number, to: durable.directory(number))
            durable.writer.releaseCheckpoint(number)
            try durable.restore(durable.directory(number))
            harness.replaceState(
                KeyedState(
                    slots: AggregateTests.slots,
                    timers: [],
                    groups: KeyGroups(count: 8),
                    tier: durable.tier(groupCount: 8, isRestored: true, state.totals)
                )
            )
        }

        func accumulator<Value: BitwiseCopyable>(
            _ slot: Slot,
            _ record: UInt32,
            as: Value.Type
        ) throws
            -> UnsafeMutablePointer<Value>
        {
            var found: UnsafeMutableRawPointer?
            let code = apus_accumulator(harness.context, slot.rawValue, record, &found)
            #expect(code == APUS_OK)
            return try #require(found).assumingMemoryBound(to: Value.self)
        }

        func copy<Value: BitwiseCopyable>(_ slot: Slot, _ record: UInt32, _ empty: Value) -> Value {
            var value = empty
            let code = apus_accumulator_get(
                harness.context,
                slot.rawValue,
                record,
                &value,
                UInt64(MemoryLayout<Value>.size)
            )
            #expect(code == APUS_OK)
            return value
        }

        func fold(_ integer: Int64, _ double: Double, _ record: UInt32) throws {
            apus_count_fold(try accumulator(.count, record, as: apus_count.self))
            apus_sum_i64_fold(try accumulator(.integerSum, record, as: apus_sum_i64.self), integer)
            apus_sum_f64_fold(try accumulator(.doubleSum, record, as: apus_sum_f64.self), double)
            apus_minimum_i64_fold(
                try accumulator(.integerLeast, record, as: apus_extreme_i64.self),
                integer
            )
            apus_maximum_i64_fold(
                try accumulator(.integerMost, record, as: apus_extreme_i64.self),
                integer
            )
            apus_minimum_f64_fold(
                try accumulator(.doubleLeast, record, as: apus_extreme_f64.self),
                double
            )
            apus_maximum_f64_fold(
                try accumulator(.doubleMost, record, as: apus_extreme_f64.self),
                double
            )
            apus_average_i64_fold(
                try accumulator(.integerMean, record, as: apus_average_i64.self),
                integer
            )
            apus_average_f64_fold(
                try accumulator(.doubleMean, record, as: apus_average_f64.self),
                double
            )
        }
    }

    @Test("folds are right over eviction and restart", arguments: [1, 2, 3] as [UInt64])
    func foldsAreRight(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let world = try World()
        var numbers: [[UInt8]: Numbers] = [:]
        let keys = (0..<400).map { Array("key-\($0)".utf8) }
        var leastRowCount = Int.max
        for round in 0..<60 {
            let batch = (0..<64).map { _ in keys[Int.random(in: 0..<400, using: &random)] }
            world.harness.begin(batch)
            for (record, key) in batch.enumerated() {
                // Halves of the whole range, so that sums leave 64 bits and come back.
                let integer = Int64.random(in: .min ... .max, using: &random)
                let exponent = Double(Int.random(in: -30...30, using: &random))
                let double =
                    Double.random(in: -1...1, using: &random)
                    * Double(
                        sign: .plus,
                        exponent: Int(exponent),
                        significand: 1
                    )
                try world.fold(integer, double, UInt32(record))
                numbers[key, default: Numbers()].integers.append(integer)
                numbers[key, default: Numbers()].doubles.append(double)
            }
            world.harness.end()
            world.harness.state.maintain(untilNanoseconds: .max, clock: LinuxClock())
            leastRowCount = min(leastRowCount, world.harness.state.table.rowCount)
            if round % 20 == 19 { try world.restart() }
            if let failure = world.harness.state.failure {
                Issue.record("seed \(seed): \(failure.description)")
                return
            }
        }
        #expect(leastRowCount < 100, "rows left memory, or this proves little")
        for (key, expected) in numbers {
            world.harness.begin([key])
            compare(world, expected, "seed \(seed), \(String(decoding: key, as: UTF8.self))")
            world.harness.end()
        }
    }

    private func compare(_ world: World, _ numbers: Numbers, _ context: Comment) {
        let count = UInt64(numbers.integers.count)
        #expect(world.copy(.count, 0, apus_count()).count == count, context)
        // Wider arithmetic: exact for integers, and 11 more bits for doubles.
        let wide = numbers.integers.reduce(Int128(0)) { $0 + Int128($1) }
        var sum = world.copy(.integerSum, 0, apus_sum_i64())
        var integer: Int64 = 0
        let code = apus_sum_i64_result(&sum, &integer)
        #expect(code == (Int64(exactly: wide) == nil ? APUS_LIMIT : APUS_OK), context)
        #expect(integer == Int64(clamping: wide), context)
        var least = world.copy(.integerLeast, 0, apus_extreme_i64())
        #expect(apus_extreme_i64_result(&least, &integer) == APUS_OK)
        #expect(integer == numbers.integers.min(), context)
        var most = world.copy(.integerMost, 0, apus_extreme_i64())
        #expect(apus_extreme_i64_result(&most, &integer) == APUS_OK)
        #expect(integer == numbers.integers.max(), context)
        compareDoubles(world, numbers, wide, context)
    }

    private func compareDoubles(
        _ world: World,
        _ numbers: Numbers,
        _ wide: Int128,
        _ context: Comment
    ) {
        var result = 0.0
        var mean = world.copy(.integerMean, 0, apus_average_i64())
        #expect(apus_average_i64_result(&mean, &result) == APUS_OK)
        #expect(isNear(result, Float80(wide) / Float80(numbers.integers.count)), context)
        let exact = numbers.doubles.reduce(Float80(0)) { $0 + Float80($1) }
        var total = world.copy(.doubleSum, 0, apus_sum_f64())
        #expect(apus_sum_f64_result(&total, &result) == APUS_OK)
        let scale = numbers.doubles.map { abs($0) }.max() ?? 0
        #expect(abs(Float80(result) - exact) <= Float80(max(scale, abs(result)).ulp), context)
        var average = world.copy(.doubleMean, 0, apus_average_f64())
        #expect(apus_average_f64_result(&average, &result) == APUS_OK)
        let meanError = abs(Float80(result) - exact / Float80(numbers.doubles.count))
        #expect(meanError <= Float80(scale.ulp), context)
        var least = world.copy(.doubleLeast, 0, apus_extreme_f64())
        #expect(apus_extreme_f64_result(&least, &result) == APUS_OK)
        #expect(result == numbers.doubles.min(), context)
        var most = world.copy(.doubleMost, 0, apus_extreme_f64())
        #expect(apus_extreme_f64_result(&most, &result) == APUS_OK)
        #expect(result == numbers.doubles.max(), context)
    }

    private func isNear(_ result: Double, _ exact: Float80) -> Bool {
        abs(Float80(result) - exact) <= Float80(max(result.ulp, 1e-300)) * 2
    }

    @Test("what cancels out is not lost, and what is infinite or no number stays so")
    func edgesOfDoubles() {
        func sum(_ numbers: [Double]) -> Double {
            var (sum, result) = (apus_sum_f64(), 0.0)
            for number in numbers { apus_sum_f64_fold(&sum, number) }
            _ = apus_sum_f64_result(&sum, &result)
            return result
        }
        #expect(sum([1, 1e100, 1, -1e100]) == 2)
        #expect(sum(Array(repeating: 0.1, count: 10_000_000 / 100)) == 10_000)
        #expect(sum([.infinity, 5]) == .infinity)
        #expect(sum([.infinity, -.infinity]).isNaN)
        #expect(sum([1, .nan, 1]).isNaN)
        #expect(sum([1e308, 1e308, -1e308]) == .infinity)
        #expect(sum([]) == 0)
        func extremes(_ numbers: [Double]) -> (least: Double, most: Double) {
            var (least, most) = (apus_extreme_f64(), apus_extreme_f64())
            for number in numbers {
                apus_minimum_f64_fold(&least, number)
                apus_maximum_f64_fold(&most, number)
            }
            return (least.value, most.value)
        }
        for numbers in [[0.0, -0.0], [-0.0, 0.0]] {
            let found = extremes(numbers)
            #expect(found.least.sign == .minus && found.most.sign == .plus)
        }
        for numbers in [[.nan, 1.0, 2.0], [1.0, .nan, 2.0], [1.0, 2.0, .nan]] {
            #expect(extremes(numbers).least.isNaN && extremes(numbers).most.isNaN)
        }
        #expect(extremes([5, .infinity, -.infinity]).least == -.infinity)
        #expect(extremes([5, .infinity, -.infinity]).most == .infinity)
    }

    @Test("sums of integers leave 64 bits and come back; averages do not overflow")
    func edgesOfIntegers() {
        var (sum, average) = (apus_sum_i64(), apus_average_i64())
        var (result, mean): (Int64, Double) = (0, 1)
        #expect(apus_average_i64_result(&average, &mean) == APUS_NOT_FOUND)
        #expect(mean == 0)
        for _ in 0..<3 { apus_sum_i64_fold(&sum, .max) }
        #expect(apus_sum_i64_result(&sum, &result) == APUS_LIMIT)
        #expect(result == .max)
        for _ in 0..<2 { apus_sum_i64_fold(&sum, -.max) }
        #expect(apus_sum_i64_result(&sum, &result) == APUS_OK)
        #expect(result == .max)
        for _ in 0..<2 { apus_sum_i64_fold(&sum, .min) }
        // max + 2 min is one below the least number.
        #expect(apus_sum_i64_result(&sum, &result) == APUS_LIMIT)
        #expect(result == .min)
        for _ in 0..<4 { apus_average_i64_fold(&average, .max) }
        #expect(apus_average_i64_result(&average, &mean) == APUS_OK)
        #expect(mean == Double(Int64.max))
        var none = apus_extreme_i64()
        #expect(apus_extreme_i64_result(&none, &result) == APUS_NOT_FOUND)
    }
}
