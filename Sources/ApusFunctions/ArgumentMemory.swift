import ApusGraph
import CApusFunctions

/// The memory that arguments are laid out in: a row of cells per call, or a column per parameter.
///
/// Made once; constants are written once.  One thread.
final class ArgumentMemory {
    /// Where the arguments of one parameter go.
    struct Slot {
        let parameter: FunctionSignature.Parameter
        let place: FunctionDescription.Place
        /// Which of the fields that are looked for; -1 for the whole value.
        let field: Int
        let base: UnsafeMutableRawPointer
        let stride: Int
        /// The place as messages have it.
        let name: String

        /// Where the argument of a row goes.
        func target(_ row: Int) -> UnsafeMutableRawPointer { base + row * stride }
    }

    /// Rows of cells; of a function over columns one row.
    let rows: UnsafeMutablePointer<apus_cell>
    /// What calls return; of a function over columns its out column, packed.
    let results: UnsafeMutablePointer<apus_cell>
    /// The bytes from one result to the next.
    let resultStride: Int
    /// What is taken out of records.
    let slots: [Slot]
    /// The fields that are looked for, each once.
    let fields: [[String]]
    private var columns: [UnsafeMutableRawPointer] = []
    private let constants: ConstantTexts
    /// The cell that gets the number of records.
    private var countCell: Int?

    /// Lays out memory.
    ///
    /// - Parameters:
    ///   - function: Its signature and arguments.
    ///   - capacity: The most records that are evaluated at a time.
    init(_ function: FunctionDescription, capacity: Int) {
        let signature = function.signature
        let cellCount = max(1, signature.cells.count)
        let rowCount = signature.isBatch ? 1 : capacity
        // SAFETY: all of this is freed in deinit.  Cells are zero, so that what is not written is
        // nothing.
        rows = .allocate(capacity: cellCount * rowCount)
        rows.initialize(repeating: apus_cell(), count: cellCount * rowCount)
        results = .allocate(capacity: capacity)
        results.initialize(repeating: apus_cell(), count: capacity)
        constants = ConstantTexts()
        var layout = Layout(
            cellCount: cellCount,
            rowCount: rowCount,
            capacity: capacity,
            rows: rows,
            results: results,
            constants: constants,
            arguments: function.arguments[...]
        )
        for parameter in signature.parameters { layout.add(parameter) }
        slots = layout.slots
        fields = layout.fields
        columns = layout.columns
        countCell = layout.countCell
        resultStride = layout.resultStride
    }

    deinit {
        rows.deallocate()
        results.deallocate()
        for column in columns { column.deallocate() }
    }

    /// Tells a function over columns how many records there are.
    func setCount(_ count: Int) {
        guard let countCell else { return }
        rows[countCell].u64 = UInt64(count)
    }
}

/// Texts of constants, as C wants them; freed with their owner.
final class ConstantTexts {
    private var texts: [UnsafeMutablePointer<UInt8>] = []

    deinit { for text in texts { text.deallocate() } }

    /// A copy with a zero byte behind it.
    func add(_ text: String) -> UnsafeMutablePointer<UInt8> {
        let bytes = Array(text.utf8)
        let copy = UnsafeMutablePointer<UInt8>.allocate(capacity: bytes.count + 1)
        for (index, byte) in bytes.enumerated() { copy[index] = byte }
        copy[bytes.count] = 0
        texts.append(copy)
        return copy
    }
}

/// Gives each parameter its memory, in their order.
private struct Layout {
    let cellCount: Int
    let rowCount: Int
    let capacity: Int
    let rows: UnsafeMutablePointer<apus_cell>
    let results: UnsafeMutablePointer<apus_cell>
    let constants: ConstantTexts
    var arguments: ArraySlice<FunctionDescription.Argument>

    var slots: [ArgumentMemory.Slot] = []
    var fields: [[String]] = []
    var columns: [UnsafeMutableRawPointer] = []
    var countCell: Int?
    var resultStride = MemoryLayout<apus_cell>.stride
    var cell = 0

    mutating func add(_ parameter: FunctionSignature.Parameter) {
        defer { cell += parameter.cells.count }
        switch parameter {
        case .number, .string, .bytes:
            fill(
                parameter,
                base: UnsafeMutableRawPointer(rows + cell),
                stride: cellCount * MemoryLayout<apus_cell>.stride,
                count: rowCount
            )
        case .out:
            for row in 0..<rowCount {
                rows[row * cellCount + cell].ptr = UnsafeRawPointer(results + row)
            }
        case .outColumn:
            rows[cell].ptr = UnsafeRawPointer(results)
            resultStride = parameter.columnStride
        case .count:
            countCell = cell
        case .column, .stringColumn:
            let column = UnsafeMutableRawPointer.allocate(
                byteCount: capacity * parameter.columnStride,
                alignment: 64
            )
            columns.append(column)
            rows[cell].ptr = UnsafeRawPointer(column)
            fill(parameter, base: column, stride: parameter.columnStride, count: capacity)
        }
    }

    /// Notes where the argument comes from, or writes it when it is constant.
    private mutating func fill(
        _ parameter: FunctionSignature.Parameter,
        base: UnsafeMutableRawPointer,
        stride: Int,
        count: Int
    ) {
        guard let argument = arguments.popFirst() else {
            preconditionFailure("the decoder has counted the arguments")
        }
        switch argument {
        case .constant(let text):
            let copy = constants.add(text)
            let bytes = UnsafeRawBufferPointer(start: copy, count: text.utf8.count)
            for row in 0..<count {
                ConstantWriter.write(parameter, bytes, to: base + row * stride)
            }
        case .place(let place):
            slots.append(
                ArgumentMemory.Slot(
                    parameter: parameter,
                    place: place,
                    field: field(place),
                    base: base,
                    stride: stride,
                    name: place.text
                )
            )
        }
    }

    private mutating func field(_ place: FunctionDescription.Place) -> Int {
        guard case .field(let path) = place else { return -1 }
        if let index = fields.firstIndex(of: path) { return index }
        fields.append(path)
        return fields.count - 1
    }
}

/// Writes an argument that is known before there is a record.
enum ConstantWriter {
    /// Writes a constant.
    ///
    /// - Parameters:
    ///   - parameter: What it is for.
    ///   - bytes: The text, with a zero byte behind it; stays where it is.
    ///   - target: The parameter's first cell, or its place in a column.
    static func write(
        _ parameter: FunctionSignature.Parameter,
        _ bytes: UnsafeRawBufferPointer,
        to target: UnsafeMutableRawPointer
    ) {
        switch parameter {
        case .number(let type), .column(let type):
            do {
                try NumberReader.read(bytes, type, to: target)
            } catch {
                preconditionFailure("the decoder has checked the constant: \(error)")
            }
        case .string, .stringColumn:
            // SAFETY: the target is a cell or an element of a column of pointers.
            target.storeBytes(of: bytes.baseAddress, as: UnsafeRawPointer?.self)
        case .bytes:
            target.storeBytes(of: bytes.baseAddress, as: UnsafeRawPointer?.self)
            (target + 8).storeBytes(of: UInt64(bytes.count), as: UInt64.self)
        case .out, .outColumn, .count:
            preconditionFailure("nothing is given for '\(parameter.text)'")
        }
    }
}
