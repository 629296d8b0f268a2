import ApusCore
import ApusIO
import ApusMemory
import ApusTestPlugins

@testable import ApusPluginHost

/// Instances of the plugin in `Tests/Plugins/Endpoints`.
enum EndpointBench {
    private static let loaded: Result<(plugin: LoadedPlugin, folder: TestFolder), any Error> =
        Result {
            let folder = try TestFolder()
            let loader = PluginLoader(disk: LinuxDisk(), imageDirectory: folder.path)
            return (try loader.load(try TestPlugin.endpoints()), folder)
        }

    static func plugin() throws -> LoadedPlugin { try loaded.get().plugin }

    static func arguments(
        _ configuration: String,
        subtask: Int = 0,
        parallelism: Int = 1
    ) -> InstanceArguments {
        InstanceArguments(
            job: "job",
            operatorID: "node",
            configuration: configuration,
            subtask: subtask,
            parallelism: parallelism,
            groups: KeyGroups(count: 128),
            recordsPerBatch: 16
        )
    }

    static func source(_ configuration: String) throws -> SourceInstance {
        let plugin = try plugin()
        return try SourceInstance(
            plugin: plugin,
            component: try plugin.componentIndex("letters", .source),
            arguments: arguments(configuration)
        )
    }

    static func sink(_ configuration: String) throws -> SinkInstance {
        let plugin = try plugin()
        return try SinkInstance(
            plugin: plugin,
            component: try plugin.componentIndex("both", .sink),
            arguments: arguments(configuration)
        )
    }

    static func codec(_ configuration: String) throws -> CodecInstance {
        let plugin = try plugin()
        return try CodecInstance(
            plugin: plugin,
            component: try plugin.componentIndex("commas", .codec),
            arguments: arguments(configuration)
        )
    }

    /// The subject of an error.
    static func subject(_ role: String, _ callback: String) -> String {
        "plugin test.endpoints 1.2.3, \(role) node, subtask 0, \(callback)"
    }

    static func batch(_ values: [String]) -> RecordBatch {
        let batch = RecordBatch(recordCapacity: 64, arenaCapacity: 1024)
        for value in values {
            let bytes = Array(value.utf8)
            _ = bytes.withUnsafeBytes { batch.append(key: nil, value: $0, time: .min) }
        }
        return batch
    }

    static func values(_ batch: RecordBatch) -> [String] {
        (0..<batch.count).map {
            String(decoding: batch.bytes(of: batch.values + $0), as: UTF8.self)
        }
    }

    static func drained(_ output: OutputBuilder) -> [String] {
        var all: [String] = []
        output.drain { all += values($0) }
        return all
    }
}
