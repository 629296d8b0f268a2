import ApusCheckpoint
import ApusCore
import ApusGraph
import ApusMemory
import ApusPluginHost

/// How sources and sinks are made: those that are built in, and those of plugins.
extension JobAssembly {
    /// The sources of a node's subtasks.
    func makeSources(
        _ description: SourceDescription,
        _ node: PlanNode
    ) throws(JobFailure) -> [any RecordSource] {
        if case .plugin(let component) = description.kind {
            return try makePluginSources(component, node)
        }
        var sources: [any RecordSource] = []
        for subtask in 0..<node.subtaskCount {
            do throws(EndpointError) {
                if let codec = description.codec {
                    let instance = try makeCodec(codec, node, subtask)
                    let frames = try environment.endpoints.makeFrameSource(
                        description,
                        splitter: instance.splits ? instance : nil
                    )
                    sources.append(
                        DecodingSource(
                            frames: frames,
                            codec: instance,
                            frameCountMax: Self.recordsPerBatch,
                            clock: environment.clock
                        )
                    )
                } else {
                    sources.append(
                        try environment.endpoints.makeSource(
                            description,
                            key: node.pushedDownKey,
                            subtask: subtask,
                            subtaskCount: node.subtaskCount
                        )
                    )
                }
            } catch {
                throw JobFailure(.environment, node: node.id, error.description)
            }
        }
        return sources
    }

    private func makePluginSources(
        _ component: PluginComponent,
        _ node: PlanNode
    ) throws(JobFailure) -> [any RecordSource] {
        let implementation = environment.implementation(of: node.id)
        var instances: [SourceInstance] = []
        let names: [[UInt8]]
        do throws(PluginError) {
            for subtask in 0..<node.subtaskCount {
                instances.append(
                    try SourceInstance(
                        plugin: implementation.plugin,
                        component: implementation.component,
                        arguments: arguments(component, node, subtask)
                    )
                )
            }
            names = try instances[0].listSplits()
        } catch {
            throw JobFailure(.plugin, node: node.id, error.description)
        }
        let old = restore.sources(node.id)
        let dealing: SplitDealing
        do throws(EndpointError) {
            dealing = try SplitDealing(names, from: old, to: node.subtaskCount)
        } catch {
            throw JobFailure(.environment, node: node.id, error.description)
        }
        report(dealing, node)
        return instances.enumerated().map { subtask, instance in
            PluginSource(
                node: node.id,
                instance: instance,
                hand: dealing.hands[subtask],
                vanished: subtask == 0 ? dealing.vanished : [],
                isRestored: !old.isEmpty,
                recordCountMax: Self.recordsPerBatch,
                clock: environment.clock,
                notify: environment.notify
            )
        }
    }

    /// Tells of splits that are gone.
    private func report(_ dealing: SplitDealing, _ node: PlanNode) {
        guard !dealing.missing.isEmpty else { return }
        let shown = dealing.missing.prefix(10).map { "'\($0.text)'" }.joined(separator: ", ")
        let more = dealing.missing.count - 10
        let number = restore.manifest?.number ?? 0
        environment.notify(
            "source '\(node.id)': the checkpoint \(number) knows splits that are no longer there: "
                + shown + (more > 0 ? " and \(more) more" : "")
                + "; they are not read, and go on where they were when they come back"
        )
    }

    /// The sink of a node's subtask.
    func makeSink(
        _ description: SinkDescription,
        _ node: PlanNode,
        _ subtask: Int
    ) throws(JobFailure) -> any RecordSink {
        do throws(EndpointError) {
            if case .plugin(let component) = description.kind {
                return try makePluginSink(component, description, node, subtask)
            }
            let sink = try environment.endpoints.makeSink(description, subtask: subtask)
            guard let codec = description.codec else { return sink }
            let encoder = CodecEncoder(
                try makeCodec(codec, node, subtask),
                clock: environment.clock
            )
            if let epochs = sink as? any EpochSink {
                return EncodingEpochSink(encoder, epochs: epochs)
            }
            return EncodingSink(encoder, sink)
        } catch {
            throw JobFailure(.environment, node: node.id, error.description)
        }
    }

    private func makePluginSink(
        _ component: PluginComponent,
        _ description: SinkDescription,
        _ node: PlanNode,
        _ subtask: Int
    ) throws(EndpointError) -> any RecordSink {
        if environment.checkpoints != nil, description.delivery == .exactlyOnce {
            let log = try environment.endpoints.makeOutbox(description, subtask: subtask)
            return EncodingEpochSink(RecordEnvelope.Encoder(), epochs: log)
        }
        let implementation = environment.implementation(of: node.id)
        do throws(PluginError) {
            let instance = try SinkInstance(
                plugin: implementation.plugin,
                component: implementation.component,
                arguments: arguments(component, node, subtask)
            )
            return PluginSink(instance, clock: environment.clock)
        } catch {
            throw EndpointError(error.description)
        }
    }

    private func makeCodec(
        _ codec: PluginComponent,
        _ node: PlanNode,
        _ subtask: Int
    ) throws(EndpointError) -> CodecInstance {
        guard let implementation = environment.codecs[node.id] else {
            preconditionFailure("the caller loads a plugin for every codec of the plan")
        }
        do throws(PluginError) {
            return try CodecInstance(
                plugin: implementation.plugin,
                component: implementation.component,
                arguments: arguments(codec, node, subtask)
            )
        } catch {
            throw EndpointError(error.description)
        }
    }

    private func arguments(
        _ component: PluginComponent,
        _ node: PlanNode,
        _ subtask: Int
    ) -> InstanceArguments {
        environment.arguments(component, node, subtask, plan, recordsPerBatch: Self.recordsPerBatch)
    }
}

extension JobEnvironment {
    /// The plugin and component of a node that has one.
    func implementation(of id: String) -> Implementation {
        guard let found = implementations[id] else {
            preconditionFailure("the caller loads a plugin for every node of one")
        }
        return found
    }

    /// What an instance of a source, sink or codec is created for.
    func arguments(
        _ component: PluginComponent,
        _ node: PlanNode,
        _ subtask: Int,
        _ plan: PhysicalPlan,
        recordsPerBatch: Int
    ) -> InstanceArguments {
        var arguments = InstanceArguments(
            job: plan.jobName,
            operatorID: node.id,
            configuration: component.configuration.json(),
            subtask: subtask,
            parallelism: node.subtaskCount,
            groups: KeyGroups(count: plan.maxParallelism),
            recordsPerBatch: recordsPerBatch
        )
        arguments.secrets = secrets
        return arguments
    }
}
