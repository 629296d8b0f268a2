import ApusBench
import ApusGraph
import Foundation

extension BenchCommand {
    /// Results as text.
    enum Report {
        /// A benchmark of throughput: one line; with checkpoints some more.
        static func text(_ result: BenchmarkResult) -> String {
            var lines = [
                "\(result.benchmark): \(ProgressDisplay.short(result.recordsPerSecond)) records/s "
                    + "(\(ProgressDisplay.short(result.recordsPerSecondMin)) to "
                    + "\(ProgressDisplay.short(result.recordsPerSecondMax)), "
                    + "\(result.windows.count) windows of \(result.windowSeconds) s), "
                    + "\(decimal(result.cpuSecondsPerMillionRecords, 3)) CPU-s per million, "
                    + "\(mebibytes(result.memory.peakResidentBytes)) peak; "
                    + "\(result.keys) keys, parallelism \(result.parallelism), "
                    + "state in \(result.state)"
            ]
            guard let checkpoints = result.checkpoints else { return lines[0] }
            lines.append(
                "  whole process: "
                    + "\(decimal(result.processCPUSecondsPerMillionRecords, 3)) CPU-s per million; "
                    + "longest gap between reads of the source "
                    + "\(milliseconds(result.longestGapMicroseconds / 1e3))"
            )
            lines.append("  memory: \(text(result.memory))")
            lines.append("  checkpoints: \(text(checkpoints))")
            if let storage = result.storage { lines.append("  state: \(text(storage))") }
            return lines.joined(separator: "\n")
        }

        /// Sources and sinks of a plugin beside those that are built in.
        static func text(_ result: EndpointsBenchmarkResult) -> String {
            let rows = result.rows.map { row in
                "  \(row.pairing): \(ProgressDisplay.short(row.recordsPerSecond)) records/s "
                    + "(\(ProgressDisplay.short(row.recordsPerSecondMin)) to "
                    + "\(ProgressDisplay.short(row.recordsPerSecondMax))), "
                    + "\(decimal(row.cpuSecondsPerMillionRecords, 4)) CPU-s per million, "
                    + "\(decimal(row.ofBuiltIn, 2)) of the built-in ends"
            }
            return (["endpoints: parallelism \(result.parallelism)"] + rows)
                .joined(separator: "\n")
        }

        /// Latency without and with checkpoints.
        static func text(_ result: CheckpointBenchmarkResult) -> String {
            let interval = DurationText.format(
                microseconds: Int64(result.intervalMilliseconds * 1e3)
            )
            var lines = [
                "checkpoint: \(mebibytes(result.stateBytes)) of state in \(result.keys) keys, "
                    + "\(result.rate) records/s for \(result.seconds) s, every \(interval), "
                    + "parallelism \(result.parallelism)",
                "                       p50         p99       p99.9         max  longest gap",
                row("  without checkpoints", result.control),
                row("  with checkpoints   ", result.withCheckpoints),
            ]
            let ratios = result.ratios
            lines.append(
                "  ratio              "
                    + [ratios.p50, ratios.p99, ratios.p999, ratios.maximum]
                    .map { column(decimal($0, 2)) }.joined()
            )
            for (label, side) in [
                ("without checkpoints", result.control), ("with", result.withCheckpoints),
            ] where side.missingRecords > 0 {
                lines.append(
                    "  \(label): \(side.missingRecords) records never came out: the rate is "
                        + "too high"
                )
            }
            let checkpoints = result.withCheckpoints.checkpoints
            lines.append("  checkpoints: \(text(checkpoints))")
            lines.append(
                "  changed per checkpoint: \(mebibytes(result.changedBytesPerCheckpoint)); new "
                    + "bytes: median \(mebibytes(checkpoints.newBytesMedian)), with compactions "
                    + "mean \(mebibytes(checkpoints.newBytesMean)), max "
                    + mebibytes(checkpoints.newBytesMax)
            )
            lines.append("  memory: \(text(result.withCheckpoints.memory))")
            if let storage = result.withCheckpoints.storage {
                lines.append("  state: \(text(storage))")
            }
            return lines.joined(separator: "\n")
        }

        private static func row(_ label: String, _ side: CheckpointBenchmark.Side) -> String {
            let latencies = side.latencies
            return label
                + [latencies.p50, latencies.p99, latencies.p999, latencies.maximum]
                .map { column(milliseconds($0)) }.joined()
                + column(milliseconds(side.longestGapMicroseconds / 1e3), 13)
        }

        /// From the start of a process to its first record.
        static func text(_ result: RecoveryBenchmarkResult) -> String {
            var lines = [
                "recovery: \(mebibytes(result.prepared.checkpointBytes)) of checkpoint, "
                    + "\(result.keys) keys, parallelism \(result.parallelism); from the start of "
                    + "the process to the first record:",
                "  warm: " + text(result.warm),
            ]
            if let cold = result.cold { lines.append("  cold: " + text(cold)) }
            lines.append(
                "  preparing: \(decimal(result.prepared.fillSeconds, 1)) s, "
                    + "checkpoint \(decimal(result.prepared.checkpointSeconds, 1)) s"
            )
            return lines.joined(separator: "\n")
        }

        private static func text(_ runs: RecoveryBenchmarkResult.Runs) -> String {
            func worst(_ part: (RecoveryBenchmarkResult.Run) -> Double) -> String {
                milliseconds(runs.runs.map(part).max() ?? 0)
            }
            return "median \(milliseconds(runs.firstRecordMedian)), "
                + "max \(milliseconds(runs.firstRecordMax)) of \(runs.runs.count); at most "
                + "\(worst(\.main)) to main, "
                + "\(worst { $0.opened - $0.main }) to verify and open, "
                + "\(worst { $0.running - $0.opened }) to start, "
                + "\(worst { $0.firstRecord - $0.running }) to the record"
        }

        /// Timers through a checkpoint.
        static func text(_ result: TimersBenchmarkResult) -> String {
            let (arming, firing) = (result.arming, result.firing)
            return """
                timers: \(result.armed) armed on \(result.keys) keys, \(firing.fired) fired: \
                \(firing.lost) lost, \(firing.doubled) doubled, \(firing.strangers) never armed, \
                \(firing.disordered) out of order, \(firing.leftArmed) still armed
                  arming: \(decimal(arming.armSeconds, 1)) s, stop with checkpoint \
                \(decimal(arming.stopSeconds, 1)) s (\(mebibytes(arming.checkpointBytes)), \
                \(arming.completedCheckpoints) checkpoints, \(arming.failedCheckpoints) failed)
                  firing: restore \(decimal(firing.restoreSeconds, 2)) s, fire \
                \(decimal(firing.fireSeconds, 1)) s, end \(decimal(firing.endSeconds, 1)) s \
                (\(firing.completedCheckpoints) checkpoints, \(firing.failedCheckpoints) failed)
                  memory: arming: \(text(arming.memory))
                          firing: \(text(firing.memory))
                """ + (firing.storage.map { "\n  state at the end: \(text($0))" } ?? "")
        }

        // MARK: - Parts

        private static func text(_ memory: MemoryFigures) -> String {
            "\(mebibytes(memory.peakResidentBytes)) peak; without files "
                + "\(mebibytes(memory.peakAnonymousBytes)) peak, "
                + "\(mebibytes(memory.anonymousBytes)) at the end; files "
                + "\(mebibytes(memory.fileBytes)) at the end"
        }

        private static func text(_ checkpoints: CheckpointFigures) -> String {
            var text =
                "\(checkpoints.completed) complete, \(checkpoints.failed) failed; "
                + "took \(milliseconds(checkpoints.durationMedian)), "
                + "max \(milliseconds(checkpoints.durationMax)); longest pause "
                + "\(milliseconds(checkpoints.longestPause / 1e3)); new "
                + "\(mebibytes(checkpoints.newBytesMedian)), "
                + "max \(mebibytes(checkpoints.newBytesMax)) of "
                + mebibytes(checkpoints.totalBytes)
            for reason in checkpoints.failures { text += "\n    failed: \(reason)" }
            return text
        }

        private static func text(_ state: StateFigures) -> String {
            "\(mebibytes(state.usedBytes)) used, \(mebibytes(state.peakUsedBytes)) peak, of "
                + "\(mebibytes(state.budgetBytes)); database \(mebibytes(state.fileBytes)) in "
                + "\(state.files) files, \(state.runs) runs, block cache "
                + "\(mebibytes(state.blockCacheBytes)), tables "
                + "\(mebibytes(state.tableReaderBytes))"
        }

        private static func column(_ text: String, _ width: Int = 12) -> String {
            String(repeating: " ", count: max(1, width - text.count)) + text
        }

        private static func decimal(_ value: Double, _ digits: Int) -> String {
            String(format: "%.\(digits)f", value)
        }

        private static func milliseconds(_ value: Double) -> String {
            "\(decimal(value, value < 10 ? 3 : 1)) ms"
        }

        private static func mebibytes(_ byteCount: Int) -> String {
            let value = Double(byteCount) / Double(1 << 20)
            return "\(decimal(value, value < 10 ? 1 : 0)) MiB"
        }
    }
}
