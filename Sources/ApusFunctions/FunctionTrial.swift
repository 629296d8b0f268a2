import ApusGraph
import CApusFunctions
import CApusGuard
import CApusPlugin
import Glibc

/// Calls a function with sample values, before any record is given to it.
///
/// Nothing tells whether a signature is right, so it is tried, in a process of its own: a function
/// of other types, or of more parameters, is likely to crash there.  So that it is, strings and
/// columns end where memory ends, and the registers behind the declared arguments hold values that
/// lead nowhere.  When a result depends on these, parameters are missing in the signature.
package struct FunctionTrial {
    /// A call and its result, for people.
    package struct Call: Codable, Sendable {
        /// `pow(1.5, 2.5)`.
        package let call: String
        /// `2.75`.
        package let result: String
    }

    private let function: BoundFunction
    private let signature: FunctionSignature
    private let note: (String) -> Void

    /// Creates a trial.
    ///
    /// - Parameters:
    ///   - function: What is tried.
    ///   - note: Takes the text of each call before it is made.
    package init(_ function: BoundFunction, note: @escaping (String) -> Void) {
        self.function = function
        signature = function.description.signature
        self.note = note
    }

    /// Makes the calls.
    ///
    /// - Parameter rows: A value per argument; of a function over columns one call has them all.
    /// - Returns: The calls and their results.
    /// - Throws: ``FunctionError`` when the function throws, or its results tell that the
    ///   signature is wrong.
    package func run(_ rows: [[String]]) throws(FunctionError) -> [Call] {
        if rows.isEmpty { return [] }
        if signature.isBatch { return [try tryRows(rows)] }
        var calls: [Call] = []
        for row in rows { calls.append(try tryRows([row])) }
        return calls
    }

    private func tryRows(_ rows: [[String]]) throws(FunctionError) -> Call {
        let text = "\(function.description.symbol)(\(arguments(rows)))"
        note(text)
        let first = try call(rows, text, poison: 0)
        let again = try call(rows, text, poison: 0)
        let other = try call(rows, text, poison: 1)
        if function.description.isPure, first != again {
            throw error(
                "it is declared pure, and returned \(first) and then \(again) for \(text); remove "
                    + "'pure: true'"
            )
        }
        if first == again, first != other {
            throw error(
                "the result of \(text) depends on more arguments than \(signature.text) has: "
                    + "\(first) or \(other), by what happens to be in the next registers; compare "
                    + "the signature with the function's declaration"
            )
        }
        return Call(call: text, result: first)
    }

    private func error(_ message: String) -> FunctionError {
        FunctionError("function \(function.description.name)", message)
    }

    private func arguments(_ rows: [[String]]) -> String {
        var index = -1
        return signature.parameters.map { parameter in
            if case .count = parameter { return "\(rows.count)" }
            guard parameter.takesArgument else { return "out" }
            index += 1
            let texts = rows.map { row in
                parameter.isText ? ConfigurationValue.string(row[index]).json() : row[index]
            }
            return parameter.isOfBatch ? "[\(texts.joined(separator: ", "))]" : texts[0]
        }.joined(separator: ", ")
    }

    // MARK: - A call

    /// The result of one call as text.
    private func call(
        _ rows: [[String]],
        _ text: String,
        poison: Int32
    ) throws(FunctionError) -> String {
        let row = TrialRow(signature, rows)
        let site = FunctionSite("function \(function.description.name) (\(signature.text))")
        var error = apus_error()
        error.size = UInt32(MemoryLayout<apus_error>.size)
        var trial = apus_trial(
            function: function.pointer,
            row: row.cells,
            result: row.result,
            poison: poison
        )
        // SAFETY: the row has all that the signature declares; whether the signature is right is
        // what this process finds out.  The name of the callback is never freed: the process may
        // end in the call.
        let callback = strdup("trial call \(text)")
        let status = apus_guard_call(site.pointer, callback, apus_function_try, &trial, &error)
        guard status == APUS_OK else {
            let message = withUnsafeBytes(of: &error.message) { bytes in
                String(decoding: bytes[..<min(Int(error.len), bytes.count)], as: UTF8.self)
            }
            throw self.error(
                "threw an exception in the trial call \(text): \(message); give values that it "
                    + "takes under 'samples'"
            )
        }
        return row.text(of: signature)
    }
}

/// The arguments of one trial call, in memory with a fence.
///
/// Never freed.
private struct TrialRow {
    let cells: UnsafeMutablePointer<apus_cell>
    let result: UnsafeMutablePointer<apus_cell>
    private var out: UnsafeMutableRawPointer?
    private let count: Int

    init(_ signature: FunctionSignature, _ rows: [[String]]) {
        count = rows.count
        // SAFETY: cells of the one call; a process that tries functions ends soon.
        cells = .allocate(capacity: max(1, signature.cells.count))
        cells.initialize(repeating: apus_cell(), count: max(1, signature.cells.count))
        result = .allocate(capacity: 1)
        result.initialize(to: apus_cell())
        var cell = 0
        var argument = 0
        for parameter in signature.parameters {
            let target = UnsafeMutableRawPointer(cells + cell)
            switch parameter {
            case .number, .string, .bytes:
                Self.write(rows[0][argument], parameter, target)
            case .column, .stringColumn:
                let stride = parameter.columnStride
                let column = Self.fenced(Array(repeating: 0, count: stride * rows.count))
                for (index, row) in rows.enumerated() {
                    Self.write(row[argument], parameter, column + index * stride)
                }
                cells[cell].ptr = UnsafeRawPointer(column)
            case .out(let type):
                out = Self.fenced(Array(repeating: 0, count: type.byteCount))
                cells[cell].ptr = UnsafeRawPointer(out)
            case .outColumn(let type):
                out = Self.fenced(Array(repeating: 0, count: type.byteCount * rows.count))
                cells[cell].ptr = UnsafeRawPointer(out)
            case .count:
                cells[cell].u64 = UInt64(rows.count)
            }
            if parameter.takesArgument { argument += 1 }
            cell += parameter.cells.count
        }
    }

    private static func write(
        _ text: String,
        _ parameter: FunctionSignature.Parameter,
        _ target: UnsafeMutableRawPointer
    ) {
        var bytes = Array(text.utf8)
        let count = bytes.count
        // What is declared as bytes must not rely on a zero behind them.
        if parameter != .bytes { bytes.append(0) }
        let copy = fenced(bytes)
        ConstantWriter.write(
            parameter,
            UnsafeRawBufferPointer(start: copy, count: count),
            to: target
        )
    }

    private static func fenced(_ bytes: [UInt8]) -> UnsafeMutableRawPointer {
        guard let copy = apus_fenced_copy(bytes, bytes.count) else {
            preconditionFailure("no memory")
        }
        return copy
    }

    /// What was returned, or written.
    func text(of signature: FunctionSignature) -> String {
        switch signature.output {
        case .string:
            guard let pointer = result.pointee.ptr else { return "NULL" }
            // SAFETY: a zero-terminated string, as the signature has it.
            let string = String(cString: pointer.assumingMemoryBound(to: CChar.self))
            if signature.result == .mallocString {
                free(UnsafeMutableRawPointer(mutating: pointer))
            }
            return ConfigurationValue.string(string).json()
        case .number(let type):
            let start = out.map { UnsafeRawPointer($0) } ?? UnsafeRawPointer(result)
            let texts = (0..<(signature.isBatch ? count : 1)).map { index in
                number(type, at: start + index * type.byteCount)
            }
            return signature.isBatch ? "[\(texts.joined(separator: ", "))]" : texts[0]
        }
    }

    private func number(_ type: FunctionSignature.Number, at address: UnsafeRawPointer) -> String {
        let result = FunctionResult(address: address, text: nil)
        let output = FunctionSignature.Output.number(type)
        if result.isNothing(output) { return result.nothingInWords(output) }
        return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 64) { room in
            guard let start = room.baseAddress else { return "" }
            let count = result.write(type, to: start)
            return String(decoding: room[..<count], as: UTF8.self)
        }
    }
}
