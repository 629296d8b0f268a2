import ApusCore
import ApusIO
import ApusMemory
import ApusPluginHost
import CApusCheck

/// Group I: how fast it is, which is never a reason to fail.
enum SpeedChecks {
    static let all = [report]

    static let report = Check(
        id: "I90",
        name: "speed",
        demand: "Nanoseconds per record in batches of 1, 64 and 1,024; a report, of this machine "
            + "and of generated input",
        strictness: 5,
        isRandomised: true,
        timeoutSeconds: 60
    ) { bench in
        try bench.requireSynchronous()
        var random = bench.numbers()
        let records = Workload(
            bench,
            &random,
            Workload.Shape(recordCount: 4_096, keyCount: 500, recordsPerWatermark: 4_096)
        ).records
        var parts: [String] = []
        for size in [1, 64, 1_024] {
            let run = try OperatorRun(bench.plugin, bench)
            try run.open()
            // Once to warm up, then for some tenths of a second.
            try run.measure(records, size: size)
            let start = bench.clock.monotonicNanoseconds()
            var count = 0
            while bench.clock.monotonicNanoseconds() - start < 200_000_000 {
                try run.measure(records, size: size)
                count += records.count
            }
            guard run.transcript.failure == nil else {
                throw CheckStop.skip(
                    "it failed on generated input: \(run.transcript.failure ?? "")"
                )
            }
            let nanoseconds = Double(bench.clock.monotonicNanoseconds() - start) / Double(count)
            parts.append("\(DecimalText.of(nanoseconds)) ns in batches of \(size)")
        }
        let bytes = try bench.disk.readAll(bench.file, maximumByteCount: 512 << 20).count
        return .pass(parts.joined(separator: ", ") + "; the file has \(bytes) bytes")
    }
}

extension OperatorRun {
    /// Gives records without keeping what comes of them.
    func measure(_ records: [InputRecord], size: Int) throws {
        for first in stride(from: 0, to: records.count, by: size) {
            try process(records[first..<min(first + size, records.count)])
        }
        forgetOutput()
    }
}
