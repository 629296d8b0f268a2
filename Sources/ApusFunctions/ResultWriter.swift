import ApusGraph
import ApusMemory
import CApusFunctions
import CApusJSON
import CApusPlugin

/// Writes results into records: all else in them stays byte for byte.
///
/// One thread.
final class ResultWriter {
    private let produced: FunctionSignature.Output
    private let place: FunctionDescription.Place
    private let noValue: FunctionDescription.NoValue
    private let symbol: String
    /// What stands before and behind a member that is not there yet, by how much of its path is.
    private let prefixes: [[UInt8]]
    private let suffixes: [[UInt8]]
    private var scratch: UnsafeMutablePointer<UInt8>
    private var scratchCapacity = 256

    /// Creates a writer.
    init(_ function: FunctionDescription, place: FunctionDescription.Place) {
        produced = function.signature.output
        self.place = place
        noValue = function.noValue
        symbol = function.symbol
        var prefixes: [[UInt8]] = []
        var suffixes: [[UInt8]] = []
        if case .field(let path) = place {
            for depth in path.indices {
                let names = path[depth...].map { ConfigurationValue.string($0).json() }
                prefixes.append(Array(names.joined(separator: ":{").utf8) + [UInt8(ascii: ":")])
                suffixes.append(Array(repeating: UInt8(ascii: "}"), count: names.count - 1))
            }
        }
        self.prefixes = prefixes
        self.suffixes = suffixes
        // SAFETY: freed in deinit.
        scratch = .allocate(capacity: 256)
    }

    deinit { scratch.deallocate() }

    /// Writes the value of a record with its result.
    ///
    /// - Parameters:
    ///   - result: What the function has returned.
    ///   - value: The record's value.
    ///   - position: Where in it the result goes.
    ///   - output: The batch that the new value goes to; has room for it.
    ///   - index: The record's number there.
    /// - Returns: Why the record is rejected instead; nil when it is written.
    func write(
        _ result: FunctionResult,
        into value: UnsafeRawBufferPointer,
        at position: apus_json_place,
        to output: RecordBatch,
        as index: Int
    ) -> String? {
        if noValue == .reject, result.isNothing(produced) {
            return "\(symbol) returned \(result.nothingInWords(produced))"
        }
        let text: UnsafeRawBufferPointer
        switch write(result) {
        case .failure(let problem): return problem.text
        case .success(let written): text = written
        }
        var pieces = Pieces(value)
        switch place {
        case .whole: pieces.set(text)
        case .field: pieces.put(text, at: position, prefixes, suffixes)
        }
        guard pieces.write(to: output, as: index) else {
            return "the record would be larger than a batch can hold"
        }
        return nil
    }

    private struct Refusal: Error {
        let text: String
    }

    /// The text of a result.
    private func write(_ result: FunctionResult) -> Result<UnsafeRawBufferPointer, Refusal> {
        if result.isNothing(produced) {
            let null = StaticString("null")
            return .success(UnsafeRawBufferPointer(start: null.utf8Start, count: 4))
        }
        switch produced {
        case .number(let type):
            let count = result.write(type, to: scratch)
            return .success(UnsafeRawBufferPointer(start: scratch, count: count))
        case .string:
            let string = result.string
            if case .whole = place { return .success(string) }
            return writeString(string)
        }
    }

    private func writeString(
        _ string: UnsafeRawBufferPointer
    ) -> Result<UnsafeRawBufferPointer, Refusal> {
        let bytes = string.assumingMemoryBound(to: UInt8.self)
        guard apus_json_is_utf8(bytes.baseAddress, bytes.count) else {
            return .failure(
                Refusal(
                    text: "\(symbol) returned a string that is not UTF-8, which JSON cannot hold"
                )
            )
        }
        let most = bytes.count * 6 + 2
        if most > scratchCapacity {
            scratch.deallocate()
            scratchCapacity = most * 2
            scratch = .allocate(capacity: scratchCapacity)
        }
        // SAFETY: there is room for six bytes for each, and two quotes.
        scratch[0] = UInt8(ascii: "\"")
        let count = apus_json_escape(bytes.baseAddress, bytes.count, scratch + 1)
        scratch[count + 1] = UInt8(ascii: "\"")
        return .success(UnsafeRawBufferPointer(start: scratch, count: count + 2))
    }
}

/// The up to six pieces of bytes that a new value is made of.
private struct Pieces {
    private let value: UnsafeRawBufferPointer
    private var head = UnsafeRawBufferPointer(start: nil, count: 0)
    private var hasComma = false
    private var prefix: [UInt8] = []
    private var text = UnsafeRawBufferPointer(start: nil, count: 0)
    private var suffix: [UInt8] = []
    private var tail = UnsafeRawBufferPointer(start: nil, count: 0)

    init(_ value: UnsafeRawBufferPointer) { self.value = value }

    /// The text is all.
    mutating func set(_ text: UnsafeRawBufferPointer) { self.text = text }

    /// The text stands in the value, which stays around it.
    mutating func put(
        _ text: UnsafeRawBufferPointer,
        at position: apus_json_place,
        _ prefixes: [[UInt8]],
        _ suffixes: [[UInt8]]
    ) {
        self.text = text
        // SAFETY: the positions were found in this very value.
        head = UnsafeRawBufferPointer(rebasing: value[..<position.begin])
        tail = UnsafeRawBufferPointer(rebasing: value[position.end...])
        guard position.kind == APUS_JSON_ABSENT else { return }
        hasComma = !position.is_first
        prefix = prefixes[Int(position.depth)]
        suffix = suffixes[Int(position.depth)]
    }

    /// Writes all of it as the value of a record.
    func write(to output: RecordBatch, as index: Int) -> Bool {
        let count =
            head.count + (hasComma ? 1 : 0) + prefix.count + text.count + suffix.count + tail.count
        guard output.reserveArena(count) else { return false }
        let offset = output.arenaUsed
        // SAFETY: there is room for `count` bytes behind the offset.
        var target = UnsafeMutableRawPointer(output.arena + offset)
        Self.copy(head, &target)
        if hasComma {
            target.storeBytes(of: UInt8(ascii: ","), as: UInt8.self)
            target += 1
        }
        prefix.withUnsafeBytes { Self.copy($0, &target) }
        Self.copy(text, &target)
        suffix.withUnsafeBytes { Self.copy($0, &target) }
        Self.copy(tail, &target)
        output.show(arenaOffset: offset, count: count, in: output.values + index)
        if count > Int(APUS_VIEW_INLINE) { output.arenaUsed = offset + count }
        return true
    }

    private static func copy(
        _ bytes: UnsafeRawBufferPointer,
        _ target: inout UnsafeMutableRawPointer
    ) {
        guard let start = bytes.baseAddress, !bytes.isEmpty else { return }
        target.copyMemory(from: start, byteCount: bytes.count)
        target += bytes.count
    }
}
