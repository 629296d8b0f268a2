import ApusRuntime
import Testing

/// Goal: plugins that were built with the headers of an older minor version go on working.
///
/// Method: the probe, compiled with the headers of ABI 0.1 as they were, in jobs with state,
/// timers and checkpoints.
@Suite("Plugins of ABI 0.1", .serialized)
struct OldPluginTests {
    @Test("sums and windows are those of the model", arguments: [1, 3])
    func sumsAndWindows(parallelism: Int) throws {
        let records = Sample.numbers(3000, keyCount: 40, seed: 11)
        var job = try TestJob(parallelism: parallelism)
        job.addSource("in", records: records, isTimed: true)
        try job.addOperator("sum", "sum", ["in"], key: .prefix, from: .oldProbe)
        try job.addOperator("window", "window", ["in"], key: .prefix, from: .oldProbe)
        let sums = job.addSink("sums", ["sum"])
        let windows = job.addSink("windows", ["window"])
        let world = try CheckpointWorld()
        let (summary, _, notes) = try world.run(job)
        #expect(summary.end == .finished, "\(notes)")
        let keyed = Model.keyed(records)
        #expect(sums.records.map(\.value).sorted() == Model.sum(keyed).map(\.value).sorted())
        #expect(
            windows.records.map(\.value).sorted() == Model.window(keyed).map(\.value).sorted()
        )
    }
}
