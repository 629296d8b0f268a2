import ApusGraph
import ApusPluginHost

/// The plugins that a job's sources and sinks use, in the order of the file.
struct EndpointPlugins {
    /// One of them.
    struct Use {
        /// The id of the source or sink.
        let node: String
        /// What the component is to be.
        let kind: ComponentKind
        /// What the job file says.
        let component: PluginComponent
        /// What a codec must be able to do.
        var needed: Abilities = []

        /// The place in the job file.
        var path: String {
            switch kind {
            case .source: "spec.sources[\(node)]"
            case .sink: "spec.sinks[\(node)]"
            case .codec:
                needed == .decode
                    ? "spec.sources[\(node)].config.format" : "spec.sinks[\(node)].config.format"
            case .operator: "spec.operators[\(node)]"
            }
        }

        /// The words that could have been meant instead of a plugin.
        var builtIn: [String] {
            switch kind {
            case .source: SourceKind.pluginNames
            case .sink: SinkKind.pluginNames
            case .codec, .operator: []
            }
        }

        /// Refuses a codec that works the other way round only.
        func check(_ abilities: Abilities, file: String) throws(PluginError) {
            guard !abilities.isSuperset(of: needed) else { return }
            throw PluginError(
                .badDescription,
                file,
                needed == .decode
                    ? "its codec has no decode, which a source needs"
                    : "its codec has no encode, which a sink needs"
            )
        }
    }

    let uses: [Use]

    init(_ job: JobDescription) {
        var uses: [Use] = []
        for source in job.sources {
            if case .plugin(let component) = source.kind {
                uses.append(Use(node: source.id, kind: .source, component: component))
            }
            if let codec = source.codec {
                uses.append(
                    Use(node: source.id, kind: .codec, component: codec, needed: .decode)
                )
            }
        }
        for sink in job.sinks {
            if case .plugin(let component) = sink.kind {
                uses.append(Use(node: sink.id, kind: .sink, component: component))
            }
            if let codec = sink.codec {
                uses.append(Use(node: sink.id, kind: .codec, component: codec, needed: .encode))
            }
        }
        self.uses = uses
    }
}

extension Abilities {
    /// What the planner needs to know of a sink.
    var signature: SinkSignature {
        SinkSignature(canFlush: contains(.flush), canCommit: contains(.commit))
    }

    /// By name, as reports have them.
    static let names: [(name: String, ability: Abilities)] = [
        ("flush", .flush), ("commit", .commit), ("decode", .decode), ("encode", .encode),
    ]
}
