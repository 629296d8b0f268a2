package import ApusMemory
import CApusGuard
import CApusPlugin

/// A source of a plugin at work, on one subtask.
///
/// Created on the control thread, then used by one task thread alone.  All calls go through the
/// guard; results are checked, so that a plugin that breaks the contract ends as an error.
package final class SourceInstance {
    /// The most splits of a source.
    package static let splitCountMax = 100_000
    /// The most bytes of a split's name.
    package static let nameByteCountMax = 1_024
    /// The most bytes of a split's position.
    package static let positionByteCountMax = 64 << 10

    /// A split, and where it stands.
    package struct Split: Equatable, Sendable {
        /// As the plugin named it.
        package var name: [UInt8]
        /// As the plugin wrote it; nil for the beginning.
        package var position: [UInt8]?

        /// Creates a split.
        package init(name: [UInt8], position: [UInt8]? = nil) {
            self.name = name
            self.position = position
        }

        /// The name for people; bytes that are no text in hexadecimal.
        package var text: String {
            let isText = name.allSatisfy { $0 >= 0x20 && $0 != 0x7f }
            if isText, let text = String(validating: name, as: UTF8.self) { return text }
            return "0x" + name.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        }
    }

    /// How a poll ended; what was written counts in any case.
    package enum Poll: Equatable {
        /// Ask again at once.
        case more
        /// There is nothing now.
        case idle
        /// There will never be anything again.
        case ended
        /// It failed for now, for that reason.
        case retry(String)
        /// The instance cannot go on.
        case failed(PluginError)
    }

    private let host: InstanceContext
    private let functions: UnsafePointer<apus_source_vt>
    private let inbox = AsyncInbox(capacity: 0, outputCount: 1)
    private let writer = ByteWriter(byteCountMax: SourceInstance.positionByteCountMax)
    private var isOpen = false
    private var splitCount = 0
    /// How many polls in a row gave neither a record nor a reason to wait.
    private var idleCallCount = 0

    /// Creates an instance of a component, which is a source.
    ///
    /// - Throws: ``PluginError`` when the plugin refuses its configuration, throws or breaks the
    ///   contract.
    package init(
        plugin: LoadedPlugin,
        component index: Int,
        arguments: InstanceArguments
    ) throws(PluginError) {
        precondition(
            plugin.description.components[index].kind == .source,
            "the caller has looked for a source"
        )
        guard
            let table = plugin.components[index].pointee.vt?
                .assumingMemoryBound(to: apus_source_vt.self)
        else { throw PluginError(.badDescription, plugin.file, "component \(index) has no vt") }
        functions = table
        host = try InstanceContext(
            plugin,
            index,
            role: "source",
            arguments: arguments,
            inbox: inbox
        )
    }

    /// Where it writes records.
    package var output: OutputBuilder { host.outputs[0] }

    /// Sets what wakes the task thread when the plugin posts an event.
    package func ring(_ wake: @escaping @Sendable () -> Void) { inbox.ring(wake) }

    /// The value of each declared counter.
    package var counters: [(name: String, value: UInt64)] { host.counters }

    /// Whether the plugin wants to know of complete checkpoints.
    package var wantsCheckpoints: Bool { functions.pointee.on_checkpointed != nil }

    /// Tells a callback that runs to return soon.
    ///
    /// Any thread.
    package func requestStop() { host.requestStop() }

    // MARK: - Control thread

    /// The names of the splits there are, in the plugin's order.
    ///
    /// The control thread, before ``open(_:nowMicroseconds:)``; may block.
    ///
    /// - Throws: ``PluginError`` when the plugin fails, or names splits that make no sense.
    package func listSplits() throws(PluginError) -> [[UInt8]] {
        let list = ByteWriter(
            byteCountMax: Self.splitCountMax * (Self.nameByteCountMax + 4)
        )
        host.begin(watermark: .min, now: 0)
        let code = apus_guard_list_splits(
            host.site.pointer,
            functions,
            host.object,
            list.pointer,
            host.error
        )
        guard code == APUS_OK else { throw host.failure("list_splits", code) }
        return try read(list.bytes)
    }

    private func read(_ list: [UInt8]) throws(PluginError) -> [[UInt8]] {
        var names: [[UInt8]] = []
        var seen: Set<[UInt8]> = []
        var index = 0
        while index < list.count {
            guard list.count - index >= 4 else {
                throw host.broken("list_splits", "wrote \(list.count - index) bytes too many")
            }
            var count = 0
            for shift in 0..<4 { count |= Int(list[index + shift]) << (8 * shift) }
            index += 4
            guard (1...Self.nameByteCountMax).contains(count), count <= list.count - index else {
                throw host.broken(
                    "list_splits",
                    "wrote \(count) as the length of name \(names.count), with "
                        + "\(list.count - index) bytes behind it; expected 1 to "
                        + "\(Self.nameByteCountMax), and as many bytes"
                )
            }
            let name = Array(list[index..<index + count])
            index += count
            guard seen.insert(name).inserted else {
                throw host.broken("list_splits", "named '\(Split(name: name).text)' twice")
            }
            names.append(name)
            guard names.count <= Self.splitCountMax else {
                throw host.broken(
                    "list_splits",
                    "named more than \(Self.splitCountMax) splits; let a split be more"
                )
            }
        }
        return names
    }

    // MARK: - Task thread

    /// Opens the instance with its splits.
    ///
    /// - Throws: ``PluginError`` when the plugin cannot begin.
    package func open(_ splits: [Split], nowMicroseconds: Int64) throws(PluginError) {
        // From here on the instance runs on this thread: a stack overflow can be reported.
        apus_guard_prepare_thread()
        splitCount = splits.count
        host.begin(watermark: .min, now: nowMicroseconds)
        let code = withTable(of: splits) { table in
            apus_guard_source_open(
                host.site.pointer,
                functions,
                host.object,
                host.context,
                table.baseAddress,
                UInt32(table.count)
            )
        }
        host.outputs[0].discard()
        guard code == APUS_OK else { throw host.failure("open", code) }
        isOpen = true
    }

    private func withTable<Result>(
        of splits: [Split],
        _ body: (UnsafeBufferPointer<apus_split>) -> Result
    ) -> Result {
        // One run of bytes, which does not move while the plugin reads it.
        let bytes = splits.flatMap { $0.name + ($0.position ?? []) }
        return bytes.withUnsafeBytes { all in
            var offset = 0
            func take(_ count: Int) -> apus_bytes {
                // SAFETY: the parts lie behind each other in what was just put together.
                let part = UnsafeRawBufferPointer(rebasing: all[offset..<offset + count])
                offset += count
                return apus_bytes(part)
            }
            let table = splits.map { split in
                apus_split(
                    name: take(split.name.count),
                    position: split.position.map { take($0.count) } ?? apus_bytes()
                )
            }
            return table.withUnsafeBufferPointer(body)
        }
    }

    /// Has the plugin write records; they are in ``output`` afterwards, to be drained.
    package func poll(
        atMost recordCountMax: Int,
        watermark: Int64,
        nowMicroseconds: Int64
    ) -> Poll {
        // Whatever was posted is what this poll is for.
        if inbox.hasAny { _ = inbox.takeAll() }
        host.begin(watermark: watermark, now: nowMicroseconds)
        let code = apus_guard_poll(
            host.site.pointer,
            functions,
            host.object,
            host.context,
            UInt32(recordCountMax)
        )
        if let failure = host.damage(in: "poll") { return .failed(failure) }
        let count = output.recordCount
        guard count <= recordCountMax else {
            return .failed(
                host.broken(
                    "poll",
                    "wrote \(count) records, and at most \(recordCountMax) were asked for"
                )
            )
        }
        switch code {
        case APUS_OK:
            // One that has nothing to say again and again is asked less often.
            idleCallCount = count == 0 ? idleCallCount + 1 : 0
            return idleCallCount < 3 ? .more : .idle
        case APUS_YIELD, APUS_LIMIT:
            idleCallCount = count == 0 ? idleCallCount + 1 : 0
            guard idleCallCount < 3 else {
                return .failed(host.broken("poll", "yielded three times without a record"))
            }
            return .more
        case APUS_IDLE:
            idleCallCount = 0
            return .idle
        case APUS_END: return .ended
        case APUS_RETRY: return .retry(host.message ?? "no reason given")
        default: return .failed(host.failure("poll", code))
        }
    }

    /// Where a split stands: all records that were written lie before it.
    ///
    /// - Throws: ``PluginError`` when the plugin cannot tell, or tells too much.
    package func position(ofSplit index: Int) throws(PluginError) -> [UInt8] {
        precondition(index < splitCount, "the caller knows its splits")
        writer.reset()
        host.begin(watermark: host.context.pointee.watermark_us, now: host.context.pointee.now_us)
        let code = apus_guard_write_position(
            host.site.pointer,
            functions,
            host.object,
            host.context,
            UInt32(index),
            writer.pointer
        )
        output.discard()
        guard !writer.isOverLimit else {
            throw host.broken(
                "write_position",
                "wrote more than \(Self.positionByteCountMax) bytes for split \(index)"
            )
        }
        guard code == APUS_OK else { throw host.failure("write_position", code) }
        return writer.bytes
    }

    /// Tells the plugin that a checkpoint with this position of a split is complete.
    package func noteCheckpoint(
        ofSplit index: Int,
        at position: [UInt8],
        nowMicroseconds: Int64
    ) -> CallResult {
        guard wantsCheckpoints, isOpen else { return .done }
        host.begin(watermark: host.context.pointee.watermark_us, now: nowMicroseconds)
        let code = position.withUnsafeBytes { bytes in
            // SAFETY: the position lives until the call returns.
            var bytes = apus_bytes(bytes)
            return apus_guard_on_checkpointed(
                host.site.pointer,
                functions,
                host.object,
                host.context,
                UInt32(index),
                &bytes
            )
        }
        output.discard()
        switch code {
        case APUS_OK: return .done
        case APUS_RETRY: return .retry(host.message ?? "no reason given")
        default: return .failed(host.failure("on_checkpointed", code))
        }
    }

    /// Closes the instance, if it was opened.
    ///
    /// - Throws: ``PluginError`` when the plugin throws.
    package func close(nowMicroseconds: Int64) throws(PluginError) {
        guard isOpen else { return }
        isOpen = false
        defer { host.closeInbox() }
        guard functions.pointee.close != nil else { return }
        host.begin(watermark: host.context.pointee.watermark_us, now: nowMicroseconds)
        let code = apus_guard_source_close(
            host.site.pointer,
            functions,
            host.object,
            host.context
        )
        output.discard()
        guard code == APUS_OK else { throw host.failure("close", code) }
    }
}
