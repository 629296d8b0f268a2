import ApusCore
import ApusIO
import ApusTestSupport

@testable import ApusState

/// What a checkpoint has of a version's rows.
struct SavedRows {
    /// The number under which they are filed.
    var number: UInt16
    /// What they hold.
    var totals: StateTotals
    /// How many migrations lie between them and the newest version, of values and of timers.
    var age: Int
    var timerAge: Int
}

/// The same migration for every version: bytes are turned over, sums grow, timers come later.
///
/// One slot in three keeps its bytes.
final class TurnOver: RowMigration {
    /// How often it is done; less than 0 undoes it.
    let count: Int
    /// How often it is done to timers, which have no way back.
    let timerCount: Int
    private var bytes: [UInt8] = []
    private var place: UnsafeMutableRawBufferPointer?

    private let counters: Set<Int>

    init(count: Int, timerCount: Int, _ slots: [SlotDescription]) {
        self.count = count
        self.timerCount = timerCount
        counters = Set(slots.indices.filter { slots[$0].kind == .counter })
    }

    deinit { place?.deallocate() }

    static func keeps(_ slot: Int) -> Bool { slot % 3 == 2 }
    static func turn(_ bytes: [UInt8]) -> [UInt8] { bytes.map { $0 ^ 0x5a } }
    static let growth: Int64 = 1_000
    static let delay: Int64 = 7

    func target(ofSlot slot: Int) -> Int? { slot }
    func keepsBytes(ofSlot slot: Int) -> Bool { Self.keeps(slot) }
    func target(ofTimer name: Int) -> Int? { name }
    func keepsTimers(of name: Int) -> Bool { name == 1 }

    private func give(_ bytes: [UInt8]) -> MigrationOutcome {
        place?.deallocate()
        let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
        copy.copyBytes(from: bytes)
        place = copy
        return .bytes(UnsafeRawBufferPointer(copy))
    }

    func migrate(slot: Int, _ value: MigratedValue) -> MigrationOutcome {
        if counters.contains(slot) {
            let sum = value.bytes.loadUnaligned(as: Int64.self) &+ Int64(count) * Self.growth
            return give(withUnsafeBytes(of: sum) { Array($0) })
        }
        var bytes = Array(value.bytes)
        for _ in 0..<abs(count) { bytes = Self.turn(bytes) }
        return give(bytes)
    }

    func migrateTimer(
        _ name: Int,
        key: UnsafeRawBufferPointer,
        _ plan: inout TimerPlan,
        payload: UnsafeRawBufferPointer
    ) -> MigrationOutcome {
        plan.timeMicroseconds += Int64(timerCount) * Self.delay
        var bytes = Array(payload)
        for _ in 0..<timerCount { bytes = Self.turn(bytes) }
        return give(bytes)
    }
}

// Random swaps between the callbacks.
extension StateRun {
    func workOnSwaps() throws {
        if generator.isOnce(in: 3) {
            state.sweepOrigins(untilNanoseconds: 0, clock: LinuxClock())
        }
        if generator.isOnce(in: 5) {
            let clock = LinuxClock()
            state.sweepOrigins(
                untilNanoseconds: clock.monotonicNanoseconds() + 20_000,
                clock: clock
            )
        }
        if goesBack, replaced != nil, generator.isOnce(in: 6) { return goBack() }
        if generator.isOnce(in: 25) { try swap() }
    }

    private func swap() throws {
        let old = state
        old.forgetTakingOver()
        replaced = old
        let timerCount = goesBack ? 0 : 1
        adoptedCount += old.adoptedCount
        swapCount += 1
        let next = KeyedState(
            slots: slots,
            timers: timerDomains,
            groups: KeyGroups(count: groupCount),
            tier: durable?.tier(
                groupCount: groupCount,
                isRestored: false,
                StateTotals(),
                operatorNumber: 7 + UInt16(swapCount)
            )
        )
        prepareSpill(next)
        let earlier = old.originMigrations.compactMap { $0 as? TurnOver }
        next.takeOver(
            old,
            TurnOver(count: 1, timerCount: timerCount, slots),
            earlier: earlier.map {
                TurnOver(count: $0.count + 1, timerCount: $0.timerCount + timerCount, slots)
            }
        )
        harness.replaceState(next)
        migrateModel(growth: TurnOver.growth, turnsTimers: timerCount == 1)
    }

    /// The version before comes back, and what the newer one has written with it.
    private func goBack() {
        guard let old = replaced else { return }
        replaced = nil
        adoptedCount += state.adoptedCount
        backCount += 1
        old.takeBack(state, TurnOver(count: -1, timerCount: 0, slots))
        harness.replaceState(old)
        migrateModel(growth: -TurnOver.growth, turnsTimers: false)
    }

    private func migrateModel(growth: Int64, turnsTimers: Bool) {
        model.migrate { slot, content in
            guard !TurnOver.keeps(slot) else { return content }
            switch content {
            case .bytes(let bytes): return .bytes(TurnOver.turn(bytes))
            case .sum(let sum): return .sum(sum &+ growth)
            case .list(let items): return .list(items.map(TurnOver.turn))
            case .map(let entries): return .map(entries.mapValues(TurnOver.turn))
            }
        } _: { id, timer in
            guard turnsTimers, id.name != 1 else { return timer }
            return StateModel.Timer(
                time: timer.time + TurnOver.delay,
                payload: TurnOver.turn(timer.payload)
            )
        }
    }

    /// What a checkpoint will have, version by version.
    func savedRows() -> [SavedRows] {
        var rows = [
            SavedRows(number: state.operatorNumber, totals: state.totals, age: 0, timerAge: 0)
        ]
        for origin in state.origins {
            let migration = origin.migration as? TurnOver
            rows.append(
                SavedRows(
                    number: origin.state.operatorNumber,
                    totals: origin.state.totals,
                    age: migration?.count ?? 0,
                    timerAge: migration?.timerCount ?? 0
                )
            )
        }
        return rows
    }

    /// Another state over what the database holds, as after a restart.
    func makeState(_ rows: [SavedRows]) -> KeyedState? {
        guard let durable else { return nil }
        replaced = nil
        let states = rows.map { rows in
            let state = KeyedState(
                slots: slots,
                timers: timerDomains,
                groups: KeyGroups(count: groupCount),
                tier: durable.tier(
                    groupCount: groupCount,
                    isRestored: true,
                    rows.totals,
                    operatorNumber: rows.number
                )
            )
            prepareSpill(state)
            return state
        }
        for (state, rows) in zip(states, rows).dropFirst() {
            let migration = TurnOver(count: rows.age, timerCount: rows.timerAge, slots)
            states[0].addOrigin(state, migration)
        }
        return states[0]
    }
}
