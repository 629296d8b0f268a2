import ApusGraph
import ApusMemory
import CApusFunctions
import CApusJSON
import CApusPlugin

/// Takes the arguments of a function out of records.
///
/// One thread.  Strings are copied, because parsers and functions write where they please.
final class ArgumentReader {
    /// Where in a JSON document the result goes.
    typealias ResultPlace = apus_json_place

    let memory: ArgumentMemory
    /// Where results go, by row; set when the result goes into a field.
    let places: UnsafeMutablePointer<ResultPlace>
    private let document: FieldDocument
    private let needsJSON: Bool
    private let textSlotCount: Int
    private var texts: UnsafeMutablePointer<UInt8>
    private var textCapacity: Int
    private var textUsed = 0

    /// Creates a reader.
    init(_ function: FunctionDescription, capacity: Int) {
        memory = ArgumentMemory(function, capacity: capacity)
        var resultPath: [String]?
        if case .map(.field(let path)) = function.use { resultPath = path }
        document = FieldDocument(fields: memory.fields, result: resultPath)
        needsJSON = !memory.fields.isEmpty || resultPath != nil
        textSlotCount = memory.slots.count { $0.parameter.isText }
        // SAFETY: freed in deinit.
        places = .allocate(capacity: capacity)
        places.initialize(repeating: apus_json_place(), count: capacity)
        textCapacity = 64 << 10
        texts = .allocate(capacity: textCapacity)
    }

    deinit {
        places.deallocate()
        texts.deallocate()
    }

    /// Makes room for the strings of some records.
    ///
    /// What was read before is gone.
    func begin(_ batch: RecordBatch, _ records: Range<Int>) {
        textUsed = 0
        guard textSlotCount > 0 else { return }
        // No string is longer than the value that it is in, and each gets a zero byte.
        var byteCount = 0
        for record in records { byteCount += Int(batch.values[record].len) + 1 }
        byteCount *= textSlotCount
        guard byteCount > textCapacity else { return }
        texts.deallocate()
        textCapacity = max(byteCount, textCapacity * 2)
        texts = .allocate(capacity: textCapacity)
    }

    /// Reads the arguments of a record into a row.
    ///
    /// - Returns: Why the record is no argument; nil when all are there.
    func read(_ batch: RecordBatch, _ record: Int, row: Int) -> String? {
        let value = batch.values + record
        let isNull = batch.kinds[record] & UInt8(APUS_KIND_NULL_VALUE) != 0
        let bytes = batch.bytes(of: value)
        if needsJSON {
            if isNull { return "the record has no value; expected a JSON object" }
            if let problem = document.parse(bytes, readable: readable(value, batch)) {
                return problem
            }
            if let problem = document.findResult(bytes, places + row) { return problem }
        }
        for slot in memory.slots {
            do throws(ArgumentProblem) {
                if slot.field < 0 {
                    if isNull { throw .noValue }
                    try read(whole: bytes, slot, row)
                } else {
                    try read(document[slot.field], slot, row)
                }
            } catch {
                return error.reason(slot.name, slot.parameter)
            }
        }
        return nil
    }

    /// How far one may read from the start of a value: to the end of the arena if it is there.
    private func readable(_ value: UnsafePointer<apus_view>, _ batch: RecordBatch) -> Int {
        let length = Int(value.pointee.len)
        guard length > Int(APUS_VIEW_INLINE),
            value.pointee.u.ref.buffer == UInt32(truncatingIfNeeded: batch.borrowedBufferCount)
        else { return length }
        return batch.arenaCapacity - Int(value.pointee.u.ref.offset)
    }

    // MARK: - One argument

    @inline(__always)
    private func read(
        _ field: apus_json_field,
        _ slot: ArgumentMemory.Slot,
        _ row: Int
    ) throws(ArgumentProblem) {
        let text = UnsafeRawBufferPointer(start: field.bytes, count: field.length)
        switch (field.kind, slot.parameter) {
        case (APUS_JSON_MISSING, _): throw .missing
        case (APUS_JSON_NULL, _): throw .null
        case (APUS_JSON_OBJECT, _), (APUS_JSON_ARRAY, _): throw .nested
        case (APUS_JSON_INTEGER, .number(let type)), (APUS_JSON_INTEGER, .column(let type)),
            (APUS_JSON_NUMBER, .number(let type)), (APUS_JSON_NUMBER, .column(let type)):
            if type == .bool { throw .notTruth(NumberReader.shown(text)) }
            try NumberReader.read(text, type, to: slot.target(row))
        case (APUS_JSON_BOOL, .number(.bool)), (APUS_JSON_BOOL, .column(.bool)):
            try NumberReader.read(text, .bool, to: slot.target(row))
        case (APUS_JSON_STRING, .string), (APUS_JSON_STRING, .stringColumn),
            (APUS_JSON_STRING, .bytes):
            try store(text, slot, row)
        case (APUS_JSON_STRING, .number), (APUS_JSON_STRING, .column):
            throw .notNumber("the string \(Self.quoted(text))")
        case (_, .number), (_, .column): throw .notNumber(NumberReader.shown(text))
        default: throw .notString("the value \(NumberReader.shown(text))")
        }
    }

    private func read(
        whole bytes: UnsafeRawBufferPointer,
        _ slot: ArgumentMemory.Slot,
        _ row: Int
    ) throws(ArgumentProblem) {
        switch slot.parameter {
        case .number(let type), .column(let type):
            var text = bytes[...]
            while let last = text.last, last <= 0x20 { text.removeLast() }
            while let first = text.first, first <= 0x20 { text.removeFirst() }
            try NumberReader.read(
                UnsafeRawBufferPointer(rebasing: text),
                type,
                to: slot.target(row)
            )
        case .string, .stringColumn, .bytes: try store(bytes, slot, row)
        case .out, .outColumn, .count: preconditionFailure("it takes no argument")
        }
    }

    private func store(
        _ text: UnsafeRawBufferPointer,
        _ slot: ArgumentMemory.Slot,
        _ row: Int
    ) throws(ArgumentProblem) {
        if slot.parameter != .bytes, let offset = text.firstIndex(of: 0) {
            throw .zeroByte(at: offset)
        }
        precondition(textUsed + text.count < textCapacity, "begin() has made room")
        let copy = texts + textUsed
        // SAFETY: there is room for the text and a zero byte, checked above.
        if let start = text.baseAddress {
            UnsafeMutableRawPointer(copy).copyMemory(from: start, byteCount: text.count)
        }
        copy[text.count] = 0
        textUsed += text.count + 1
        let bytes = UnsafeRawBufferPointer(start: copy, count: text.count)
        ConstantWriter.write(slot.parameter, bytes, to: slot.target(row))
    }

    private static func quoted(_ text: UnsafeRawBufferPointer) -> String {
        "'\(String(decoding: text.prefix(40), as: UTF8.self))\(text.count > 40 ? "..." : "")'"
    }
}
