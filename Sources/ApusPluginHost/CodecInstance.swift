package import ApusMemory
import CApusGuard
import CApusPlugin
import Glibc

/// A codec of a plugin at work, on one subtask.
///
/// Created on the control thread, then used by one task thread alone.  All calls go through the
/// guard; results are checked, so that a plugin that breaks the contract ends as an error.
package final class CodecInstance: FrameSplitter {
    private let host: InstanceContext
    private let functions: UnsafePointer<apus_codec_vt>
    private let writer: UnsafeMutablePointer<apus_writer>
    private let frames: UnsafeMutablePointer<apus_frame>
    /// Where encode writes to, while it runs.
    private var target: RecordBatch?
    private var idleCallCount = 0

    private static let frameCountMax = 1_024

    /// Creates an instance of a component, which is a codec.
    ///
    /// - Throws: ``PluginError`` when the plugin refuses its configuration, throws or breaks the
    ///   contract.
    package init(
        plugin: LoadedPlugin,
        component index: Int,
        arguments: InstanceArguments
    ) throws(PluginError) {
        precondition(
            plugin.description.components[index].kind == .codec,
            "the caller has looked for a codec"
        )
        guard
            let table = plugin.components[index].pointee.vt?
                .assumingMemoryBound(to: apus_codec_vt.self)
        else { throw PluginError(.badDescription, plugin.file, "component \(index) has no vt") }
        functions = table
        host = try InstanceContext(plugin, index, role: "codec of", arguments: arguments)
        // SAFETY: freed in deinit; the plugin has them during a call alone.
        frames = .allocate(capacity: Self.frameCountMax)
        frames.initialize(repeating: apus_frame(), count: Self.frameCountMax)
        writer = .allocate(capacity: 1)
        writer.initialize(to: apus_writer())
        writer.pointee.size = UInt32(MemoryLayout<apus_writer>.size)
        writer.pointee.write = { writer, bytes, length in
            guard let writer, let host = writer.pointee.host_private else { return APUS_FATAL }
            // SAFETY: host_private is the instance that owns the struct, set below.
            return Unmanaged<CodecInstance>.fromOpaque(host).takeUnretainedValue()
                .append(bytes, length)
        }
        writer.pointee.host_private = Unmanaged.passUnretained(self).toOpaque()
    }

    deinit {
        frames.deallocate()
        writer.deallocate()
    }

    /// Where decode writes records.
    package var output: OutputBuilder { host.outputs[0] }

    /// Whether it says where frames end; else they are lines.
    package var splits: Bool { functions.pointee.split != nil }

    /// Tells a callback that runs to return soon.
    ///
    /// Any thread.
    package func requestStop() { host.requestStop() }

    // MARK: - Decoding

    /// Has the plugin turn frames from `first` on into records; they are in ``output`` afterwards,
    /// to be drained.
    ///
    /// The component has a decode.
    package func decode(
        _ batch: RecordBatch,
        from first: Int,
        nowMicroseconds: Int64
    ) -> CallOutcome {
        var view = batch.view(input: 0, isKeyed: false)
        // SAFETY: the plugin may use the view during the call only; the batch outlives it.
        let code = withUnsafePointer(to: &view) { view in
            host.begin(view, from: first, watermark: .min, now: nowMicroseconds)
            return apus_guard_decode(
                host.site.pointer,
                functions,
                host.object,
                host.context,
                view
            )
        }
        if let failure = host.damage(in: "decode") { return .failed(failure) }
        let count = batch.count
        let at = Int(host.context.pointee.at)
        switch code {
        case APUS_OK:
            idleCallCount = 0
            return .done
        case APUS_YIELD, APUS_LIMIT:
            guard (first...count).contains(at) else {
                return .failed(
                    host.broken("decode", "stopped at frame \(at) of \(first)..<\(count)")
                )
            }
            let isIdle = at == first && host.outputs.allSatisfy(\.isEmpty)
            idleCallCount = isIdle ? idleCallCount + 1 : 0
            guard idleCallCount < 3 else {
                return .failed(
                    host.broken("decode", "yielded three times without progress at frame \(at)")
                )
            }
            return at == count ? .done : .again(at: at)
        case APUS_RECORD:
            guard (first..<count).contains(at) else {
                return .failed(
                    host.broken("decode", "reported frame \(at) of \(first)..<\(count)")
                )
            }
            idleCallCount = 0
            return .badRecord(at: at, reason: host.message ?? "no reason given")
        default: return .failed(host.failure("decode", code))
        }
    }

    // MARK: - Encoding

    /// Has the plugin write the bytes of a record, which become a record of another batch.
    ///
    /// The component has an encode.
    ///
    /// - Parameters:
    ///   - index: The record's index in `batch`.
    ///   - batch: Where the record is.
    ///   - target: Has room for a further record; gets its bytes as a value.
    ///   - nowMicroseconds: Processing time, for the context.
    /// - Returns: How it ended; never `again`.
    package func encode(
        _ index: Int,
        of batch: RecordBatch,
        into target: RecordBatch,
        nowMicroseconds: Int64
    ) -> CallOutcome {
        let start = target.arenaUsed
        self.target = target
        defer { self.target = nil }
        var view = batch.view(input: 0, isKeyed: false)
        // SAFETY: the plugin may use the view during the call only; the batch outlives it.
        let code = withUnsafePointer(to: &view) { view in
            host.begin(view, from: index, watermark: .min, now: nowMicroseconds)
            return apus_guard_encode(
                host.site.pointer,
                functions,
                host.object,
                host.context,
                view,
                UInt32(index),
                writer
            )
        }
        output.discard()
        switch code {
        case APUS_OK:
            target.appendShown(arenaOffset: start, count: target.arenaUsed - start)
            return .done
        case APUS_RECORD:
            target.arenaUsed = start
            return .badRecord(at: index, reason: host.message ?? "no reason given")
        default:
            target.arenaUsed = start
            return .failed(host.failure("encode", code))
        }
    }

    private func append(_ bytes: UnsafeRawPointer?, _ length: UInt64) -> Int32 {
        guard length > 0 else { return APUS_OK }
        guard let bytes, let target else { return APUS_UNSUPPORTED }
        let count = Int(clamping: length)
        guard count <= Int(OutputBuilder.recordByteCountMax), target.reserveArena(count) else {
            return APUS_LIMIT
        }
        // SAFETY: reserveArena has made room, and the plugin promises so many readable bytes.
        memcpy(target.arena + target.arenaUsed, bytes, count)
        target.arenaUsed += count
        return APUS_OK
    }

    // MARK: - Frames

    // doc: inherited
    package func split(
        _ bytes: UnsafeRawBufferPointer,
        isEnd: Bool,
        atMost countMax: Int,
        into found: inout [Range<Int>]
    ) throws(EndpointError) -> Int {
        do throws(PluginError) {
            return try call(bytes, isEnd, countMax, &found)
        } catch {
            throw EndpointError(error.description)
        }
    }

    private func call(
        _ bytes: UnsafeRawBufferPointer,
        _ isEnd: Bool,
        _ countMax: Int,
        _ found: inout [Range<Int>]
    ) throws(PluginError) -> Int {
        let capacity = min(countMax, Self.frameCountMax)
        var framing = apus_framing()
        framing.size = UInt32(MemoryLayout<apus_framing>.size)
        framing.is_end = isEnd ? 1 : 0
        framing.bytes = apus_bytes(bytes)
        framing.frames = frames
        framing.capacity = UInt32(capacity)
        host.begin(watermark: .min, now: 0)
        let code = apus_guard_split(
            host.site.pointer,
            functions,
            host.object,
            host.context,
            &framing
        )
        output.discard()
        guard code == APUS_OK else { throw host.failure("split", code) }
        guard framing.count <= capacity, framing.used <= UInt64(bytes.count) else {
            throw host.broken(
                "split",
                "found \(framing.count) frames in \(framing.used) bytes, with room for "
                    + "\(capacity) and \(bytes.count) bytes"
            )
        }
        let used = Int(framing.used)
        var end = 0
        for index in 0..<Int(framing.count) {
            let frame = frames[index]
            guard frame.offset >= UInt64(end), frame.offset <= UInt64(used),
                frame.len <= UInt64(used) - frame.offset
            else {
                throw host.broken(
                    "split",
                    "put frame \(index) at \(frame.offset), \(frame.len) bytes long, behind byte "
                        + "\(end) of \(used)"
                )
            }
            end = Int(frame.offset + frame.len)
            found.append(Int(frame.offset)..<end)
        }
        return used
    }
}
