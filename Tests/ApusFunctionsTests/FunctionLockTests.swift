import ApusFunctions
import ApusGraph
import ApusTestPlugins
import Foundation
import Testing

/// Goal: a library that is not declared thread-safe has one thread in it at a time.
///
/// Method: a function that counts how often it was entered while another thread was in it.
@Suite("Functions on several threads", .serialized)
struct FunctionLockTests {
    /// How often two threads were inside since the library was loaded.
    private static func overlaps() throws -> Int {
        let world = try FunctionWorld("overlap_count", "i64()", [], use: .map(.whole))
        return Int(try world.one("")) ?? -1
    }

    /// Calls from four threads at the same time, each with an evaluator of its own.
    private static func crowd(isThreadSafe: Bool) throws {
        let function = try FunctionWorld.bind(
            "crowded",
            "i64(i64)",
            [.field("x")],
            isThreadSafe: isThreadSafe
        )
        DispatchQueue.concurrentPerform(iterations: 4) { number in
            let world = FunctionWorld(function)
            let values = (0..<200).map { "{\"x\":\($0)}" }
            for _ in 0..<10 {
                let result = try? world.evaluate(values)  // Nil is counted as nothing below.
                #expect(result?.values.count == 200, "thread \(number)")
            }
        }
    }

    @Test("thread-safe: false lets one in, true lets all in")
    func oneAtATime() throws {
        let before = try Self.overlaps()
        try Self.crowd(isThreadSafe: false)
        #expect(try Self.overlaps() == before)
        // The detector detects: on one processor a thread is switched to in the middle, as well.
        var rounds = 0
        while try Self.overlaps() == before, rounds < 100 {
            try Self.crowd(isThreadSafe: true)
            rounds += 1
        }
        #expect(try Self.overlaps() > before)
    }
}
