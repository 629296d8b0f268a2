import ApusCheckpoint
import ApusCore
import ApusGraph
import ApusIO
import ApusMemory
import ApusRuntime

/// Makes the sources and sinks that a job file names out of files and the rest of the world.
struct Endpoints: EndpointFactory {
    let world: World
    /// The folder for what sinks wait with until a checkpoint; nil for a job without checkpoints.
    let outbox: String?
    /// Whether the job goes on from a checkpoint, so that earlier output must stay.
    let isRestored: Bool

    /// Creates endpoints for a job.
    ///
    /// - Throws: ``CheckpointError`` when the outbox cannot be made.
    init(world: World, durable: DurableJob? = nil) throws {
        self.world = world
        outbox = try durable?.settings?.folder.workDirectory("outbox")
        isRestored = durable?.restored != nil
    }

    /// Times of generated records start here: 2026-01-01T00:00:00Z.
    private static let generatedTimeStart: Int64 = 1_767_225_600_000_000

    func makeSource(
        _ source: SourceDescription,
        key: KeySelector?,
        subtask: Int,
        subtaskCount: Int
    ) throws(EndpointError) -> any RecordSource {
        switch source.kind {
        case .file(let file):
            return try FileSource(
                path: file.path,
                parsing: parsing(file.format, source, key),
                follow: file.isFollowed,
                disk: world.disk
            )
        case .stdin(let format):
            return StdinSource(parsing: parsing(format, source, key))
        case .plugin:
            throw EndpointError("a plugin is no endpoint of this kind")  // The runtime makes it.
        case .generator(let generator):
            return makeGenerator(generator, subtask, subtaskCount)
        }
    }

    func makeFrameSource(
        _ source: SourceDescription,
        splitter: (any FrameSplitter)?
    ) throws(EndpointError) -> any RecordSource {
        let parsing = RecordParsing(format: splitter == nil ? .lines : .frames)
        switch source.kind {
        case .file(let file):
            return try FileSource(
                path: file.path,
                parsing: parsing,
                follow: file.isFollowed,
                frames: splitter,
                disk: world.disk
            )
        case .stdin:
            return StdinSource(parsing: parsing, frames: splitter)
        case .generator, .plugin:
            throw EndpointError("only a file and standard input have frames")
        }
    }

    private func parsing(
        _ format: ApusGraph.RecordFormat,
        _ source: SourceDescription,
        _ key: KeySelector?
    ) -> RecordParsing {
        let encoding: ApusIO.RecordFormat =
            switch format.encoding {
            case .jsonLines: .jsonLines
            case .codec: .lines
            case .csv(let delimiter, let emit):
                .csv(delimiter: delimiter, emit: emit == .json ? .json : .line)
            }
        let timestamp = source.watermark.map { self.timestamp($0.timestamp) } ?? .none
        var keyField: [String]?
        if case .field(let path) = key { keyField = path }
        return RecordParsing(
            format: encoding,
            nullValues: format.nullValues,
            timestamp: timestamp,
            keyField: keyField
        )
    }

    private func timestamp(
        _ timestamp: WatermarkDescription.Timestamp
    ) -> RecordParsing.Timestamp {
        switch timestamp {
        case .record: .none
        case .field(let path, let unit): .field(path: path, unit: timeUnit(unit))
        case .calendar(let fields): .parts(fields)
        }
    }

    func makeTimeStamper(
        _ timestamp: WatermarkDescription.Timestamp
    ) -> (any TimeStamper)? {
        if case .record = timestamp { return nil }
        return JSONTimeStamper(self.timestamp(timestamp))
    }

    private func timeUnit(_ unit: WatermarkDescription.Unit) -> RecordParsing.TimeUnit {
        switch unit {
        case .seconds: .seconds
        case .milliseconds: .milliseconds
        case .microseconds: .microseconds
        case .rfc3339: .rfc3339
        }
    }

    private func makeGenerator(
        _ generator: GeneratorDescription,
        _ subtask: Int,
        _ subtaskCount: Int
    ) -> any RecordSource {
        let kind: GeneratorSource.Kind =
            switch generator.kind {
            case .keyed(let keyCount, let valueByteCount):
                .keyed(keyCount: keyCount, valueByteCount: valueByteCount)
            case .impulse: .impulse
            }
        let step = generator.recordsPerSecond.map { max(1, 1_000_000 / Int64($0)) } ?? 1
        return GeneratorSource(
            kind: kind,
            count: generator.count,
            recordsPerSecond: generator.recordsPerSecond,
            seed: generator.seed,
            subtask: subtask,
            subtaskCount: subtaskCount,
            time: .perRecord(startMicroseconds: Self.generatedTimeStart, stepMicroseconds: step),
            clock: world.clock
        )
    }

    func makeSink(
        _ sink: SinkDescription,
        subtask: Int
    ) throws(EndpointError) -> any RecordSink {
        if let outbox, waitsForCheckpoints(sink) {
            return OutboxSink(
                sink: sink.id,
                subtask: subtask,
                directory: outbox,
                endsLines: sink.codec == nil,
                disk: world.disk
            )
        }
        switch sink.kind {
        case .file(let path, let appends):
            return try FileSink(
                path: path,
                appending: appends || isRestored,
                endsLines: sink.codec == nil,
                disk: world.disk
            )
        case .stdout:
            return StandardOutputSink(endsLines: sink.codec == nil)
        case .discard:
            return DiscardSink()
        case .plugin:
            throw EndpointError("a plugin is no endpoint of this kind")  // The runtime makes it.
        }
    }

    func makeOutbox(
        _ sink: SinkDescription,
        subtask: Int
    ) throws(EndpointError) -> any EpochSink {
        guard let outbox else {
            throw EndpointError("a job without checkpoints has no outbox")
        }
        return OutboxSink(
            sink: sink.id,
            subtask: subtask,
            directory: outbox,
            endsLines: false,
            disk: world.disk
        )
    }

    func makeDelivery(
        _ sink: SinkDescription
    ) throws(EndpointError) -> (any OutputDelivery)? {
        guard outbox != nil, waitsForCheckpoints(sink) else { return nil }
        switch sink.kind {
        case .file(let path, let appends):
            if sink.kind.isFolder {
                return try FolderDelivery(path: path, appending: appends, disk: world.disk)
            }
            return try FileDelivery(
                path: path,
                appending: appends,
                endsLines: sink.codec == nil,
                disk: world.disk
            )
        case .stdout:
            return StandardOutputDelivery(disk: world.disk)
        case .discard, .plugin:
            return nil
        }
    }

    private func waitsForCheckpoints(_ sink: SinkDescription) -> Bool {
        if case .discard = sink.kind { return false }
        return sink.delivery == .exactlyOnce
    }

    func makeKeyExtractor(_ path: [String]) -> any KeyExtractor {
        JSONKeyExtractor(path: path, nullValues: [])
    }
}
