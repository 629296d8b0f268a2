import ApusTestSupport
import CApusPlugin

@testable import ApusState

// Random timers: set, replaced, cancelled, and fired in their order.
extension StateRun {
    /// What timers are ordered by; equal for timers of several keys now and then.
    private struct Rank: Comparable {
        let time: Int64
        let name: UInt32
        let id: UInt64

        static func < (left: Rank, right: Rank) -> Bool {
            if left.time != right.time { return left.time < right.time }
            return left.name == right.name ? left.id < right.id : left.name < right.name
        }
    }

    func setTimer() throws {
        let record = randomRecord()
        let name = UInt32(generator.number(in: 0...timerDomains.count - 1))
        let id = UInt64(generator.number(in: 0...3)) &* 0x4000_0000_0000_0001
        let time = now + Int64(generator.number(in: -5...40))
        let payload = generator.isOnce(in: 3) ? [] : randomBytes()
        let code = harness.timerFunctions.set(
            context,
            name,
            id,
            record,
            time,
            payload.isEmpty ? nil : payload,
            UInt64(payload.count)
        )
        guard let key = harness.keys[Int(record)] else {
            return try requireCode(code, APUS_UNSUPPORTED, "timer set")
        }
        try requireCode(code, APUS_OK, "timer set")
        model.set(
            StateModel.TimerID(key: key, name: name, id: id),
            StateModel.Timer(time: time, payload: payload)
        )
    }

    func cancelTimer() throws {
        let record = randomRecord()
        guard let key = harness.keys[Int(record)] else {
            let code = harness.timerFunctions.cancel(context, 0, 0, record)
            return try requireCode(code, APUS_UNSUPPORTED, "timer cancel")
        }
        var timer = StateModel.TimerID(key: key, name: 0, id: 0)
        if let armed = model.timers.keys.first(where: { $0.key == key }) { timer = armed }
        let code = harness.timerFunctions.cancel(context, timer.name, timer.id, record)
        let wasArmed = model.remove(timer)
        try requireCode(code, wasArmed ? APUS_OK : APUS_NOT_FOUND, "timer cancel")
    }

    /// Fires what is due in one domain, with random operations in the callbacks, yields included.
    func fireTimers() throws {
        now += Int64(generator.number(in: 0...15))
        let domain: KeyedState.TimerDomain = generator.isOnce(in: 3) ? .processing : .event
        // Callbacks set timers that are due at once, so this could go on for long.
        var roundCount = 0
        while roundCount < 30, state.takeDue(domain, upTo: now, into: harness.timers) {
            roundCount += 1
            try checkDue(domain)
            try runTimerCallbacks()
            if durable != nil { restBetweenTimers() }
            try require(
                state.keyCount == model.keyCount,
                "\(state.keyCount) keys after timers, not \(model.keyCount)"
            )
        }
        guard roundCount < 30 else { return }
        try require(due(domain).isEmpty, "timers that are due were not taken")
    }

    /// What a stage that fires many timers does now and then.
    private func restBetweenTimers() {
        if generator.isOnce(in: 3) { continueSnapshot() }
        if generator.isOnce(in: 2) { maintain() }
    }

    private func runTimerCallbacks() throws {
        let count = harness.timers.count
        var at = 0
        while at < count {
            harness.beginTimers()
            for _ in 0..<generator.number(in: 0...8) { try operate() }
            harness.end()
            at = generator.isOnce(in: 2) ? count : at + generator.number(in: 0...count - at)
        }
    }

    private func due(_ domain: KeyedState.TimerDomain) -> [(rank: Rank, id: StateModel.TimerID)] {
        var due: [(rank: Rank, id: StateModel.TimerID)] = []
        for (id, timer) in model.timers where timer.time <= now {
            guard timerDomains[Int(id.name)] == domain else { continue }
            due.append((Rank(time: timer.time, name: id.name, id: id.id), id))
        }
        return due.sorted { $0.rank < $1.rank }
    }

    /// The batch has the first timers that are due, in order, up to a key's second one.
    private func checkDue(_ domain: KeyedState.TimerDomain) throws {
        let timers = harness.timers
        let expected = due(domain)
        let found = timers.records.records
        try require(found.count <= expected.count, "\(found.count) timers fired")
        var keys: Set<[UInt8]> = []
        for (index, record) in found.enumerated() {
            guard let key = record.key else { return try require(false, "a timer without key") }
            let rank = Rank(time: record.time, name: timers.names[index], id: timers.ids[index])
            try require(rank == expected[index].rank, "timer \(index) is \(rank)")
            let id = StateModel.TimerID(key: key, name: rank.name, id: rank.id)
            let isRight =
                model.timers[id] == StateModel.Timer(time: rank.time, payload: record.value)
            try require(isRight, "timer \(index) is not armed, or has another payload")
            try require(keys.insert(key).inserted, "a key's second timer in one batch")
            try require(model.remove(id), "it was armed")
        }
        guard found.count < expected.count, found.count < timers.capacity else { return }
        let next = expected[found.count].rank
        let isHeldBack = expected.contains {
            $0.rank == next && keys.contains($0.id.key) && model.timers[$0.id] != nil
        }
        try require(isHeldBack, "the batch ends without need")
    }
}
