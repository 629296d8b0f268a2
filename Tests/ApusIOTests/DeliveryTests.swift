import ApusCore
import ApusMemory
import Glibc
import Testing

@testable import ApusIO

/// Each sealed output arrives once, and where it cannot, the error says why.
@Suite("Delivery")
struct DeliveryTests {
    let disk = MemoryDisk()

    /// A sealed output with a log.
    func output(_ epoch: UInt64, _ text: String, subtask: Int = 0) -> SealedOutput {
        let path = text.isEmpty ? nil : "logs/\(subtask)-\(epoch)"
        if let path { disk[path] = Array(text.utf8) }
        return SealedOutput(
            sink: "out",
            subtask: subtask,
            epoch: epoch,
            logPath: path,
            byteCount: text.utf8.count
        )
    }

    func file(appending: Bool = false) throws(EndpointError) -> FileDelivery {
        try FileDelivery(path: "out.jsonl", appending: appending, disk: disk)
    }

    func folder(appending: Bool = false) throws(EndpointError) -> FolderDelivery {
        try FolderDelivery(path: "out/", appending: appending, disk: disk)
    }

    static func part(_ number: Int, subtask: Int = 0) -> String {
        "part-\(subtask)-" + UInt64(number).padded + ".jsonl"
    }

    // MARK: - A file

    @Test("a file gets epoch after epoch, the empty ones and those told twice, too")
    func aFileGetsEpochAfterEpoch() throws {
        disk["out.jsonl"] = Array("old\n".utf8)
        let delivery = try file()
        #expect(disk.text("out.jsonl") == "old\n")
        try delivery.deliver(output(1, ""))
        #expect(disk.text("out.jsonl") == "")
        for _ in 0..<2 { try delivery.deliver(output(2, "a\nb\n")) }
        try delivery.deliver(output(5, "c\n"))
        try delivery.deliver(output(2, "x\n"))
        #expect(disk.text("out.jsonl") == "a\nb\nc\n")
    }

    @Test("a file that is kept is extended, and a line that was cut off is ended")
    func aFileThatIsKeptIsExtended() throws {
        for (old, start) in [("", ""), ("old\n", "old\n"), ("old\ncut", "old\ncut\n")] {
            disk["out.jsonl"] = Array(old.utf8)
            let delivery = try file(appending: true)
            try delivery.deliver(output(1, ""))
            #expect(disk.text("out.jsonl") == old)
            // Somebody starts again from what the checkpoint has, and the line is ended once.
            let again = try file(appending: true)
            let first = output(2, "a\n")
            try again.restore(delivery.position, undelivered: [first])
            try again.deliver(first)
            try again.deliver(output(3, "b\n"))
            #expect(disk.text("out.jsonl") == start + "a\nb\n")
        }
    }

    @Test("a file that has a part of what is to be delivered gets the rest")
    func aFileThatHasAPartGetsTheRest() throws {
        for old in ["", "old\ncut"] {
            let start = old.isEmpty ? "" : old + "\n"
            disk["out.jsonl"] = Array(old.utf8)
            let position = try file(appending: !old.isEmpty).position
            let outputs = [output(1, "a\nb\n"), output(2, ""), output(3, "cc\n"), output(4, "d\n")]
            let whole = Array((start + "a\nb\ncc\nd\n").utf8)
            for count in old.utf8.count...whole.count {
                disk["out.jsonl"] = Array(whole.prefix(count))
                let delivery = try file()
                // In any order: the delivery knows which comes first.
                try delivery.restore(position, undelivered: outputs.reversed())
                #expect(disk["out.jsonl"]?.count == count)
                for output in outputs {
                    try delivery.deliver(output)
                    let length = try #require(disk["out.jsonl"]?.count)
                    #expect(length >= count, "nothing is taken back")
                }
                #expect(disk["out.jsonl"] == whole, "\(count) bytes")
                try delivery.deliver(self.output(5, "e\n"))
                #expect(disk["out.jsonl"] == whole + Array("e\n".utf8))
            }
        }
    }

    @Test("what another job left is dropped even when it ends where a delivery could have")
    func whatAnotherJobLeftIsDropped() throws {
        let position = try file().position
        let first = output(1, "a\nb\n")
        for old in ["x\ny\n", "a\nx\n", "a\nb\nc\n", "a\nb"] {
            disk["out.jsonl"] = Array(old.utf8)
            let delivery = try file()
            try delivery.restore(position, undelivered: [first])
            try delivery.deliver(first)
            #expect(disk.text("out.jsonl") == "a\nb\n")
        }
    }

    @Test("a file that somebody else has touched is an error that says what and how to go on")
    func aFileThatSomebodyElseTouchedIsAnError() throws {
        let delivery = try file()
        try delivery.deliver(output(1, "a\nb\n"))
        let position = delivery.position
        disk.extend("out.jsonl", Array("x".utf8))
        let tooLong = EndpointError(
            "out.jsonl: should have 4 bytes, and has 5: it was written to by somebody else; start "
                + "the job with --rewind-output, which moves what is too much to a file beside it, "
                + "or start the job with another file, without the checkpoint"
        )
        #expect(throws: tooLong) { try delivery.deliver(output(2, "c\n")) }
        #expect(throws: tooLong) { try delivery.deliver(output(2, "c\n")) }
        #expect(throws: tooLong) { try file().restore(position, undelivered: []) }
        let next = output(2, "c\n")
        let again = try file()
        try again.restore(position, undelivered: [next])
        #expect {
            try again.deliver(next)
        } throws: { error in
            "\(error)".hasPrefix(
                "cannot deliver to out.jsonl: at byte 4 it has something else than logs/0-2: "
            ) && "\(error)".contains("--rewind-output")
        }
        disk["out.jsonl"] = Array("a\n".utf8)
        #expect {
            try file().restore(position, undelivered: [next])
        } throws: { error in
            "\(error)".hasPrefix(
                "out.jsonl: should have 4 to 6 bytes, and has 2: it was shortened or replaced by"
            )
        }
    }

    @Test("a log that is missing or has another size is not delivered")
    func aLogThatIsMissingIsNotDelivered() throws {
        let first = output(1, "a\n")
        disk["logs/0-1"] = Array("a\nb\n".utf8)
        #expect {
            try file().deliver(first)
        } throws: { error in
            "\(error)"
                == "cannot deliver logs/0-1: the log of out, epoch 1, should have 2 bytes, and "
                + "has 4: it was changed"
        }
        disk["logs/0-1"] = nil
        for delivery in [try file(), try folder()] as [any OutputDelivery] {
            #expect {
                try delivery.deliver(first)
            } throws: {
                "\($0)".hasSuffix("should have 2 bytes, and is missing")
            }
        }
    }

    @Test("a full disk is retryable, and nothing is delivered twice")
    func aFullDiskIsRetryable() throws {
        let file = try file()
        let folder = try folder()
        for (index, text) in ["first\n", "second\n", "third\n"].enumerated() {
            let output = output(UInt64(index) + 1, text)
            for delivery in [file, folder] as [any OutputDelivery] {
                for byteCount in [0, 3] {
                    disk.failWrite(1, afterByteCount: byteCount)
                    let error = #expect(throws: EndpointError.self) { try delivery.deliver(output) }
                    #expect(error?.isRetryable == true)
                }
                try delivery.deliver(output)
            }
        }
        #expect(disk.text("out.jsonl") == "first\nsecond\nthird\n")
        #expect(disk.names(in: "out") == ["_committed"] + (1...3).map { Self.part($0) })
        #expect(disk.text("out/" + Self.part(2)) == "second\n")
    }

    @Test("a failed wait for the disk is final")
    func aFailedWaitIsFinal() throws {
        for operation in 1...3 {
            let disk = MemoryDisk()
            disk["logs/0-1"] = Array("a\n".utf8)
            disk["out.jsonl"] = []
            let delivery = try FileDelivery(path: "out.jsonl", appending: true, disk: disk)
            // Write, wait for the file, wait for the folder; what fails then is down for good.
            disk.crash(atOperation: operation)
            let output = output(1, "a\n")
            #expect(throws: EndpointError.self) { try delivery.deliver(output) }
            disk.revive(losingPower: false)
            let again = #expect(throws: EndpointError.self) { try delivery.deliver(output) }
            #expect(again?.isRetryable == false)
        }
    }

    @Test("only a plain file can be delivered to")
    func onlyAPlainFileCanBeDeliveredTo() throws {
        #expect {
            try FileDelivery(path: "/dev/null", appending: false, disk: LinuxDisk())
        } throws: {
            "\($0)".hasPrefix("cannot deliver to /dev/null: it is not a plain file")
        }
        let temporary = try TemporaryFolder()
        #expect(throws: EndpointError("cannot open \(temporary.path): Is a directory")) {
            try FileDelivery(path: temporary.path, appending: false, disk: LinuxDisk())
        }
    }

    // MARK: - A folder

    @Test("a folder gets a part per epoch and subtask, and a marker")
    func aFolderGetsParts() throws {
        let delivery = try folder()
        try delivery.deliver(output(1, ""))
        #expect(disk.names(in: "out").isEmpty)
        try delivery.deliver(output(2, "a\n"))
        try delivery.deliver(output(2, "b\n", subtask: 1))
        for _ in 0..<2 { try delivery.deliver(output(12, "c\n")) }
        #expect(
            disk.names(in: "out") == [
                "_committed", Self.part(2), Self.part(12), Self.part(2, subtask: 1),
            ]
        )
        #expect(disk.text("out/_committed") == "apus-parts 1\n0 12\n1 2\n")
        #expect(disk.text("out/" + Self.part(2, subtask: 1)) == "b\n")
    }

    @Test("parts of earlier jobs are dropped, or kept and counted on")
    func partsOfEarlierJobs() throws {
        let other = ["notes.txt", "part-0-1.jsonl", "part-x-" + UInt64(1).padded + ".jsonl"]
        for name in other { disk["out/" + name] = Array(name.utf8) }
        let first = try folder()
        try first.deliver(output(1, "a\n"))
        try first.deliver(output(2, "b\n", subtask: 4))
        disk["out/.part-0-" + UInt64(9).padded + ".tmp"] = [1]

        let second = try folder(appending: true)
        try second.deliver(output(1, "c\n"))
        #expect(disk.text("out/" + Self.part(3)) == "c\n")
        #expect(disk.text("out/_committed") == "apus-parts 1\n0 3\n4 2\n")
        let next = output(2, "d\n")
        let third = try folder()
        try third.restore(second.position, undelivered: [next])
        try third.deliver(next)
        #expect(disk.text("out/_committed") == "apus-parts 1\n0 4\n4 2\n")

        let fourth = try folder()
        #expect(disk.exists("out/" + Self.part(1)))
        try fourth.deliver(output(1, ""))
        #expect(disk.names(in: "out") == other.sorted())
    }

    @Test("a part that is there is taken for delivered when it is the same, and refused otherwise")
    func aPartThatIsThere() throws {
        let position = try folder(appending: true).position
        let first = output(1, "a\n")
        for (old, isSame) in [("a\n", true), ("b\n", false), ("a\nb\n", false), ("", false)] {
            disk["out/" + Self.part(1)] = Array(old.utf8)
            let delivery = try folder()
            try delivery.restore(position, undelivered: [first])
            if isSame {
                try delivery.deliver(first)
                #expect(disk.text("out/_committed") == "apus-parts 1\n0 1\n")
            } else {
                #expect {
                    try delivery.deliver(first)
                } throws: {
                    "\($0)".contains("it is there and has something else than logs/0-1")
                }
            }
        }
    }

    @Test("a part that the checkpoint knows nothing of is refused")
    func anUnknownPartIsRefused() throws {
        let delivery = try folder()
        try delivery.deliver(output(1, "a\n"))
        let position = delivery.position
        try delivery.deliver(output(2, "b\n"))
        try folder().restore(position, undelivered: [output(2, "b\n")])
        #expect {
            try folder().restore(position, undelivered: [])
        } throws: {
            "\($0)".hasPrefix(
                "cannot go on in out: it has \(Self.part(2)), of which the checkpoint"
            )
        }
    }

    @Test("a marker that is none is an error")
    func aMarkerThatIsNoneIsAnError() throws {
        for text in [
            "", "apus-parts 1", "apus-parts 2\n", "apus-parts 1\n0\n", "apus-parts 1\n0 x\n",
        ] {
            disk["out/_committed"] = Array(text.utf8)
            #expect {
                try folder(appending: true)
            } throws: {
                "\($0)".hasPrefix("cannot read out/_committed: it does not say 'apus-parts 1'")
            }
        }
    }

    @Test("real files are delivered to, too")
    func realFilesAreDeliveredTo() throws {
        let temporary = try TemporaryFolder()
        let log = try temporary.write("a\nb\n".utf8, to: "log")
        let sealed = SealedOutput(sink: "s", subtask: 0, epoch: 1, logPath: log, byteCount: 4)
        let target = temporary.file("new/out/")
        let folder = try FolderDelivery(path: target, appending: false, disk: LinuxDisk())
        try folder.deliver(sealed)
        #expect(try temporary.read("new/out/" + Self.part(1)) == "a\nb\n")
        let names = try LinuxDisk().list(temporary.file("new/out")).map(\.name)
        #expect(names == ["_committed", Self.part(1)])
        let path = temporary.file("new/file")
        let file = try FileDelivery(path: path, appending: false, disk: LinuxDisk())
        try file.deliver(sealed)
        try file.deliver(sealed.at(log))
        #expect(try temporary.read("new/file") == "a\nb\n")
    }

    // MARK: - All of them

    @Test("a stream gets each epoch that was not noted")
    func aStreamGetsEachEpoch() throws {
        var ends: [Int32] = [-1, -1]
        try #require(pipe(&ends) == 0)
        defer { Glibc.close(ends[0]) }
        func printed() -> String {
            var bytes = [UInt8](repeating: 0, count: 64)
            let count = read(ends[0], &bytes, bytes.count)
            return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
        }
        let first = StandardOutputDelivery(descriptor: ends[1], disk: disk)
        try first.deliver(output(1, "a\n"))
        let position = first.position
        for _ in 0..<2 { try first.deliver(output(2, "b\n")) }
        #expect(printed() == "a\nb\n")
        // What was not noted is printed again; nobody can tell that it was.
        let second = StandardOutputDelivery(descriptor: ends[1], disk: disk)
        let undelivered = [output(1, "a\n"), output(2, "b\n")]
        try second.restore(position, undelivered: undelivered)
        for output in undelivered { try second.deliver(output) }
        #expect(printed() == "b\n")
        Glibc.close(ends[1])
        let third = StandardOutputDelivery(descriptor: ends[1], disk: disk)
        let error = #expect(throws: EndpointError.self) { try third.deliver(output(1, "a\n")) }
        #expect(error?.isRetryable == false)
        #expect(throws: try #require(error)) { try third.deliver(output(1, "a\n")) }
    }

    @Test("a position that is damaged or of another kind is refused")
    func aDamagedPositionIsRefused() throws {
        let deliveries: [any OutputDelivery] = [
            try file(), try folder(), StandardOutputDelivery(descriptor: -1, disk: disk),
        ]
        for delivery in deliveries.prefix(2) { try delivery.deliver(output(1, "a\n")) }
        for (index, delivery) in deliveries.enumerated() {
            let position = delivery.position
            try delivery.restore(position, undelivered: [])
            #expect(delivery.position == position)
            for count in 0..<position.count {
                #expect(throws: EndpointError.self) {
                    try delivery.restore(Array(position.prefix(count)), undelivered: [])
                }
            }
            #expect(throws: EndpointError.self) {
                try delivery.restore(position + [0], undelivered: [])
            }
            let other = deliveries[(index + 1) % 3].position
            #expect {
                try delivery.restore(other, undelivered: [])
            } throws: {
                "\($0)".contains("the checkpoint has the position of ")
            }
        }
    }
}
