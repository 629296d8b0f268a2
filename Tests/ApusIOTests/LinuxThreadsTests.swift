import ApusCore
import Glibc
import Synchronization
import Testing

@testable import ApusIO

/// Threads run with their name and stack, and their clocks outlive them.
@Suite("Threads, clocks, memory, randomness")
struct LinuxThreadsTests {
    @Test("a thread has its name, cut to 15 bytes, and a large stack")
    func aThreadHasItsName() throws {
        let seen = Mutex("")
        let thread = LinuxThreads().start(name: "a-name-of-more-than-15") {
            do {
                let name = try LinuxDisk().readAll(
                    "/proc/thread-self/comm",
                    maximumByteCount: 100
                )
                seen.withLock { $0 = String(decoding: name, as: UTF8.self) }
            } catch {
                Issue.record(error)
            }
            #expect(Self.recurse(60_000) == 60_000)
        }
        thread.join()
        #expect(seen.withLock { $0 } == "a-name-of-more-\n")
        #expect(thread.cpuNanoseconds() == 0)
    }

    /// Uses about 100 bytes of stack per level.
    @inline(never)
    @_optimize(none)
    static func recurse(_ depth: Int) -> Int { depth == 0 ? 0 : recurse(depth - 1) + 1 }

    @Test("a thread's processor time grows while it works")
    func aThreadsProcessorTimeGrows() {
        let isEnding = Flag()
        let thread = LinuxThreads().start(name: "busy") {
            while !isEnding.isSet {}
        }
        let clock = LinuxClock()
        let deadline = clock.monotonicNanoseconds() + 10_000_000_000
        while thread.cpuNanoseconds() < 5_000_000, clock.monotonicNanoseconds() < deadline {}
        #expect(thread.cpuNanoseconds() >= 5_000_000)
        isEnding.set()
        thread.join()
    }

    @Test("clocks go on, and the wall shows our century")
    func clocksGoOn() {
        let clock = LinuxClock()
        let first = clock.monotonicNanoseconds()
        #expect(clock.monotonicNanoseconds() >= first)
        #expect(clock.wallMicroseconds() > 1_700_000_000_000_000)
        #expect(clock.wallMicroseconds() < 4_000_000_000_000_000)
    }

    @Test("memory in use is known, and its peak is no less")
    func memoryInUseIsKnown() {
        let now = LinuxMemory.residentByteCount()
        #expect(now > 1 << 20)
        #expect(LinuxMemory.peakResidentByteCount() >= now)
    }

    @Test("seeds differ")
    func seedsDiffer() {
        let seeds = Set((0..<100).map { _ in LinuxEntropy().seed() })
        #expect(seeds.count == 100)
    }
}

/// A flag that one thread sets and another sees.
private final class Flag: Sendable {
    private let flag = Atomic<Bool>(false)

    var isSet: Bool { flag.load(ordering: .relaxed) }

    func set() { flag.store(true, ordering: .relaxed) }
}
