import ApusCore
import ApusMemory
import Testing

@testable import ApusIO

/// Wherever the process ends or the power fails, the target has each byte once in the end.
@Suite("Outbox and crashes")
struct OutboxCrashTests {
    /// What output is delivered to.
    enum Target: CaseIterable {
        case file
        case keptFile
        case folder
        case keptFolder
    }

    /// What the test's checkpoint holds.
    struct Manifest {
        var number: UInt64 = 0
        /// How many records of the input are behind the checkpoint.
        var consumed = 0
        var position: [UInt8] = []
        var undelivered: [SealedOutput] = []

        var text: String {
            let logs = undelivered.map {
                "\($0.subtask) \($0.epoch) \($0.byteCount) \($0.logPath ?? "-")"
            }
            let hex = position.map { String($0) }.joined(separator: " ")
            return (["\(number) \(consumed)", hex] + logs).joined(separator: "\n")
        }

        init() {}

        init(_ text: String) {
            let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
            let first = lines[0].split(separator: " ")
            number = UInt64(first[0]) ?? 0
            consumed = Int(first[1]) ?? 0
            position = lines[1].split(separator: " ").compactMap { UInt8($0) }
            undelivered = lines.dropFirst(2).map { line in
                let fields = line.split(separator: " ")
                return SealedOutput(
                    sink: "out",
                    subtask: Int(fields[0]) ?? -1,
                    epoch: UInt64(fields[1]) ?? 0,
                    logPath: fields[3] == "-" ? nil : String(fields[3]),
                    byteCount: Int(fields[2]) ?? -1
                )
            }
        }
    }

    /// A job that copies its input, and everything that it needs of checkpoints.
    struct Job {
        let target: Target
        let records: [String]
        let disk: MemoryDisk

        var subtaskCount: Int { target == .folder || target == .keptFolder ? 2 : 1 }
        var isKept: Bool { target == .keptFile || target == .keptFolder }

        func makeDelivery() throws(EndpointError) -> any OutputDelivery {
            switch target {
            case .file, .keptFile:
                try FileDelivery(path: "out.jsonl", appending: isKept, disk: disk)
            case .folder, .keptFolder:
                try FolderDelivery(path: "out/", appending: isKept, disk: disk)
            }
        }

        var committed: Manifest? { disk.text("cp/CURRENT").map { Manifest($0) } }

        /// Puts there what an earlier job left.
        func prepare() {
            disk["out.jsonl"] = Array("old\ncut off".utf8)
            disk["out/" + DeliveryTests.part(7)] = Array("old\n".utf8)
            disk["out/_committed"] = Array("apus-parts 1\n0 7\n".utf8)
        }

        /// Runs from the newest checkpoint to the end of the input; throws where the disk does.
        func run(_ random: inout SplitMix64) throws {
            // Work that no checkpoint holds is forgotten.
            for name in disk.names(in: "work") { try disk.remove("work/\(name)") }
            var manifest = committed ?? Manifest()
            let delivery = try makeDelivery()
            if committed != nil {
                try delivery.restore(manifest.position, undelivered: manifest.undelivered)
                for output in manifest.undelivered { try delivery.deliver(output) }
                manifest.undelivered = []
            }
            let sinks = (0..<subtaskCount).map {
                OutboxSink(sink: "out", subtask: $0, directory: "work", disk: disk)
            }
            while manifest.consumed < records.count || manifest.number == 0 {
                // A slice of the input that is another one after each restart.
                let count = min(
                    records.count - manifest.consumed,
                    Int.random(in: 0...4, using: &random)
                )
                for index in manifest.consumed..<manifest.consumed + count {
                    try sinks[index % subtaskCount].write(OutboxSinkTests.batch([records[index]]))
                }
                manifest.consumed += count
                manifest.number += 1
                var sealed: [SealedOutput] = []
                for sink in sinks { sealed.append(try sink.seal(epoch: manifest.number)) }
                // Now and then a checkpoint comes to nothing, and the next one has its logs.
                try commit(&manifest, sealed, delivery, &random)
            }
            // In the end the disk has room, and what was put off is delivered.
            for output in manifest.undelivered { try delivery.deliver(output) }
            for sink in sinks { try sink.close() }
        }

        private func commit(
            _ manifest: inout Manifest,
            _ sealed: [SealedOutput],
            _ delivery: any OutputDelivery,
            _ random: inout SplitMix64
        ) throws {
            for output in sealed {
                guard let path = output.logPath else {
                    manifest.undelivered.append(output)
                    continue
                }
                try disk.synchronizeFile(path)
                let name = "cp/\(output.subtask)-\(output.epoch)"
                if disk.exists(name) { try disk.remove(name) }
                try disk.link(path, at: name)
                manifest.undelivered.append(output.at(name))
            }
            if manifest.consumed < records.count, Int.random(in: 0..<6, using: &random) == 0 {
                return
            }
            try disk.synchronizeFolder("cp")
            manifest.position = delivery.position
            try disk.writeAtomically(Array(manifest.text.utf8), to: "cp/CURRENT", mode: 0o600)
            // The target's disk may be full for a while.
            if Int.random(in: 0..<4, using: &random) == 0 {
                disk.failWrite(1, afterByteCount: Int.random(in: 0...20, using: &random))
            }
            defer { disk.mendWrites() }
            while let output = manifest.undelivered.first {
                do throws(EndpointError) {
                    try delivery.deliver(output)
                } catch {
                    guard error.isRetryable else { throw error }
                    return
                }
                manifest.undelivered.removeFirst()
                if output.logPath != nil {
                    // The log in the folder of work; the checkpoint's stays.
                    for name in disk.names(in: "work") { try disk.remove("work/\(name)") }
                }
            }
        }

        // MARK: - What must hold

        /// The output of a subtask for the first records.
        func expected(_ subtask: Int, _ consumed: Int) -> String {
            records[..<consumed].enumerated().filter { $0.offset % subtaskCount == subtask }
                .map { $0.element + "\n" }.joined()
        }

        /// What readers see of a subtask's output.
        func visible(_ subtask: Int) -> String {
            switch target {
            case .file, .keptFile: return disk.text("out.jsonl") ?? ""
            case .folder, .keptFolder:
                return disk.names(in: "out").compactMap { PartName($0) }
                    .filter { $0.subtask == subtask && !($0.number == 7 && isKept && subtask == 0) }
                    .filter { disk.text("out/\($0.text)") != "old\n" }
                    .sorted { $0.number < $1.number }
                    .compactMap { disk.text("out/\($0.text)") }.joined()
            }
        }

        /// What stands before the output.
        func start(_ subtask: Int) -> String { target == .keptFile ? "old\ncut off\n" : "" }

        /// Whether readers see a beginning of the output, and nothing that no checkpoint holds.
        func check(_ context: String) {
            let consumed = committed?.consumed ?? 0
            for subtask in 0..<subtaskCount {
                let seen = visible(subtask)
                let most = start(subtask) + expected(subtask, consumed)
                let isOld = seen == "old\ncut off"
                #expect(isOld || most.hasPrefix(seen), "\(context)")
            }
            // What the marker names is there, even when the power failed.
            let marker = try? PartMarker.read(in: "out", disk: disk)  // nil while the disk is down
            for (subtask, number) in marker?.numbers ?? [:] {
                let name = DeliveryTests.part(Int(number), subtask: subtask)
                #expect(disk.exists("out/" + name), "\(context)")
            }
        }

        func checkEnd(_ context: String) {
            for subtask in 0..<subtaskCount {
                let whole = start(subtask) + expected(subtask, records.count)
                #expect(visible(subtask) == whole, "\(context)")
            }
            guard target == .folder || target == .keptFolder else { return }
            let temporary = disk.names(in: "out").filter { $0.hasSuffix(".tmp") }
            #expect(temporary.isEmpty, "\(context)")
            #expect((disk.text("out/" + DeliveryTests.part(7)) == "old\n") == isKept, "\(context)")
            let marker = try? PartMarker.read(in: "out", disk: disk)  // nil is not what is expected
            let newest = disk.names(in: "out").compactMap { PartName($0) }.map(\.number).max()
            #expect(marker?.newest == newest, "\(context)")
        }
    }

    static func records(_ seed: Int, _ random: inout SplitMix64) -> [String] {
        (0..<14).map { number in
            // One that no buffer holds, in one run: to compare it takes long.
            let isLarge = seed == 1 && number == 5
            let count = isLarge ? 270_000 : Int.random(in: 0...40, using: &random)
            return "\(number) " + String(repeating: "v", count: count)
        }
    }

    @Test("a crash at each operation", arguments: Target.allCases, 1...3)
    func aCrashAtEachOperation(target: Target, seed: Int) throws {
        try crash(target, seed, losingPower: false)
    }

    @Test("a power cut at each operation", arguments: Target.allCases, 1...3)
    func aPowerCutAtEachOperation(target: Target, seed: Int) throws {
        try crash(target, seed, losingPower: true)
    }

    private func crash(_ target: Target, _ seed: Int, losingPower: Bool) throws {
        var random = SplitMix64(seed: UInt64(seed))
        let records = Self.records(seed, &random)
        var operation = 1
        var isReached = true
        while isReached {
            let job = Job(target: target, records: records, disk: MemoryDisk())
            job.prepare()
            var context = "\(target), seed \(seed), operations \(operation)"
            job.disk.crash(atOperation: operation, seed: random.next())
            let isOver = try endsByItself(job, &random, context, losingPower)
            isReached = !isOver
            // Often a second one soon after, while the first is being mended.
            while isReached, Bool.random(using: &random) {
                let next = Int.random(in: 1...25, using: &random)
                context += ", \(next)"
                job.disk.crash(atOperation: next, seed: random.next())
                if try endsByItself(job, &random, context, losingPower) { break }
            }
            if isReached { try job.run(&random) }
            job.checkEnd(context)
            operation += 1
        }
        #expect(operation > 50, "there was something to crash")
    }

    /// Runs until the crash; false when there was one.
    private func endsByItself(
        _ job: Job,
        _ random: inout SplitMix64,
        _ context: String,
        _ losingPower: Bool
    ) throws -> Bool {
        do {
            try job.run(&random)
            job.disk.revive(losingPower: false)
            return true
        } catch {
            guard job.disk.isDown else { throw error }
            job.check(context)
            job.disk.revive(losingPower: losingPower)
            job.check(context)
            return false
        }
    }
}
