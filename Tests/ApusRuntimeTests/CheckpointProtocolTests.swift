import ApusCore
import Testing

@testable import ApusRuntime

/// Goal: whatever happens in whatever order, one attempt at a time, every one ended once, nothing
/// released before its checkpoint is complete, and an end is always reached.
///
/// Method: a random world that answers effects late, wrongly, or not at all, and a list of what
/// must
/// hold after each step.
@Suite("Checkpoint protocol")
struct CheckpointProtocolTests {
    static let second: Int64 = 1_000_000_000
    static let policy = CheckpointProtocol.Policy(
        interval: 10 * second,
        minPause: second,
        timeout: 5 * second,
        tolerableFailureCount: nil,
        deliveryPatience: 30 * second
    )
    static let subtasks = (0..<3).map { SubtaskID(nodeIndex: $0, node: "n\($0)", subtask: 0) }

    static func make(
        _ policy: CheckpointProtocol.Policy = policy,
        threadCount: Int = 2,
        lastComplete: UInt64? = nil
    ) -> CheckpointProtocol {
        CheckpointProtocol(
            policy: policy,
            subtasks: subtasks,
            threadCount: threadCount,
            nextNumber: 7,
            lastComplete: lastComplete,
            now: 0
        )
    }

    /// Brings an attempt up to its commit.
    static func collect(_ machine: inout CheckpointProtocol, _ number: UInt64, now: Int64) {
        _ = machine.step(.begun(number), now: now)
        for subtask in subtasks.dropLast() {
            #expect(machine.step(.reported(number, subtask), now: now).isEmpty)
        }
        #expect(machine.step(.reported(number, subtasks[2]), now: now) == [.commit(number)])
    }

    @Test("an attempt goes from its interval to its delivery")
    func anAttemptGoesFromItsIntervalToItsDelivery() {
        var machine = Self.make()
        #expect(machine.nextTickAt == 10 * Self.second)
        #expect(machine.step(.tick, now: 10 * Self.second - 1).isEmpty)
        #expect(machine.step(.tick, now: 10 * Self.second) == [.begin(7)])
        #expect(machine.step(.tick, now: 100 * Self.second).isEmpty, "the folder is being made")
        let effects = machine.step(.begun(7), now: 11 * Self.second)
        #expect(effects == [.inject(7, isLast: false)])
        Self.collect(&machine, 7, now: 12 * Self.second)
        let committed = machine.step(.committed(7, isFinal: false), now: 13 * Self.second)
        #expect(committed == [.deliver, .collectGarbage])
        #expect(machine.step(.delivered, now: 13 * Self.second).isEmpty)
        #expect(machine.nextTickAt == 20 * Self.second)
        #expect(machine.step(.tick, now: 20 * Self.second) == [.begin(8)])
    }

    @Test("the least pause holds after a long attempt")
    func theLeastPauseHoldsAfterALongAttempt() {
        var machine = Self.make()
        _ = machine.step(.tick, now: 10 * Self.second)
        Self.collect(&machine, 7, now: 12 * Self.second)
        _ = machine.step(.committed(7, isFinal: false), now: 40 * Self.second)
        #expect(machine.nextTickAt == 41 * Self.second)
    }

    @Test("an attempt that takes too long is abandoned and names who is missing")
    func anAttemptThatTakesTooLongIsAbandoned() {
        var machine = Self.make()
        _ = machine.step(.tick, now: 10 * Self.second)
        _ = machine.step(.begun(7), now: 10 * Self.second)
        _ = machine.step(.reported(7, Self.subtasks[1]), now: 11 * Self.second)
        #expect(machine.nextTickAt == 15 * Self.second)
        let reason = "timed out: no word from 'n0' subtask 0, 'n2' subtask 0"
        #expect(
            machine.step(.tick, now: 15 * Self.second) == [
                .abandon(7, reason), .warn("checkpoint 7 is abandoned: \(reason)"),
            ]
        )
        #expect(machine.step(.reported(7, Self.subtasks[0]), now: 16 * Self.second).isEmpty)
        #expect(machine.step(.tick, now: 20 * Self.second) == [.begin(8)])
    }

    @Test("more failures in a row than may be make the job fail", arguments: [0, 1, 3])
    func moreFailuresThanMayBeMakeTheJobFail(tolerable: Int) {
        var policy = Self.policy
        policy.tolerableFailureCount = tolerable
        var machine = Self.make(policy, lastComplete: 6)
        var now: Int64 = 0
        for count in 0...tolerable {
            now = machine.nextTickAt
            let number = 7 + UInt64(count)
            #expect(machine.step(.tick, now: now) == [.begin(number)])
            let effects = machine.step(.failed(number, "no space left"), now: now)
            if count < tolerable {
                #expect(effects.count == 2)
                #expect(!machine.isOver)
            } else {
                let what = tolerable == 0 ? "a checkpoint" : "\(tolerable + 1) checkpoints in a row"
                let text =
                    "\(what) failed: no space left; checkpoint 6 is complete, the job continues "
                    + "from it"
                #expect(effects == [.abandon(number, "no space left"), .fail(text)])
                #expect(machine.isOver)
            }
        }
    }

    @Test("a stop takes a last checkpoint at once, behind the one in hand")
    func aStopTakesALastCheckpoint() {
        var machine = Self.make()
        #expect(machine.step(.stopRequested, now: 1) == [.begin(7)])
        #expect(machine.step(.begun(7), now: 2) == [.inject(7, isLast: true)])

        machine = Self.make()
        _ = machine.step(.tick, now: 10 * Self.second)
        _ = machine.step(.begun(7), now: 10 * Self.second)
        #expect(machine.step(.stopRequested, now: 11 * Self.second).isEmpty)
        for subtask in Self.subtasks {
            _ = machine.step(.reported(7, subtask), now: 11 * Self.second)
        }
        let now = 12 * Self.second
        _ = machine.step(.committed(7, isFinal: false), now: now)
        _ = machine.step(.delivered, now: now)
        #expect(machine.nextTickAt == now)
        #expect(machine.step(.tick, now: now) == [.begin(8)])
        #expect(machine.step(.begun(8), now: now) == [.inject(8, isLast: true)])
        for subtask in Self.subtasks { _ = machine.step(.reported(8, subtask), now: now) }
        _ = machine.step(.committed(8, isFinal: false), now: now)
        #expect(machine.step(.delivered, now: now) == [.release])
        #expect(machine.isOver)
    }

    @Test("a last checkpoint that fails behind its barrier makes the job fail")
    func aLastCheckpointThatFailsMakesTheJobFail() {
        var machine = Self.make(lastComplete: 6)
        _ = machine.step(.stopRequested, now: 1)
        _ = machine.step(.begun(7), now: 1)
        let effects = machine.step(.declined(7, "no space left"), now: 2)
        let text =
            "the last checkpoint failed: no space left; checkpoint 6 is complete, the job "
            + "continues from it"
        #expect(effects == [.abandon(7, "no space left"), .fail(text)])
    }

    @Test("the end of the input needs a checkpoint of the end, once")
    func theEndOfTheInputNeedsACheckpoint() {
        var machine = Self.make()
        #expect(machine.step(.threadEnded, now: 1).isEmpty)
        #expect(machine.step(.threadEnded, now: 1) == [.begin(7)])
        Self.collect(&machine, 7, now: 2)
        _ = machine.step(.committed(7, isFinal: true), now: 3)
        #expect(machine.step(.delivered, now: 3) == [.release])

        // One that had all ends in it before the threads had noticed will do.
        machine = Self.make()
        _ = machine.step(.tick, now: 10 * Self.second)
        Self.collect(&machine, 7, now: 10 * Self.second)
        _ = machine.step(.committed(7, isFinal: true), now: 11 * Self.second)
        _ = machine.step(.delivered, now: 11 * Self.second)
        #expect(machine.nextTickAt == .max)
        #expect(machine.step(.tick, now: 100 * Self.second).isEmpty)
        _ = machine.step(.threadEnded, now: 100 * Self.second)
        #expect(machine.step(.threadEnded, now: 100 * Self.second) == [.release])
    }

    @Test("output that cannot be delivered is tried again, at the end for a while")
    func outputThatCannotBeDeliveredIsTriedAgain() {
        var machine = Self.make()
        _ = machine.step(.stopRequested, now: 0)
        Self.collect(&machine, 7, now: 0)
        _ = machine.step(.committed(7, isFinal: false), now: 0)
        let full = CheckpointProtocol.Event.notDelivered("disk full", isRetryable: true)
        #expect(machine.step(full, now: 0).count == 1, "a warning")
        var pauses: [Int64] = []
        var now: Int64 = 0
        while !machine.isOver, pauses.count < 100 {
            pauses.append(machine.nextTickAt - now)
            now = machine.nextTickAt
            #expect(machine.step(.tick, now: now) == [.deliver])
            let effects = machine.step(full, now: now)
            if machine.isOver {
                #expect(now >= 30 * Self.second)
                guard case .fail(let text) = effects.first else {
                    Issue.record("\(effects)")
                    return
                }
                #expect(text.contains("disk full"))
                #expect(text.contains("checkpoint 7 is complete"))
            } else {
                #expect(effects.isEmpty, "one warning is enough")
            }
        }
        #expect(pauses.first == Self.second / 10)
        #expect(zip(pauses, pauses.dropFirst()).allSatisfy { $1 == min($0 * 2, 10 * Self.second) })
    }

    // MARK: - Wishes

    @Test("a wish begins an attempt at once, whatever interval and pause say")
    func aWishBeginsAnAttemptAtOnce() {
        var machine = Self.make()
        #expect(machine.step(.requested(1), now: 1) == [.begin(7)])
        #expect(machine.step(.requested(2), now: 2).isEmpty, "its barrier is still to come")
        Self.collect(&machine, 7, now: 3)
        #expect(machine.step(.requested(3), now: 3).isEmpty, "its barrier has gone")
        let effects = machine.step(.committed(7, isFinal: false), now: 4)
        #expect(effects == [.grant([1, 2], checkpoint: 7), .deliver, .collectGarbage])
        #expect(machine.nextTickAt == 4, "the third one waits for no pause")
        #expect(machine.step(.tick, now: 4) == [.begin(8)])
        Self.collect(&machine, 8, now: 5)
        let second = machine.step(.committed(8, isFinal: false), now: 5)
        #expect(second.first == .grant([3], checkpoint: 8))
        #expect(machine.nextTickAt == 4 + 10 * Self.second, "then the interval counts again")
    }

    @Test("a wish is told why its attempt failed; one that came later gets the next one")
    func aWishIsToldWhyItsAttemptFailed() {
        var machine = Self.make()
        _ = machine.step(.requested(1), now: 1)
        _ = machine.step(.begun(7), now: 1)
        _ = machine.step(.requested(2), now: 2)
        let effects = machine.step(.declined(7, "no space left"), now: 3)
        #expect(effects.contains(.refuse([1], "checkpoint 7 is abandoned: no space left")))
        #expect(machine.step(.tick, now: 3) == [.begin(8)])
    }

    @Test("a wish at the end gets the last checkpoint, or is told that there is none")
    func aWishAtTheEnd() {
        var machine = Self.make()
        _ = machine.step(.stopRequested, now: 1)
        Self.collect(&machine, 7, now: 1)
        _ = machine.step(.requested(1), now: 2)
        let effects = machine.step(.committed(7, isFinal: false), now: 3)
        #expect(effects.first == .grant([1], checkpoint: 7))
        #expect(machine.step(.requested(2), now: 4) == [.grant([2], checkpoint: 7)])
        _ = machine.step(.delivered, now: 5)
        #expect(machine.step(.requested(3), now: 6) == [.refuse([3], "the job has ended")])

        machine = Self.make(lastComplete: 6)
        _ = machine.step(.stopRequested, now: 1)
        _ = machine.step(.begun(7), now: 1)
        _ = machine.step(.requested(1), now: 1)
        let failed = machine.step(.declined(7, "no space left"), now: 2)
        guard case .refuse([1], let reason)? = failed.dropFirst().first else {
            Issue.record("\(failed)")
            return
        }
        #expect(reason.contains("checkpoint 6 is complete"))
    }

    // MARK: - A random world

    /// Carries effects out as it likes, and watches.
    private struct World {
        var machine: CheckpointProtocol
        var random: SplitMix64
        var now: Int64 = 0
        /// What effects will lead to, some time.
        var pending: [CheckpointProtocol.Event] = []
        var attempt: UInt64?
        var injected: UInt64 = 0
        var lastInjected: UInt64?
        var highest: UInt64 = 6
        var reported: Set<SubtaskID> = []
        var complete: UInt64?
        var isFinalComplete = false
        var isDelivered = true
        var endedCount = 0
        var releaseCount = 0
        var failCount = 0
        /// Wishes without an answer, and the newest barrier when each came.
        var wishes: [UInt64: UInt64] = [:]
        var wishCount: UInt64 = 0
        /// How likely something goes wrong, in percent.
        var trouble: Int

        mutating func chance(_ percent: Int) -> Bool {
            Int.random(in: 0..<100, using: &random) < percent
        }

        mutating func step(_ event: CheckpointProtocol.Event) {
            let wasOver = machine.isOver
            switch event {
            case .committed(let number, let isFinal):
                complete = number
                isFinalComplete = isFinal
                attempt = nil
                isDelivered = false
            case .delivered: isDelivered = true
            case .threadEnded: endedCount += 1
            default: break
            }
            let effects = machine.step(event, now: now)
            if case .requested = event {
            } else {
                #expect(!wasOver || effects.isEmpty, "nothing happens after the end")
            }
            for effect in effects { carryOut(effect) }
            #expect(machine.current == nil || machine.current == attempt)
        }

        mutating func carryOut(_ effect: CheckpointProtocol.Effect) {
            switch effect {
            case .begin(let number):
                #expect(attempt == nil, "one at a time")
                #expect(number > highest, "numbers are never used again")
                highest = number
                attempt = number
                reported = []
                pending.append(chance(trouble) ? .failed(number, "begin") : .begun(number))
            case .inject(let number, let isLast):
                #expect(number == attempt)
                #expect(lastInjected == nil, "nothing comes behind a last barrier")
                injected = number
                if isLast { lastInjected = number }
                for subtask in CheckpointProtocolTests.subtasks {
                    if chance(trouble / 3) { continue }
                    pending.append(
                        chance(trouble / 3)
                            ? .declined(number, "no") : .reported(number, subtask)
                    )
                }
            case .commit(let number):
                #expect(number == attempt)
                #expect(reported.count == CheckpointProtocolTests.subtasks.count)
                pending.append(
                    chance(trouble)
                        ? .failed(number, "commit")
                        : .committed(number, isFinal: endedCount == 2)
                )
            case .abandon(let number, _):
                #expect(number == attempt, "only what was begun, and once")
                attempt = nil
            case .deliver:
                #expect(complete != nil)
                pending.append(
                    chance(trouble) ? .notDelivered("full", isRetryable: true) : .delivered
                )
            case .collectGarbage, .warn: break
            case .grant(let numbers, let checkpoint):
                #expect(checkpoint == complete)
                let isLast = checkpoint == lastInjected || isFinalComplete
                for number in numbers {
                    let newest = wishes.removeValue(forKey: number)
                    #expect(newest != nil, "one answer")
                    #expect(isLast || checkpoint > newest ?? .max, "its barrier came after it")
                }
            case .refuse(let numbers, _):
                for number in numbers { #expect(wishes.removeValue(forKey: number) != nil) }
            case .release:
                releaseCount += 1
                #expect(isDelivered)
                #expect(isFinalComplete || (lastInjected != nil && complete == lastInjected))
                #expect(attempt == nil)
            case .fail:
                failCount += 1
            }
        }

        /// Something happens.
        mutating func advance(mayEnd: Bool) {
            if !pending.isEmpty, chance(60) {
                // Reports come in any order; the answers to other effects there is one of.
                let index = Int.random(in: pending.indices, using: &random)
                let event = pending.remove(at: index)
                if case .reported(let number, let subtask) = event, number == attempt {
                    reported.insert(subtask)
                }
                step(event)
            } else if chance(10) {
                wishCount += 1
                wishes[wishCount] = injected
                step(.requested(wishCount))
            } else if mayEnd, endedCount < 2, chance(3) {
                step(.threadEnded)
            } else if mayEnd, chance(1) {
                step(.stopRequested)
            } else {
                let next = machine.nextTickAt
                let later = now + Int64(random.next() % 1 << 31)
                now = chance(50) && next != .max ? max(now, next) : later
                step(.tick)
            }
        }
    }

    @Test("holds what it promises in a random world", arguments: 1...300 as ClosedRange<UInt64>)
    func holdsWhatItPromises(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        var policy = Self.policy
        policy.tolerableFailureCount = [nil, 0, 2, 10].randomElement(using: &random) ?? nil
        var world = World(
            machine: Self.make(policy),
            random: random,
            trouble: [0, 5, 30, 60][Int(seed % 4)]
        )
        for _ in 0..<400 where !world.machine.isOver { world.advance(mayEnd: true) }
        // From now on all goes well, and the job is to end.
        world.trouble = 0
        world.step(.stopRequested)
        var steps = 0
        while !world.machine.isOver, steps < 2000 {
            steps += 1
            world.advance(mayEnd: true)
        }
        #expect(world.machine.isOver, "seed \(seed): no end")
        #expect(world.releaseCount + world.failCount == 1, "seed \(seed)")
        #expect(world.machine.nextTickAt == .max, "seed \(seed)")
        #expect(world.wishes.isEmpty, "seed \(seed): \(world.wishes) have no answer")
        let late = world.machine.step(.requested(9999), now: world.now)
        #expect(late == [.refuse([9999], "the job has ended")])
    }
}
