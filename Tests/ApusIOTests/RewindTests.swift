import ApusCore
import ApusMemory
import Testing

@testable import ApusIO

/// Going back to an older checkpoint: what was delivered since is said, moved away, and never lost.
@Suite("Rewinding output")
struct RewindTests {
    private let disk: MemoryDisk

    private func output(_ epoch: UInt64, _ text: String) -> SealedOutput {
        let path = "logs/\(epoch)"
        disk[path] = Array(text.utf8)
        return SealedOutput(
            sink: "out",
            subtask: 0,
            epoch: epoch,
            logPath: path,
            byteCount: text.utf8.count
        )
    }

    private func file() throws -> FileDelivery {
        try FileDelivery(path: "out.jsonl", appending: false, disk: disk)
    }

    private func folder() throws -> FolderDelivery {
        try FolderDelivery(path: "out/", appending: false, disk: disk)
    }

    private static func part(_ number: UInt64) -> String { "part-0-\(number.padded).jsonl" }

    @Test("a file's later output is moved beside it, and what was undelivered then stays")
    func aFileIsRewound() throws {
        let delivery = try file()
        try delivery.deliver(output(1, "a\n"))
        let position = delivery.position
        let waiting = [output(2, "b\n"), output(3, "c\n")]
        for output in waiting { try delivery.deliver(output) }
        #expect(try file().surplus(behind: position, undelivered: waiting) == nil)
        try delivery.deliver(output(4, "later\n"))
        #expect(
            try file().surplus(behind: position, undelivered: waiting)
                == "out.jsonl has 6 bytes behind byte 6"
        )
        #expect(disk.text("out.jsonl") == "a\nb\nc\nlater\n", "nothing is done without the word")
        let again = try file()
        let done = try again.rewind(to: position, undelivered: waiting, checkpoint: 3)
        #expect(
            done == "out.jsonl has 6 bytes behind byte 6: moved to out.jsonl.rewound-3"
        )
        #expect(disk.text("out.jsonl.rewound-3") == "later\n")
        #expect(try again.rewind(to: position, undelivered: waiting, checkpoint: 3) == nil)
        try again.restore(position, undelivered: waiting)
        for output in waiting { try again.deliver(output) }
        try again.deliver(output(5, "new\n"))
        #expect(disk.text("out.jsonl") == "a\nb\nc\nnew\n")
        // The next time, the first name is taken.
        _ = try file().rewind(to: position, undelivered: waiting, checkpoint: 3)
        #expect(disk.text("out.jsonl.rewound-3-2") == "new\n")
        #expect(disk.text("out.jsonl.rewound-3") == "later\n")
    }

    @Test("a file to which nothing had been delivered is not emptied, but rewound")
    func aFileBeforeItsFirstDelivery() throws {
        disk["out.jsonl"] = []
        let delivery = try file()
        let position = delivery.position
        let waiting = [output(1, "a\n")]
        try delivery.deliver(waiting[0])
        try delivery.deliver(output(2, "later\n"))
        #expect(try file().surplus(behind: position, undelivered: waiting) != nil)
        let again = try file()
        _ = try again.rewind(to: position, undelivered: waiting, checkpoint: 1)
        try again.restore(position, undelivered: waiting)
        try again.deliver(waiting[0])
        try again.deliver(output(3, "b\n"))
        #expect(disk.text("out.jsonl") == "a\nb\n")
        #expect(disk.text("out.jsonl.rewound-1") == "later\n")
    }

    @Test("a folder's later parts are moved into a folder in it, and its marker goes back")
    func aFolderIsRewound() throws {
        let delivery = try folder()
        try delivery.deliver(output(1, "a\n"))
        let position = delivery.position
        let waiting = [output(2, "b\n")]
        try delivery.deliver(waiting[0])
        #expect(try folder().surplus(behind: position, undelivered: waiting) == nil)
        for epoch: UInt64 in 3...4 { try delivery.deliver(output(epoch, "later\n")) }
        #expect(
            try folder().surplus(behind: position, undelivered: waiting)
                == "out has 2 parts behind it, \(Self.part(3)) first"
        )
        let again = try folder()
        #expect(
            try again.rewind(to: position, undelivered: waiting, checkpoint: 2)
                == "out has 2 parts behind it, \(Self.part(3)) first: moved to out/rewound-2"
        )
        #expect(disk.text("out/_committed") == "apus-parts 1\n0 1\n")
        try again.restore(position, undelivered: waiting)
        try again.deliver(waiting[0])
        try again.deliver(output(5, "new\n"))
        #expect(disk.text("out/_committed") == "apus-parts 1\n0 5\n")
        #expect(
            disk.names(in: "out") == [
                "_committed", Self.part(1), Self.part(2), Self.part(5),
                "rewound-2/" + Self.part(3), "rewound-2/" + Self.part(4),
            ]
        )
    }

    @Test(
        "a rewind that is broken off anywhere is done again, and no byte is lost",
        arguments: [false, true]
    )
    func aBrokenOffRewind(losesPower: Bool) throws {
        for operation in 1..<100 {
            let disk = MemoryDisk()
            let test = RewindTests(disk)
            let first = try test.file()
            try first.deliver(test.output(1, "a\n"))
            let position = first.position
            let second = test.output(2, "later\n")
            try first.deliver(second)
            let parts = try test.folder()
            try parts.deliver(test.output(1, "a\n"))
            let partsPosition = parts.position
            try parts.deliver(second)
            disk.crash(atOperation: operation, seed: UInt64(operation))
            let rewind = {
                _ = try test.file().rewind(to: position, undelivered: [], checkpoint: 1)
                _ = try test.folder().rewind(to: partsPosition, undelivered: [], checkpoint: 1)
            }
            let isBroken = (try? rewind()) == nil  // expected: the disk goes down
            disk.revive(losingPower: losesPower)
            try rewind()
            let file = try test.file()
            try file.restore(position, undelivered: [])
            try file.deliver(test.output(3, "b\n"))
            let folder = try test.folder()
            try folder.restore(partsPosition, undelivered: [])
            try folder.deliver(test.output(3, "b\n"))
            #expect(disk.text("out.jsonl") == "a\nb\n", "operation \(operation)")
            #expect(disk.text("out/_committed") == "apus-parts 1\n0 3\n")
            let aside = ["", "-2", "-3"].compactMap { disk.text("out.jsonl.rewound-1\($0)") }
            #expect(aside.contains("later\n"), "operation \(operation): \(aside)")
            let moved = disk.names(in: "out").filter {
                $0.hasPrefix("rewound-1") && $0.hasSuffix(Self.part(2))
            }
            #expect(moved.count == 1, "operation \(operation): \(disk.names(in: "out"))")
            if !isBroken {
                #expect(operation > 8)
                return
            }
        }
        Issue.record("the loop did not end")
    }

    init() { disk = MemoryDisk() }

    private init(_ disk: MemoryDisk) { self.disk = disk }
}
