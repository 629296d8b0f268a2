import ApusCore
import ApusTestSupport
import Testing

@testable import ApusState

/// The queue's first timer is always the first in the order (time, name, id), whatever was armed,
/// moved and cancelled before.
@Suite("TimerQueue")
struct TimerQueueTests {
    struct Timer: Hashable {
        var row: Int
        var name: UInt32
        var id: UInt64

        /// A row that is never looked into: only its address counts.
        var address: TimerQueue.Row {
            get throws { try #require(UnsafeMutableRawPointer(bitPattern: row * 64)) }
        }
    }

    /// A queue and its model.
    final class Run {
        let queue = TimerQueue()
        var model: [Timer: Int64] = [:]

        deinit { queue.destroy() }

        func arm(_ timer: Timer, at time: Int64) throws {
            let address = try timer.address
            if let armed = queue.find(address, timer.name, timer.id) {
                try check(model[timer] == armed.pointee.time, "the time of \(timer)")
                queue.move(armed, to: time)
            } else {
                try check(model[timer] == nil, "\(timer) was lost")
                let entry = TimerQueue.Entry(
                    time: time,
                    id: timer.id,
                    row: address,
                    payload: nil,
                    payloadByteCount: 0,
                    name: timer.name,
                    heapIndex: 0,
                    next: -1
                )
                try check(queue.insert(entry), "there is room")
            }
            model[timer] = time
        }

        func cancel(_ timer: Timer) throws {
            let armed = queue.find(try timer.address, timer.name, timer.id)
            try check((armed != nil) == (model[timer] != nil), "find \(timer)")
            if let armed { queue.remove(armed) }
            model[timer] = nil
        }

        func isBefore(_ left: Timer, _ right: Timer) -> Bool {
            (model[left] ?? 0, left.name, left.id) < (model[right] ?? 0, right.name, right.id)
        }

        /// Takes the first timer away; nil when there is none.
        func takeFirst() throws -> Timer? {
            guard queue.count > 0 else { return nil }
            let first = queue.first.pointee
            try check(queue.nextTime == first.time, "nextTime")
            let timer = Timer(
                row: Int(bitPattern: first.row) / 64,
                name: first.name,
                id: first.id
            )
            try check(model[timer] == first.time, "\(timer) at \(first.time) is not armed")
            queue.remove(queue.first)
            return timer
        }

        func compare(_ context: String) throws {
            try check(queue.count == model.count, "\(context): \(queue.count) timers")
            try check(queue.nextTime == model.values.min() ?? .max, "\(context): nextTime")
            var seen = 0
            // swift-format-ignore: ReplaceForEachWithForLoop
            queue.forEach { _ in seen += 1 }
            try check(seen == model.count, "\(context): forEach")
            for timer in model.keys {
                let armed = queue.find(try timer.address, timer.name, timer.id)
                try check(armed?.pointee.time == model[timer], "\(context): \(timer)")
            }
        }
    }

    @Test("agrees with a sorted model", arguments: 1...8 as ClosedRange<UInt64>)
    func agreesWithASortedModel(seed: UInt64) throws {
        var generator = SplitMix64(seed: seed)
        let run = Run()
        let rowCount = [3, 50, 400, 4_000][Int(seed % 4)]
        let timeMax = seed % 2 == 0 ? 10 : 1_000_000
        for step in 0..<6_000 {
            let timer = Timer(
                row: generator.number(in: 1...rowCount),
                name: UInt32(generator.number(in: 0...2)),
                id: UInt64(generator.number(in: 0...3))
            )
            switch generator.number(in: 0...9) {
            case 0...5: try run.arm(timer, at: Int64(generator.number(in: -timeMax...timeMax)))
            case 6...7: try run.cancel(timer)
            default:
                if let first = try run.takeFirst() { run.model[first] = nil }
            }
            if step % 500 == 0 { try run.compare("seed \(seed), step \(step)") }
        }
        try Self.drain(run, "seed \(seed)")
    }

    /// Takes all timers, which must come in order.
    static func drain(_ run: Run, _ context: String) throws {
        try run.compare(context)
        var last: Timer?
        var count = 0
        while let timer = try run.takeFirst() {
            if let last {
                try check(!run.isBefore(timer, last), "\(context): \(timer) after \(last)")
            }
            last = timer
            count += 1
        }
        try check(count == run.model.count, "\(context): \(count) timers drained")
        try check(run.queue.nextTime == .max, "\(context): nextTime of an empty queue")
    }

    @Test("orders equal times by name, then by id")
    func ordersEqualTimes() throws {
        let run = Run()
        var generator = SplitMix64(seed: 4)
        let timers = (0..<4 as Range<UInt32>).flatMap { name in
            [0, 1, 2, .max - 1, .max].map { Timer(row: 1, name: name, id: $0) }
        }
        for timer in timers.shuffled(using: &generator) { try run.arm(timer, at: 7) }
        var found: [Timer] = []
        while let timer = try run.takeFirst() { found.append(timer) }
        #expect(found == timers)
    }

    @Test("takes times from the first to the last there are")
    func takesExtremeTimes() throws {
        let run = Run()
        let times: [Int64] = [.max, .min, 0, .max - 1, .min + 1, -1, 1]
        for (index, time) in times.enumerated() {
            try run.arm(Timer(row: index + 1, name: 0, id: 0), at: time)
        }
        var found: [Int64] = []
        while let timer = try run.takeFirst() { found.append(run.model[timer] ?? 0) }
        #expect(found == times.sorted())
    }

    @Test("keeps 20,000 timers through growth, moves and cancellation")
    func keepsManyTimers() throws {
        let run = Run()
        var generator = SplitMix64(seed: 5)
        for row in 1...20_000 {
            try run.arm(
                Timer(row: row, name: 0, id: 0),
                at: Int64(generator.number(in: 0...5_000))
            )
        }
        for row in stride(from: 1, through: 20_000, by: 3) {
            try run.arm(
                Timer(row: row, name: 0, id: 0),
                at: Int64(generator.number(in: 0...5_000))
            )
        }
        for row in stride(from: 2, through: 20_000, by: 3) {
            try run.cancel(Timer(row: row, name: 0, id: 0))
        }
        try Self.drain(run, "20,000 timers")
    }
}
